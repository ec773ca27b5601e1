"""A case as the networks see it: resampled once by inference's core, kept on disk, sampled by `augment`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from efficientscn_trt import _core
from efficientscn_trt.bundle import LocalizationParameters, PipelineParameters, SegmentationParameters
from efficientscn_trt.bundle.core_parameters import CoreParameters
from efficientscn_trt.errors import InputError
from efficientscn_trt.io.atomic import replacing
from efficientscn_trt.pipeline.host_stages import HostStages
from efficientscn_trt.triples import Triple

# Values in [−1, 1] are kept as 16-bit integers in steps of 1/16384, an eighth of a HU.
STEP = 1.0 / 16384.0
# The margin kept around the labels. On each side, inference adds 10 mm and up to 32 mm to reach a valid size;
# the rest is for translation and rotation.
MARGIN_MM = 56.0
KEPT_SIZES = tuple(range(8, 1025, 8))
RELEASED = PipelineParameters()
SPACING_MM = RELEASED.segmentation.spacing_mm


@dataclass(frozen=True)
class RawCase:
    """A scan along LPS axes.

    `hu` and `labels`: [z, y, x]. `spacing`: (z, y, x) in mm. `known`: annotated foreground labels.
    """

    hu: NDArray[np.generic]
    labels: NDArray[np.uint8]
    spacing: Triple
    known: tuple[int, ...]


@dataclass(frozen=True)
class PreparedCase:
    """A case resampled to the spacing of a network.

    `values` int16 in units of `STEP` and `labels` uint8, both [z, y, x]; isotropic `spacing` in mm;
    `known`: annotated foreground labels; `outside`: the value beyond the array, in [−1, 1].
    """

    values: NDArray[np.int16]
    labels: NDArray[np.uint8]
    spacing: float
    known: tuple[int, ...]
    outside: float

    @cached_property
    def box(self) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        """First and last + 1 voxel (z, y, x) of all labels; the whole array if there are none."""
        (z0, z1), (y0, y1), (x0, x1) = (
            (int(hit[0]), int(hit[-1]) + 1) if len(hit) else (0, length)
            for hit, length in zip(_extent(self.labels), self.labels.shape, strict=True)
        )
        return (z0, y0, x0), (z1, y1, x1)

    def save(self, path: Path) -> None:
        """Write an .npz file, atomically."""
        with replacing(path) as temporary, open(temporary, "wb") as file:
            np.savez(
                file,
                values=self.values,
                labels=self.labels,
                spacing=self.spacing,
                known=np.asarray(self.known, np.int64),
                outside=self.outside,
            )

    @classmethod
    def load(cls, path: Path) -> PreparedCase:
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            return cls(
                arrays["values"],
                arrays["labels"],
                float(arrays["spacing"]),
                tuple(int(label) for label in arrays["known"]),
                float(arrays["outside"]),
            )


Prepare = Callable[[RawCase], PreparedCase]


def prepare_localization(case: RawCase) -> PreparedCase:
    """The whole scan as the localization network sees it, padded; label 1 where organs fill half a voxel."""
    parameters = RELEASED.localization
    stages = _localization_stages(case, parameters)
    values = stages.localization_input(case.hu)
    share = replace(parameters, intensity_scale=1.0, intensity_min=0.0, padding_hu=0.0)
    organs = np.isin(case.labels, case.known).astype(np.uint8)
    labels = _localization_stages(case, share).localization_input(organs) >= 0.5
    return PreparedCase(
        _quantize(values),
        labels.astype(np.uint8),
        float(stages.localization.spacing[0]),
        (1,),
        parameters.padding_hu / parameters.intensity_scale,
    )


def prepare_segmentation(case: RawCase, spacing_mm: float = SPACING_MM) -> PreparedCase:
    """All labels and `MARGIN_MM` around them, at the spacing that inference uses for their box.

    That is `spacing_mm`, or more if the box is too large for it. Each voxel has the label that fills most of
    it. Raises InputError if the case has no label.
    """
    inference = segmentation_parameters(spacing_mm)
    low, high = _box(case)
    margin = RELEASED.localization.box_margin_mm
    box = _grown(low, high, margin)
    plan = _core.plan_segmentation(case.hu.shape, case.spacing, box, _for_core(inference))
    spacing = float(plan.spacing[0])

    parameters = replace(RELEASED.segmentation, spacing_mm=spacing, valid_sizes=(KEPT_SIZES,) * 3)
    kept = _for_core(parameters)
    plan = _core.plan_segmentation(case.hu.shape, case.spacing, _grown(low, high, MARGIN_MM), kept)
    values = _core.segmentation_input(case.hu, case.spacing, plan, kept)

    share = _for_core(replace(parameters, smoothing_sigma_mm=0.0, intensity_scale=1.0, intensity_min=0.0))
    background, best = np.ones(values.shape, np.float32), np.zeros(values.shape, np.float32)
    labels = np.zeros(values.shape, np.uint8)
    for label in case.known:
        part = _core.segmentation_input((case.labels == label).astype(np.uint8), case.spacing, plan, share)
        background -= part
        labels[part > best] = label
        np.maximum(best, part, out=best)
    labels[best < background] = 0
    return PreparedCase(
        _quantize(values), labels, spacing, case.known, parameters.outside_hu / parameters.intensity_scale
    )


def segmentation_parameters(spacing_mm: float) -> SegmentationParameters:
    """The parameters of inference for an SCN trained at `spacing_mm`.

    Its `spacing_threshold` is as far below `spacing_mm` as the released 1.9 mm is below 2 mm.
    """
    released = RELEASED.segmentation
    below = released.spacing_mm - released.spacing_threshold
    return replace(released, spacing_mm=spacing_mm, spacing_threshold=spacing_mm - below)


def _localization_stages(case: RawCase, parameters: LocalizationParameters) -> HostStages:
    core = CoreParameters.of(replace(RELEASED, localization=parameters))
    return HostStages(case.hu.shape, case.spacing, core)


def _for_core(parameters: SegmentationParameters) -> _core.SegmentationParameters:
    return CoreParameters.of(replace(RELEASED, segmentation=parameters)).segmentation


def _extent(mask: NDArray[np.generic]) -> list[NDArray[np.intp]]:
    """Indices along each axis of the planes that are not all zero."""
    return [np.flatnonzero(mask.any(tuple(a for a in range(3) if a != axis))) for axis in range(3)]


def _box(case: RawCase) -> tuple[Sequence[float], Sequence[float]]:
    extent = _extent(np.isin(case.labels, case.known))
    if not len(extent[0]):
        raise InputError("The label map has no annotated organ; leave the case out.")
    low = [float(hit[0]) * step for hit, step in zip(extent, case.spacing, strict=True)]
    high = [float(hit[-1] + 1) * step for hit, step in zip(extent, case.spacing, strict=True)]
    return low, high


def _grown(low: Sequence[float], high: Sequence[float], margin: float) -> _core.Box:
    return _core.Box([a - margin for a in low], [b + margin for b in high])


def _quantize(values: NDArray[np.float32]) -> NDArray[np.int16]:
    return np.rint(values / STEP).astype(np.int16)
