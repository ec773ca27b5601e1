"""Recognition of a 3-D upsampling by what it computes.

One random volume shows whether two linear operators L and U on volumes are equal: L(v) = U(v) for a v drawn
from a continuous distribution means L = U, except for a set of v of measure zero. So a region is compared
with the wanted upsampling on one random volume per size. Sizes below and above the reach of its edges are
enough for all sizes (see `_regions.reach`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from ._regions import LARGEST_OFFSET, Region, RegionRunner, linear_regions, reach, region_nodes

TOLERANCE = 1e-5
"""Share of the largest input value, for float32 rounding; a wrong weight changes at least 1e-3."""

ENDS = frozenset({"Concat", "Reshape", "Transpose"})
"""Operators that an upsampling can end in, because they interleave its phases."""


@dataclass(frozen=True)
class Upsampling:
    """A half-pixel upsampling by `factor` along z, y and x, with the edge repeated.

    `kernel`: weight of an input voxel by its distance in input voxels, up to `support`. `smallest`: smallest
    size that is compared, because shifts by more voxels than an axis has cannot be written as slices.
    """

    factor: int
    kernel: Callable[[float], float]
    support: int
    smallest: int

    def matrix(self, size: int) -> np.ndarray:
        """The operator along one axis: float64 [factor·size, size]."""
        matrix = np.zeros((self.factor * size, size))
        for out in range(self.factor * size):
            position = (out + 0.5) / self.factor - 0.5
            first = int(np.floor(position)) - self.support + 1
            for index in range(first, first + 2 * self.support):
                matrix[out, min(max(index, 0), size - 1)] += self.kernel(index - position)
        return matrix

    def __call__(self, volume: np.ndarray) -> np.ndarray:
        """Upsample [n, c, z, y, x], in float64."""
        z, y, x = (self.matrix(size) for size in volume.shape[2:])
        return np.einsum("Zz,Yy,Xx,nczyx->ncZYX", z, y, x, volume.astype(np.float64), optimize=True)

    def computed_by(self, region: Region) -> bool:
        """Whether the region computes this upsampling."""
        if region.channels is None or reach(region) is None:
            return False
        runner = RegionRunner(region)
        least, large = self.smallest, 2 * LARGEST_OFFSET + 1
        sizes = [(least, least + 1, least + 2), (least + 2, least, least + 3), (least + 4, least + 5, least)]
        sizes += [(large, least, 5), (5, large, least), (least, 5, large)]
        generator = np.random.default_rng(0)
        return all(
            self._agrees(runner, generator.standard_normal((1, region.channels, *size), np.float32))
            for size in sizes
        )

    def _agrees(self, runner: RegionRunner, volume: np.ndarray) -> bool:
        found = runner(volume)
        expected_shape = (*volume.shape[:2], *(self.factor * size for size in volume.shape[2:]))
        if found is None or found.shape != expected_shape:
            return False
        return bool(np.abs(found - self(volume)).max() <= TOLERANCE * np.abs(volume).max())


def replace_upsamplings(
    model: ir.Model, upsampling: Upsampling, build: Callable[[ir.Value, int], list[ir.Node]]
) -> int:
    """Replace each region that computes `upsampling` by the nodes of `build(source, channels)`.

    Returns the number of regions replaced. Of the regions with one result, the largest is replaced, so that
    it holds all three axes.
    """
    replaced = 0
    order = {node: position for position, node in enumerate(model.graph)}
    done: set[ir.Node] = set()
    for node in reversed(list(model.graph)):
        if node.op_type not in ENDS or node in done:
            continue
        regions = list(linear_regions(node.outputs[0], order))
        for region in reversed(regions):
            if not upsampling.computed_by(region):
                continue
            channels = region.channels
            assert channels is not None
            done.update(region_nodes(region))
            nodes = build(region.source, channels)
            model.graph.insert_after(node, nodes)
            _take_over(region.result, nodes[-1].outputs[0])
            replaced += 1
            break
    return replaced


def _take_over(old: ir.Value, new: ir.Value) -> None:
    """Replace all uses of `old`, including those as an output of the graph, by `new`."""
    new.type, new.shape = old.type, old.shape
    ir.convenience.replace_all_uses_with(old, new, replace_graph_outputs=True)
