"""Implicit shapes: each has, for points in mm, an approximate signed distance in mm (negative inside)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Point = tuple[float, float, float]


class Shape(Protocol):
    """A closed surface. `bounds` is an axis-aligned box around it in mm, (x, y, z) low and (x, y, z) high."""

    @property
    def bounds(self) -> tuple[Point, Point]: ...

    def distance(self, x: Floats, y: Floats, z: Floats) -> Floats: ...


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid with semi-axes `radii`, rotated by `angles` (radians about x, then y, then z)."""

    center: Point
    radii: Point
    angles: Point = (0.0, 0.0, 0.0)

    @property
    def bounds(self) -> tuple[Point, Point]:
        rotation = rotation_matrix(self.angles)
        reach = np.sqrt((rotation**2) @ (np.asarray(self.radii) ** 2))
        center = np.asarray(self.center)
        return _point(center - reach), _point(center + reach)

    def distance(self, x: Floats, y: Floats, z: Floats) -> Floats:
        px, py, pz = x - _f(self.center[0]), y - _f(self.center[1]), z - _f(self.center[2])
        if any(self.angles):
            r = rotation_matrix(self.angles).astype(np.float32)
            px, py, pz = (r[0, i] * px + r[1, i] * py + r[2, i] * pz for i in range(3))
        near = far = np.float32(0)
        for p, radius in zip((px, py, pz), self.radii, strict=True):
            q = p * _f(1.0 / radius)
            near = near + q * q
            q = q * _f(1.0 / radius)
            far = far + q * q
        k = np.sqrt(near)
        # First-order distance: value over gradient.
        return k * (k - 1) / np.sqrt(far + np.float32(1e-12))


@dataclass(frozen=True)
class Tube:
    """A tube along a polyline with a radius at each point, linear in between. `flatten` squeezes it along y
    (2 is half as deep).
    """

    points: tuple[Point, ...]
    radii: tuple[float, ...]
    flatten: float = 1.0

    @property
    def bounds(self) -> tuple[Point, Point]:
        points, reach = np.asarray(self.points), np.asarray(self.radii)[:, None]
        return _point((points - reach).min(0)), _point((points + reach).max(0))

    def distance(self, x: Floats, y: Floats, z: Floats) -> Floats:
        best: Floats | None = None
        squeeze = _f(self.flatten)
        for (ax, ay, az), (bx, by, bz), ra, rb in zip(
            self.points, self.points[1:], self.radii, self.radii[1:], strict=False
        ):
            dx, dy, dz = bx - ax, by - ay, bz - az
            length = dx * dx + dy * dy + dz * dz
            px, py, pz = x - _f(ax), y - _f(ay), z - _f(az)
            t = np.clip((px * _f(dx) + py * _f(dy) + pz * _f(dz)) * _f(1.0 / length), 0, 1)
            px, py, pz = px - t * _f(dx), (py - t * _f(dy)) * squeeze, pz - t * _f(dz)
            d = np.sqrt(px * px + py * py + pz * pz) - (_f(ra) + t * _f(rb - ra))
            best = d if best is None else smooth_minimum(best, d, 4.0)
        if best is None:
            raise ValueError("a tube needs at least two points")
        return best


@dataclass(frozen=True)
class Union:
    """Shapes joined smoothly; `blend` mm is the width of the seam."""

    shapes: tuple[Shape, ...]
    blend: float = 10.0

    @property
    def bounds(self) -> tuple[Point, Point]:
        low, high = zip(*(shape.bounds for shape in self.shapes), strict=True)
        margin = self.blend / 4  # the most that the seam adds outwards
        return _point(np.min(low, 0) - margin), _point(np.max(high, 0) + margin)

    def distance(self, x: Floats, y: Floats, z: Floats) -> Floats:
        result = self.shapes[0].distance(x, y, z)
        for shape in self.shapes[1:]:
            result = smooth_minimum(result, shape.distance(x, y, z), self.blend)
        return result


@dataclass(frozen=True)
class Difference:
    """`whole` without `bites`, with the rim rounded by `blend` mm."""

    whole: Shape
    bites: tuple[Shape, ...]
    blend: float = 8.0

    @property
    def bounds(self) -> tuple[Point, Point]:
        return self.whole.bounds

    def distance(self, x: Floats, y: Floats, z: Floats) -> Floats:
        result = self.whole.distance(x, y, z)
        for bite in self.bites:
            result = -smooth_minimum(-result, bite.distance(x, y, z), self.blend)
        return result


def smooth_minimum(a: Floats, b: Floats, width: float) -> Floats:
    """The polynomial smooth minimum of two distances.

    It is the minimum where they differ by more than `width` mm.
    """
    h = np.maximum(np.float32(width) - np.abs(a - b), 0)
    return np.minimum(a, b) - h * h * _f(0.25 / width)


def rotation_matrix(angles: Sequence[float]) -> NDArray[np.float64]:
    """The rotation by `angles` (radians about x, then y, then z)."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles), np.sin(angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    # einsum instead of @, because BLAS would give other bits on another machine.
    return np.einsum("ij,jk,kl->il", about_z, about_y, about_x)


def _point(values: NDArray[np.float64]) -> Point:
    x, y, z = (float(value) for value in values)
    return x, y, z


def _f(value: float) -> np.float32:
    return np.float32(value)
