"""Lists of labels, as people write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from efficientscn_trt.bundle.label_list import parse_labels, read_labels, write_labels
from efficientscn_trt.errors import InputError
from efficientscn_trt.io.label_details import LabelDetails
from efficientscn_trt.io.segments import Concept

LIVER = {"name": "liver", "colour": "#ff5a52", "type": {"code": "10200004", "meaning": "Liver"}}
SCAR = {"name": "scar", "type": {"code": "X", "meaning": "Y", "scheme": "99Z"}, "modifier": None}


def names(labels: tuple[LabelDetails, ...]) -> list[str]:
    return [label.name for label in labels]


@pytest.mark.parametrize(
    "text", ["liver, left kidney", "background,liver,left kidney", "Background,liver,left kidney"]
)
def test_names_with_or_without_the_background(text: str) -> None:
    assert names(parse_labels(text)) == ["liver", "left kidney"]


def test_a_file(tmp_path: Path) -> None:
    file = tmp_path / "labels.json"
    file.write_text(json.dumps(["background", LIVER, "Lefort-Fläche", SCAR]), encoding="utf-8")
    found = parse_labels(str(file))
    assert found == (
        LabelDetails("liver", "#ff5a52", type=Concept("10200004", "Liver", "SCT")),
        LabelDetails("Lefort-Fläche"),
        LabelDetails("scar", type=Concept("X", "Y", "99Z")),
    )
    write_labels(tmp_path / "again.json", found)
    assert read_labels(tmp_path / "again.json") == found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("liver,,spleen", "has the name '', expected 1 to 200 printable characters without a comma"),
        ("background", "has 0 labels beside the background, expected 1 to 254"),
        ("liver,spleen,liver", "names liver more than once; give each label its own name"),
        ("liver,background", "has the background after other labels, expected it first, or not"),
        (",".join(f"n{i}" for i in range(255)), "has 255 labels beside the background, expected 1 to 254"),
        ("a\x1bb", r"has the name 'a\\x1bb', expected"),
    ],
)
def test_lists_that_are_refused(text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=f"The list of labels {sentence}"):
        parse_labels(text)


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"liver": 1}, "holds {'liver': 1}, expected a list of labels"),
        ([1], "label 1 is 1, expected an object; give each label as a name, or as"),
        (["liver", {"colour": "#ff0000"}], r"the field label 2\.name is missing; give each"),
        ([{"name": "liver", "color": "#ff0000"}], r"the field label 1\.color is not known; give each"),
        ([LIVER | {"colour": "red"}], "label 'liver' has the colour 'red', expected such as '#ff5a52'"),
        ([LIVER | {"type": "10200004"}], r"label 1\.type is '10200004', expected an object; give each"),
        ([LIVER | {"type": {"code": "", "meaning": "x"}}], "'' in a concept, expected 1 to 16 printable"),
        (
            [LIVER | {"type": {"code": "Ö", "meaning": "x"}}],
            "'Ö' in a concept, expected 1 to 16 printable ASCII",
        ),
        ([LIVER | {"type": {"code": "1", "meaning": "x" * 65}}], "in a concept, expected 1 to 64 printable"),
        ([LIVER | {"type": {"code": "1", "meaning": "a\\b"}}], "in a concept, expected 1 to 64 printable"),
        (["a,b"], "has the name 'a,b', expected 1 to 200"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, document: Any, sentence: str) -> None:
    file = tmp_path / "labels.json"
    file.write_text(json.dumps(document))
    with pytest.raises(InputError, match=sentence) as caught:
        read_labels(file)
    assert str(caught.value).startswith(str(file))


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000, b""])
def test_files_that_are_no_json(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "labels.json"
    file.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as JSON"):
        read_labels(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"missing\.json cannot be read as JSON"):
        parse_labels(str(tmp_path / "missing.json"))
