"""A bundle is verified when it is loaded, and written completely or not at all."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from efficientscn_trt import _core
from efficientscn_trt import bundle as bundles
from efficientscn_trt.bundle.core_parameters import CoreParameters
from efficientscn_trt.errors import BundleError, OutputError


@pytest.fixture
def copy(tiny_bundle: bundles.Bundle, tmp_path: Path) -> Path:
    """A copy of the bundle that a test may damage."""
    return Path(shutil.copytree(tiny_bundle.path, tmp_path / "bundle"))


def _edit(folder: Path, place: str, value: Any) -> None:
    file = folder / "manifest.json"
    document = json.loads(file.read_text())
    *parents, last = place.split(".")
    target = document
    for name in parents:
        target = target[name]
    if value is None:
        del target[last]
    else:
        target[last] = value
    file.write_text(json.dumps(document))


def test_a_bundle_comes_back_as_it_was_written(tiny_bundle: bundles.Bundle) -> None:
    assert bundles.load(tiny_bundle.path) == tiny_bundle
    assert {file.name for file in tiny_bundle.path.iterdir()} == {
        "manifest.json",
        "localization.onnx",
        "segmentation.onnx",
    }
    assert tiny_bundle.file("segmentation") == tiny_bundle.path / "segmentation.onnx"


def test_missing_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"There is no bundle at .*nowhere"):
        bundles.load(tmp_path / "nowhere")


def test_folder_that_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"is not a bundle, because it has no manifest\.json"):
        bundles.load(tmp_path)


def test_file_instead_of_a_folder(copy: Path) -> None:
    with pytest.raises(BundleError, match="is a file, but a bundle is a folder"):
        bundles.load(copy / "manifest.json")


@pytest.mark.parametrize(
    "text",
    [
        *("{", "[]", '{"name": "x"}', "\xff"),
        *("[" * 100_000, '{"a":' * 100_000 + "1" + "}" * 100_000, '{"a":' * 65 + "1" + "}" * 65),
        '{"schema_version": ' + "9" * 5000 + "}",
        '{"schema_version": 1}' + " " * (16 << 20),
    ],
    ids=range(9),
)
def test_manifest_that_is_none(copy: Path, text: str) -> None:
    (copy / "manifest.json").write_text(text, encoding="latin-1")
    with pytest.raises(BundleError, match=r"manifest"):
        bundles.load(copy)


def test_missing_network(copy: Path) -> None:
    (copy / "segmentation.onnx").unlink()
    with pytest.raises(BundleError, match=r"lacks the file segmentation\.onnx"):
        bundles.load(copy)


def test_altered_network(copy: Path) -> None:
    file = copy / "localization.onnx"
    expected = bundles.sha256(file)
    file.write_bytes(file.read_bytes() + b"\0")
    with pytest.raises(
        BundleError, match=rf"altered: its SHA-256 is {bundles.sha256(file)}, expected {expected}"
    ):
        bundles.load(copy)


def test_newer_schema(copy: Path) -> None:
    _edit(copy, "schema_version", bundles.SCHEMA_VERSION + 1)
    _edit(copy, "from_the_future", {})
    with pytest.raises(BundleError, match=r"has bundle schema 3, but .* schema 2; upgrade efficientscn-trt"):
        bundles.load(copy)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("pipeline.localization.spacing_mm", "six", r"spacing_mm is 'six', expected a finite number"),
        ("pipeline.localization.spacing_mm", None, r"the field .*spacing_mm is missing"),
        ("pipeline.localization.spaccing_mm", 6, r"the field .*spaccing_mm is not known"),
        ("pipeline.segmentation.valid_sizes", [[32]], r"expected a list of 3"),
        ("networks.segmentation.opset", 18.5, r"expected a whole number"),
        ("networks.segmentation.opset", 10**300, r"expected a whole number of at most 64 bits"),
        ("pipeline.localization.spacing_mm", 10**400, r"spacing_mm is 10{50,}…, expected a finite number"),
        ("pipeline.localization.spacing_mm", float("nan"), r"spacing_mm is nan, expected a finite number"),
        ("pipeline.unknown_spacing.used_xyz", [1, 0, 1], r"used_xyz, expected three numbers from 0\.001 to"),
        ("pipeline.unknown_spacing.used_xyz", [1, 1e9, 1], r"used_xyz, expected three numbers from"),
        ("name", "", r"has the name '', expected 1 to 200 printable characters"),
        ("name", "\x1b[2J", r"has the name '\\x1b\[2J', expected 1 to 200 printable"),
        ("provenance", {"a": [{"b\x1b[2J": 1}]}, r"has the text 'b\\x1b\[2J', expected one without control"),
        ("description", "one\rtwo", r"has the text 'one\\rtwo', expected one without control characters"),
        ("provenance", {"notice": "\ud800"}, r"manifest\.json cannot be read: .*surrogates not allowed"),
        ("networks.segmentation.input.shape", [1, None], r"expected int or str"),
        ("labels", ["background", "liver"], r"names 2 labels, but"),
        ("labels", ["a", "b", "b", "c", "d"], r"has the labels .*, expected 2 to 255 different ones"),
        ("labels", ["a", "b", "c", "d", ""], r"has the labels .*, expected .* of 1 to 200 printable"),
        ("labels", ["a", "b", "c", "d", "e" * 201], r"has the labels .*, expected .* of 1 to 200"),
        ("labels", ["a", "b", "c", "d", "e\n"], r"has the labels .*, expected .* of 1 to 200"),
        ("label_details", [{"name": "heart"}], r"label_details of \['heart'\], expected some of its labels"),
        ("label_details", [{"name": "liver"}] * 2, r"label_details of .*, expected .* its labels, each once"),
        ("label_details", [{"name": "background"}], r"label_details of .*, expected some of its labels"),
        (
            "label_details",
            [{"name": "liver", "colour": "red"}],
            r"of 'liver' the colour 'red', expected such",
        ),
        ("label_details", [{"name": "liver", "type": {"code": "1"}}], r"\[0\]\.type\.meaning is missing"),
        ("provenance\x1b", 1, r"the field provenance is not known"),
        ("files", {"a\n": 5}, r"manifest\.json: files\.a is 5, expected a string"),
        ("files", {}, r"has different SHA-256 for 'localization\.onnx' in `files` and"),
        ("networks.localization.file", "../x", r"has different SHA-256 for '\.\./x' in `files`"),
    ],
)
def test_manifest_with_a_wrong_field(copy: Path, place: str, value: Any, message: str) -> None:
    _edit(copy, place, value)
    with pytest.raises(BundleError, match=message):
        bundles.load(copy)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../b", "..\\secret"])
def test_file_outside_the_bundle(copy: Path, name: str) -> None:
    document = json.loads((copy / "manifest.json").read_text())
    _edit(copy, "files", document["files"] | {name: "0"})
    with pytest.raises(BundleError, match="outside the bundle"):
        bundles.load(copy)


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "", "line\nbreak"])
def test_file_that_no_bundle_has(copy: Path, name: str) -> None:
    document = json.loads((copy / "manifest.json").read_text())
    _edit(copy, "files", document["files"] | {name: "0"})
    with pytest.raises(BundleError, match=r"names the file '.*, expected 1 to 200 printable characters"):
        bundles.load(copy)


@pytest.mark.parametrize("digest", ["", "a\nb", "\x1b[2J", "0" * 63, "G" * 64])
def test_hash_that_is_none(copy: Path, digest: str) -> None:
    document = json.loads((copy / "manifest.json").read_text())
    _edit(copy, "files", document["files"] | {"other": digest})
    with pytest.raises(BundleError, match=r"for 'other', expected 64 hexadecimal digits") as caught:
        bundles.load(copy)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("path", [5, b"bundle", ["bundle"]])
def test_bundle_that_is_no_path(path: Any) -> None:
    with pytest.raises(BundleError, match="is no path, expected text or a path"):
        bundles.load(path)


def test_write_replaces_a_bundle_and_leaves_nothing_else(copy: Path) -> None:
    from support.tiny_bundle import write_tiny_bundle

    again = write_tiny_bundle(copy, name="again")
    assert again.manifest.name == "again"
    assert [file.name for file in copy.parent.iterdir()] == [copy.name]


def test_an_interrupted_write_leaves_the_old_bundle(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from support.tiny_bundle import write_tiny_bundle

    rename, old = Path.rename, bundles.load(copy)

    def interrupted(self: Path, target: Path) -> Path:
        if self.suffix == ".escn-partial":
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_tiny_bundle(copy, name="again")
    assert bundles.load(copy).manifest == old.manifest
    assert [file.name for file in copy.parent.iterdir()] == [copy.name]


def test_write_leaves_other_folders_alone(tmp_path: Path) -> None:
    from support.tiny_bundle import write_tiny_bundle

    (tmp_path / "thesis.doc").touch()
    with pytest.raises(OutputError, match="holds something other than a bundle"):
        write_tiny_bundle(tmp_path)
    with pytest.raises(OutputError, match="is a file"):
        write_tiny_bundle(tmp_path / "thesis.doc")


def test_write_to_a_place_that_is_not_writable() -> None:
    from support.tiny_bundle import write_tiny_bundle

    with pytest.raises(OutputError, match=r"/proc/bundle cannot be written"):
        write_tiny_bundle(Path("/proc/bundle"))


def test_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    from support.tiny_bundle import write_tiny_bundle

    with pytest.raises(BundleError, match="names 1 labels"):
        write_tiny_bundle(tmp_path / "bundle", labels=["background"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stage", ["localization", "segmentation"])
def test_every_number_reaches_the_core(stage: str) -> None:
    released = getattr(bundles.PipelineParameters(), stage)
    mine = dataclasses.replace(
        released,
        **{
            field.name: getattr(released, field.name) + 0.125 * (1 + index)
            for index, field in enumerate(dataclasses.fields(released))
            if field.name != "valid_sizes"
        },
        valid_sizes=((8, 16), (24,), (32, 40, 48)),
    )
    pipeline = dataclasses.replace(bundles.PipelineParameters(), **{stage: mine})
    theirs = getattr(CoreParameters.of(pipeline), stage)
    for field in dataclasses.fields(mine):
        value = getattr(theirs, field.name)
        if field.name == "valid_sizes":
            value = tuple(tuple(sizes) for sizes in value)
        assert getattr(mine, field.name) == value, field.name


@pytest.mark.parametrize("kind", [_core.LocalizationParameters, _core.SegmentationParameters])
def test_the_core_has_no_numbers_of_its_own(kind: Any) -> None:
    with pytest.raises(TypeError, match="incompatible constructor arguments"):
        kind(spacing_mm=2.0)
