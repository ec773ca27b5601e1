"""Where each frame lies and how its values become HU, alike for one file per slice and for enhanced CT.

Source: DICOM PS3.3, C.7.6.2 (Image Plane), C.7.6.16 (Multi-frame Functional Groups), C.11.1 (Modality LUT).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydicom import Dataset

from ...errors import InputError
from .elements import has, items, numbers, text, texts, whole
from .files import Instance, bytes_at_hand

_LEAST_FRAME = 64  # bytes of the smallest frame, whatever compresses it
_PLACE_DIGITS = 2  # positions in mm that agree to so many decimals are one


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
        rescaled: whether its header has a slope or an intercept, understood or not.
        rescale_type: the unit of the rescaled values; "" and "HU" are HU.
        localizer: whether it is an overview for planning and not part of the volume.
        acquisition: what tells acquisitions in one series apart.
    """

    instance: Instance
    index: int
    size: tuple[int, int]
    position: np.ndarray | None
    orientation: np.ndarray | None
    spacing: np.ndarray | None
    slope: float | None
    intercept: float | None
    rescaled: bool
    rescale_type: str
    localizer: bool
    acquisition: tuple[str, ...]

    @property
    def file(self) -> str:
        """The name of its file."""
        return self.instance.file.name

    @property
    def place(self) -> tuple[float, ...] | None:
        """The position, rounded, so that slices at one position have one place."""
        return None if self.position is None else tuple(self.position.round(_PLACE_DIGITS))


def frames_of(instance: Instance) -> list[Frame]:
    """The frames of one file. Raises InputError if it has several without a description of each."""
    header = instance.header
    own = items(header, "PerFrameFunctionalGroupsSequence")
    shared = items(header, "SharedFunctionalGroupsSequence")
    count = frame_count(header)
    if count * _LEAST_FRAME > bytes_at_hand(instance.file):
        raise InputError(
            f"{instance.file} announces {count:,} frames, more than a file of its size can hold; copy it "
            "again."
        )
    if (count > 1 or own) and len(own) != count:
        raise InputError(
            f"{instance.file} has {count} frames, but describes {len(own)}; export the series as enhanced CT "
            "again, or as one file per slice."
        )
    return [_frame(instance, index, (*own[index : index + 1], *shared[:1])) for index in range(count)]


def frame_count(header: Dataset) -> int:
    """The number of frames that a header announces."""
    return max(whole(header, "NumberOfFrames") or 1, 1)


def _frame(instance: Instance, index: int, groups: Sequence[Dataset]) -> Frame:
    """`groups`: the functional groups of the frame, its own before those that all frames share."""
    header = instance.header

    def group(sequence: str) -> Dataset:
        """A functional group, or the header, which has its elements in a file of one frame."""
        found = (items(each, sequence) for each in groups)
        return next((listed[0] for listed in found if listed), header)

    rescale, content = group("PixelValueTransformationSequence"), group("FrameContentSequence")
    image_type = texts(group("CTImageFrameTypeSequence"), "FrameType") or texts(header, "ImageType")
    spacing = numbers(group("PixelMeasuresSequence"), "PixelSpacing", 2)
    slope, intercept = (numbers(rescale, f"Rescale{name}", 1) for name in ("Slope", "Intercept"))
    return Frame(
        instance=instance,
        index=index,
        size=(whole(header, "Columns") or 0, whole(header, "Rows") or 0),
        position=numbers(group("PlanePositionSequence"), "ImagePositionPatient", 3),
        orientation=numbers(group("PlaneOrientationSequence"), "ImageOrientationPatient", 6),
        spacing=None if spacing is None or min(spacing) <= 0 else spacing,
        slope=None if slope is None else float(slope[0]),
        intercept=None if intercept is None else float(intercept[0]),
        rescaled=slope is not None or has(rescale, "RescaleSlope") or has(rescale, "RescaleIntercept"),
        rescale_type=text(rescale, "RescaleType"),
        localizer="LOCALIZER" in [part.upper() for part in image_type[2:3]],
        acquisition=(
            text(header, "AcquisitionNumber"),
            text(content, "FrameAcquisitionNumber"),
            text(content, "TemporalPositionIndex"),
            text(content, "StackID"),
        ),
    )
