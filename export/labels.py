"""The labels of a segmentation network: who names them, and what they are in DICOM's codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from efficientscn_trt.bundle.label_list import read_labels, write_labels
from efficientscn_trt.errors import ExportError
from efficientscn_trt.io.label_details import LabelDetails
from efficientscn_trt.io.segments import Concept
from efficientscn_trt.io.wording import counted, listed
from efficientscn_trt.organs.naming import words_of

from .savedmodel import SavedModel

RELEASED = ("liver", "kidneys", "spleen", "pancreas")
"""Labels of the released segmentation network but the background, in the order of its channels."""

NAMES_FILE = Path("assets.extra", "labels.json")
"""Where a SavedModel keeps the names: TensorFlow leaves this folder to others."""

_ANATOMY, _LATERALITY = 7192, 244  # context groups of DICOM PS3.16
_BOTH = Concept("51440002", "Right and left")
_PAIRED = ("adrenalgland", "clavicle", "femur", "humerus", "kidney", "lung", "ovary", "scapula", "testis")
"""Structures on both sides of the body, whose plural means both; a plural of others may mean several."""


@dataclass(frozen=True)
class NamedLabels:
    """The labels but the background, from value 1. `origin`: a sentence on who named them.

    `known`: whether somebody did.
    """

    labels: tuple[LabelDetails, ...]
    origin: str
    known: bool = True


def labels_of(saved: SavedModel, given: Sequence[LabelDetails] | None) -> NamedLabels:
    """The labels of the channels of `saved`: those `given`, else those that the SavedModel names.

    Without either, a network of five channels has the labels of the released one, and another has numbers.
    Raises ExportError if there are not as many as channels beside the background.
    """
    count = saved.labels - 1
    file = saved.path / NAMES_FILE
    if given is not None:
        found = NamedLabels(tuple(given), "They were given.")
    elif file.is_file():
        found = NamedLabels(read_labels(file), f"{file} names them.")
    elif count == len(RELEASED):
        released = tuple(map(LabelDetails, RELEASED))
        found = NamedLabels(released, "They are those of the released network; --labels gives others.")
    else:
        first = " The first channel is taken for the background." if saved.background else ""
        numbers = tuple(LabelDetails(f"label {value}") for value in range(1, count + 1))
        found = NamedLabels(numbers, f"No names were given; --labels gives them.{first}", known=False)
    if len(found.labels) != count:
        names = listed(each.name for each in found.labels)
        channels = f"{saved.channels} channels, the background and {counted(count, 'label')}"
        hint = " If the first channel is not the background, say --no-background."
        if not saved.background:
            channels, hint = f"{counted(count, 'channel')} without the background", ""
        raise ExportError(
            f"The segmentation SavedModel {saved.path} returns {channels}, but {len(found.labels)} are "
            f"named: {names}; name each once, in the order of the channels.{hint}"
        )
    return replace(found, labels=tuple(map(with_concepts, found.labels)))


def write_names(folder: Path, labels: Sequence[LabelDetails]) -> None:
    """Keep the names of `labels` in the SavedModel in `folder`. Raises OSError."""
    file = folder / NAMES_FILE
    file.parent.mkdir(exist_ok=True)
    write_labels(file, labels)


def with_concepts(label: LabelDetails) -> LabelDetails:
    """`label` with DICOM's codes for the structure and the side that its name says, if it has none yet.

    Source: DICOM PS3.16, CID 7192 and CID 244, as pydicom has them.
    """
    if label.type:
        return label
    words = words_of(label.name)
    sides = [concept for word in words if (concept := _concepts(_LATERALITY).get(word))]
    structure = "".join(word for word in words if word not in _concepts(_LATERALITY))
    anatomy = _concepts(_ANATOMY)
    if found := anatomy.get("".join(words)):
        return replace(label, type=found)
    if sides and (found := anatomy.get(structure)):
        return replace(label, type=found, modifier=label.modifier or sides[0])
    one = structure.removesuffix("s")
    if not sides and (found := anatomy.get(one)):
        return replace(label, type=found, modifier=label.modifier or (_BOTH if one in _PAIRED else None))
    return label


@cache
def _concepts(group: int) -> dict[str, Concept]:
    """The concepts of a context group by their meaning, in small letters without spaces."""
    from pydicom.sr.codedict import Collection

    return {
        "".join(words_of(code.meaning)): Concept(code.value, code.meaning, code.scheme_designator)
        for code in Collection(f"CID{group}").concepts.values()
    }
