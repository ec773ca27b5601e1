"""Where each frame lies and how its values become HU, alike for one file per slice and for enhanced CT.

Source: DICOM PS3.3, C.7.6.2 (Image Plane), C.7.6.16 (Multi-frame Functional Groups), C.11.1 (Modality LUT).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom import Dataset

from ...errors import InputError
from .files import Instance


@dataclass(frozen=True, eq=False)
class Frame:
    """One slice. What its header lacks, or what is no finite number, is None.

    Attributes:
        instance, index: its file, and its number in that file.
        size: (columns, rows).
        position: (x, y, z) in mm of the centre of the first pixel, in LPS.
        orientation: the directions of the rows and of the columns, 2 × (x, y, z).
        spacing: between rows and between columns, in mm.
        slope, intercept: HU = slope × stored value + intercept.
        rescale_type: the unit of the rescaled values; "" and "HU" are HU.
        localizer: whether it is an overview for planning and not part of the volume.
    """

    instance: Instance
    index: int
    size: tuple[int, int]
    position: np.ndarray | None
    orientation: np.ndarray | None
    spacing: np.ndarray | None
    slope: float | None
    intercept: float | None
    rescale_type: str
    localizer: bool


def frames_of(instance: Instance) -> list[Frame]:
    """The frames of one file. Raises InputError if it has several without a description of each."""
    header = instance.header
    own = value(header, "PerFrameFunctionalGroupsSequence") or ()
    shared = value(header, "SharedFunctionalGroupsSequence") or ()
    count = max(_whole(header, "NumberOfFrames", 1), 1)
    if count > 1 and len(own) < count:
        raise InputError(
            f"{instance.file} has {count} frames, but describes {len(own)}; export the series as "
            "enhanced CT, or as one file per slice."
        )
    return [_frame(instance, index, (*own[index : index + 1], *shared[:1])) for index in range(count)]


def value(dataset: Dataset, keyword: str) -> Any:
    """The value of an element; None if it is missing, empty or malformed."""
    try:
        found = dataset.get(keyword)
    except Exception:  # pydicom raises errors of many kinds for a malformed value
        return None
    return None if isinstance(found, str) and not found.strip() else found


def _frame(instance: Instance, index: int, groups: Sequence[Dataset]) -> Frame:
    """`groups`: the functional groups of the frame, its own before those that all frames share."""
    header = instance.header

    def group(sequence: str) -> Dataset:
        """A functional group, or the header, which has its elements in a file of one frame."""
        found = (value(each, sequence) for each in groups)
        return next((items[0] for items in found if items), header)

    rescale = group("PixelValueTransformationSequence")
    image_type = value(group("CTImageFrameTypeSequence"), "FrameType") or value(header, "ImageType") or ()
    spacing = _numbers(group("PixelMeasuresSequence"), "PixelSpacing", 2)
    slope, intercept = (_numbers(rescale, f"Rescale{name}", 1) for name in ("Slope", "Intercept"))
    return Frame(
        instance=instance,
        index=index,
        size=(_whole(header, "Columns", 0), _whole(header, "Rows", 0)),
        position=_numbers(group("PlanePositionSequence"), "ImagePositionPatient", 3),
        orientation=_numbers(group("PlaneOrientationSequence"), "ImageOrientationPatient", 6),
        spacing=None if spacing is None or min(spacing) <= 0 else spacing,
        slope=None if slope is None else float(slope[0]),
        intercept=None if intercept is None else float(intercept[0]),
        rescale_type=str(value(rescale, "RescaleType") or ""),
        localizer="LOCALIZER" in [str(part).upper() for part in image_type][2:3],
    )


def _numbers(dataset: Dataset, keyword: str, count: int) -> np.ndarray | None:
    try:
        numbers = np.array(value(dataset, keyword), np.float64).ravel()
    except (TypeError, ValueError):
        return None
    return numbers if len(numbers) == count and np.isfinite(numbers).all() else None


def _whole(header: Dataset, keyword: str, default: int) -> int:
    numbers = _numbers(header, keyword, 1)
    return default if numbers is None else int(numbers[0])
