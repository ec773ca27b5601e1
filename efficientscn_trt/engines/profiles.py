"""Optimization profiles: the sizes that an engine takes and the one that it is tuned for."""

from __future__ import annotations

from collections.abc import Sequence

from ..bundle import LocalizationParameters, PipelineParameters, Profile, SegmentationParameters
from ..triples import Size

TYPICAL_MM = {"localization": (300.0, 410.0, 410.0), "segmentation": (190.0, 250.0, 310.0)}
"""Extent (z, y, x) of a network's typical input: an abdominal scan of 512×512×120 voxels of 0.8×0.8×2.5 mm,
and a box of organs with margins. Engines are tuned for this extent; all valid sizes run."""


def profile_for(network: str, pipeline: PipelineParameters) -> Profile:
    """The profile of `network` from the valid sizes in the manifest: smallest, typical and largest."""
    stage: LocalizationParameters | SegmentationParameters = getattr(pipeline, network)
    extents = TYPICAL_MM[network]
    return Profile(
        min=_triple([min(sizes) for sizes in stage.valid_sizes]),
        opt=_triple(
            [
                _valid(sizes, extent / stage.spacing_mm)
                for sizes, extent in zip(stage.valid_sizes, extents, strict=True)
            ]
        ),
        max=_triple([max(sizes) for sizes in stage.valid_sizes]),
    )


def _valid(sizes: Sequence[int], voxels: float) -> int:
    """The smallest size that is larger than `voxels`, else the largest (docs/reference-pipeline.md)."""
    return min((size for size in sizes if size > voxels), default=max(sizes))


def _triple(values: Sequence[int]) -> Size:
    z, y, x = values
    return z, y, x
