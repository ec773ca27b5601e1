"""Where an image lies in space, and the strided view of its voxels along LPS axes.

LPS (left, posterior, superior) is the frame of DICOM and SimpleITK. An oblique image is treated as if it lay
along the nearest axes (docs/reference-pipeline.md). No voxel is copied or resampled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import permutations
from typing import TYPE_CHECKING, Union

import numpy as np

from ..errors import InputError
from ..triples import Size, Slices, Triple, triple
from .wording import excerpt

if TYPE_CHECKING:
    import SimpleITK as sitk
    from nibabel.nifti1 import Nifti1Header
    from nibabel.spm2analyze import Spm2AnalyzeHeader

Header = Union["Nifti1Header", "Spm2AnalyzeHeader", Mapping[str, str]]

LPS: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

_TOWARDS = {"L": (0, 1), "R": (0, -1), "P": (1, 1), "A": (1, -1), "S": (2, 1), "I": (2, -1)}


def direction_of(code: str) -> tuple[float, ...]:
    """The direction cosines of three letters, which say where the axes x, y and z run.

    They are L(eft) or R(ight), P(osterior) or A(nterior), S(uperior) or I(nferior). Raises InputError.
    """
    axes = [_TOWARDS[letter] for letter in code.upper() if letter in _TOWARDS]
    if len(code) != 3 or sorted(axis for axis, _ in axes) != [0, 1, 2]:
        raise InputError(
            f"The orientation is {excerpt(code)}, expected three letters, such as LPS: where the axes x, y "
            "and z run, L or R, P or A, S or I."
        )
    direction = np.zeros((3, 3))
    for column, (row, sign) in enumerate(axes):
        direction[row, column] = sign
    return tuple(direction.ravel().tolist())


@dataclass(frozen=True)
class Geometry:
    """Size in voxels, spacing and origin in mm, direction cosines (3×3, row by row), all in (x, y, z).

    `header` is what says so in the file of the scan: the header of NIfTI or Analyze, or the fields of NRRD. A
    label map in the same format says the same. `spacing_known` is False if the file has no spacing.
    """

    size: Size
    spacing: Triple
    origin: Triple = (0.0, 0.0, 0.0)
    direction: tuple[float, ...] = LPS
    header: Header | None = field(default=None, compare=False, repr=False)
    spacing_known: bool = True

    @classmethod
    def of(cls, image: sitk.Image) -> Geometry:
        """The geometry of a 3-D SimpleITK image."""
        return cls(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())

    def put_on(self, image: sitk.Image) -> None:
        """Give `image` this spacing, origin and direction, to the last bit."""
        image.SetSpacing(self.spacing)
        image.SetOrigin(self.origin)
        image.SetDirection(self.direction)

    @cached_property
    def image_axis_of(self) -> tuple[int, int, int]:
        """For L, P, S: the image axis (0 = x) nearest to it. Always a permutation, at 45° as well."""
        closeness = np.abs(np.reshape(self.direction, (3, 3)))
        best = max(permutations(range(3)), key=lambda axes: sum(closeness[i, a] for i, a in enumerate(axes)))
        return best[0], best[1], best[2]

    @cached_property
    def flipped(self) -> tuple[bool, bool, bool]:
        """For L, P, S: whether the index of the image axis grows in the opposite direction."""
        matrix = np.reshape(self.direction, (3, 3))
        x, y, z = (bool(matrix[i, axis] < 0) for i, axis in enumerate(self.image_axis_of))
        return x, y, z

    @property
    def lps_size(self) -> Size:
        """Size in voxels along (z, y, x) of the view."""
        x, y, z = (self.size[axis] for axis in self.image_axis_of)
        return z, y, x

    @property
    def lps_spacing(self) -> Triple:
        """Spacing in mm along (z, y, x) of the view."""
        x, y, z = (self.spacing[axis] for axis in self.image_axis_of)
        return z, y, x

    def lps_view(self, array: np.ndarray) -> np.ndarray:
        """View of `array` [z, y, x] in the image's own axes, as [z, y, x] along LPS axes."""
        x, y, z = (2 - axis for axis in self.image_axis_of)
        flips = tuple(slice(None, None, -1 if flip else 1) for flip in reversed(self.flipped))
        return array.transpose(z, y, x)[flips]

    def position(self, index: Sequence[float]) -> Triple:
        """Where the index (z, y, x) in the view is in the coordinates of the patient: (x, y, z) in mm."""
        own = [0.0] * 3
        for lps, (axis, flip) in enumerate(zip(self.image_axis_of, self.flipped, strict=True)):
            own[axis] = self.size[axis] - 1 - index[2 - lps] if flip else index[2 - lps]
        return triple(self.origin + np.reshape(self.direction, (3, 3)) @ np.multiply(own, self.spacing))

    def own_slices(self, start: Sequence[int], stop: Sequence[int]) -> Slices:
        """The half-open voxel range [start, stop) of the LPS view, (z, y, x), as slices of the array."""
        slices = [slice(None)] * 3
        for lps, (axis, flip) in enumerate(zip(self.image_axis_of, self.flipped, strict=True)):
            length = self.size[axis]
            first, last = int(start[2 - lps]), int(stop[2 - lps])
            slices[2 - axis] = slice(length - last, length - first) if flip else slice(first, last)
        return slices[0], slices[1], slices[2]
