"""One slab of the phantom while it is painted: body coordinates, HU and label of each voxel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .shapes import Floats, Shape

Axes = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


@dataclass
class Canvas:
    """Arrays are [z, y, x]. `x`, `y` and `z` are body coordinates in mm after all deformation. `axes` has the
    coordinates before it, as one vector per axis (x, y, z). `warp` bounds the deformation in mm. `softness`
    is the width in mm over which a surface fades (partial volume). `texture` is a smooth field with standard
    deviation 1.
    """

    x: Floats
    y: Floats
    z: Floats
    axes: Axes
    warp: float
    softness: float
    texture: Floats
    hu: Floats
    labels: NDArray[np.uint8]

    def window(self, shape: Shape, margin: float) -> tuple[slice, slice, slice] | None:
        """The voxels (z, y, x slices) that may be nearer than `margin` mm to the shape, None without any."""
        slices = []
        reach = margin + self.warp + self.softness
        for axis, low, high in zip(self.axes, *shape.bounds, strict=True):
            start, stop = np.searchsorted(axis, [low - reach, high + reach])
            if start >= stop:
                return None
            slices.append(slice(int(start), int(stop)))
        return slices[2], slices[1], slices[0]

    def paint(
        self,
        shape: Shape,
        hu: float,
        *,
        label: int = 0,
        texture: float = 0.0,
        shell: float = 0.0,
        shell_hu: float = 0.0,
        within: Floats | None = None,
        only_in: int | None = None,
    ) -> None:
        """Fill `shape` with `hu` (plus `texture` HU of the smooth field) and `label`.

        A shell of `shell` mm around it gets `shell_hu` and no label. `within` is a signed distance over the
        whole slab that cuts the shape. With `only_in`, only voxels that have this label are painted.
        """
        window = self.window(shape, shell)
        if window is None:
            return
        distance = shape.distance(self.x[window], self.y[window], self.z[window])
        if within is not None:
            distance = np.maximum(distance, within[window])
        if only_in is not None:
            distance = np.where(self.labels[window] == only_in, distance, np.float32(self.softness))
        if shell > 0.0:
            self._fill(window, distance - np.float32(shell), np.float32(shell_hu), 0)
        value = np.float32(hu) + np.float32(texture) * self.texture[window] if texture else np.float32(hu)
        self._fill(window, distance, value, label)

    def fill(self, distance: Floats, hu: Floats | float) -> None:
        """Fill where `distance`, over the whole slab, is negative. Sets no label."""
        self._fill((slice(None),) * 3, distance, np.float32(hu) if isinstance(hu, float) else hu, 0)

    def _fill(
        self, window: tuple[slice, slice, slice], distance: Floats, hu: Floats | np.float32, label: int
    ) -> None:
        share = np.clip(np.float32(0.5) - distance * np.float32(1.0 / self.softness), 0, 1)
        self.hu[window] += share * (hu - self.hu[window])
        self.labels[window][distance < 0] = label
