"""A list of labels as people write it: names with commas between, or a JSON file with colours and codes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import BundleError, InputError
from ..io.label_details import LabelDetails
from ..io.wording import listed, shown
from ..organs.naming import canonical
from .decode import decode

BACKGROUND = "background"
MOST = 254  # labels beside the background: a label map has one byte a voxel
LONGEST_NAME = 200  # characters; file systems take 255 bytes


def is_name(text: str) -> bool:
    """Whether a bundle, a label or a file of a bundle may have this name."""
    return text.isprintable() and 1 <= len(text) <= LONGEST_NAME


def parse_labels(text: str) -> tuple[LabelDetails, ...]:
    """The labels in `text`: "liver,spleen", or the path of a JSON file (.json). See `read_labels`."""
    if text.lower().endswith(".json"):
        return read_labels(Path(text))
    return _checked([LabelDetails(name.strip()) for name in text.split(",")], "The list of labels")


def read_labels(path: Path) -> tuple[LabelDetails, ...]:
    """The labels in a JSON file: a list of names, or of objects with the fields of `LabelDetails`.

    They are in the order of their values, from 1. A background at the beginning, of value 0, is left out.
    Raises InputError.
    """
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # ValueError: no UTF-8, or no JSON
        raise InputError(f"{path} cannot be read as JSON: {error}; give a list of labels.") from error
    if not isinstance(document, list):
        raise InputError(f"{path} holds {shown(document)}, expected a list of labels.")
    try:
        found = [
            LabelDetails(item) if isinstance(item, str) else decode(LabelDetails, item, f"label {index}")
            for index, item in enumerate(document, 1)
        ]
    except BundleError as error:
        reason = str(error).removeprefix("manifest.json: ").rpartition("; ")[0]
        raise InputError(
            f'{path}: {reason}; give each label as a name, or as {{"name": "liver", "colour": "#ff5a52", '
            '"type": {"code": "10200004", "meaning": "Liver"}}.'
        ) from error
    return _checked(found, str(path))


def write_labels(path: Path, labels: Sequence[LabelDetails]) -> None:
    """Write a file that `read_labels` reads. Raises OSError."""
    document = [dataclasses.asdict(each) for each in labels]
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")


def _checked(labels: list[LabelDetails], where: str) -> tuple[LabelDetails, ...]:
    """`labels` without the background. Raises InputError if they cannot be those of a bundle."""
    if labels and canonical(labels[0].name) == BACKGROUND:
        labels = labels[1:]
    names = [each.name for each in labels]
    if not 1 <= len(names) <= MOST:
        raise InputError(f"{where} has {len(names)} labels beside the background, expected 1 to {MOST}.")
    for each in labels:
        if not is_name(each.name) or "," in each.name:
            raise InputError(
                f"{where} has the name {shown(each.name)}, expected 1 to {LONGEST_NAME} printable characters "
                "without a comma."
            )
        if canonical(each.name) == BACKGROUND:
            raise InputError(f"{where} has the background after other labels, expected it first, or not.")
        if fault := each.fault():
            raise InputError(f"{where}: label {shown(each.name)} has {fault}.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{where} names {listed(twice)} more than once; give each label its own name.")
    return tuple(labels)
