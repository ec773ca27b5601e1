"""The device pipeline with networks that NumPy computes, and the CPU's result to compare with."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from efficientscn_trt import _core
from efficientscn_trt.engines.running import ExecutionApi

from .fake_memory import GpuMemory, Memory
from .fake_runtime import fake_runtime

LABELS = 5


def organ_mask(image: np.ndarray) -> np.ndarray:
    """True where a voxel of the network input is above 50 HU."""
    return image.astype(np.float32) > 50 / 2048


def smooth_probabilities(image: np.ndarray) -> np.ndarray:
    """[1, LABELS, z, y, x] in (0, 1): a different wave of the intensity for every label."""
    phases = np.arange(LABELS, dtype=np.float32).reshape(1, -1, 1, 1, 1)
    return 0.5 + 0.45 * np.sin(image.astype(np.float32) * 40 + phases * 1.3)


def mask_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (1, *shape[2:])


def probabilities_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (1, LABELS, *shape[2:])


@dataclass
class FakePipeline:
    """`pipeline` with its parts; `half`: the networks' tensors are float16."""

    version: str = "10.3.0"
    half: bool = False
    seed: int = 0  # of the order in which an emulated GPU works
    memory: Memory = field(default_factory=GpuMemory)  # of the networks
    device: int = 0
    graphs: bool = False
    localization_function: Any = organ_mask
    segmentation_function: Any = smooth_probabilities
    localization_parameters: Any = field(default_factory=_core.LocalizationParameters)
    segmentation_parameters: Any = field(default_factory=_core.SegmentationParameters)
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        os.environ["EMULATED_SEED"] = str(self.seed)
        self.trt = fake_runtime(self.version, self.memory)
        self.api = ExecutionApi(self.trt)
        element = "HALF" if self.half else "FLOAT"
        self.localization = self.trt.engine(
            self.localization_function, input=element, output="BOOL", output_shape=mask_shape, **self.options
        )
        self.segmentation = self.trt.engine(
            self.segmentation_function,
            input=element,
            output=element,
            output_shape=probabilities_shape,
            **self.options,
        )
        self.pipeline = self.pipeline_of(self.localization, self.segmentation)

    def pipeline_of(self, localization: Any, segmentation: Any, labels: int = LABELS) -> Any:
        """A pipeline of these engines, with contexts of its own."""
        return _core.DevicePipeline(
            self.network(localization),
            self.network(segmentation),
            self.localization_parameters,
            self.segmentation_parameters,
            labels,
            self.device,
            threads=2,
            graphs=self.graphs,
        )

    def network(self, engine: Any) -> Any:
        return _core.Network(
            self.api, engine, self.api.create_context(engine), *self.api.tensor_names(engine)
        )

    def segment(self, scan: np.ndarray, spacing: tuple[float, float, float], **options: Any) -> Any:
        """(labels, run) of the device."""
        labels = np.full(scan.shape, 99, np.uint8)
        run = self.pipeline.segment(scan, spacing, labels, **options)
        return labels, run


@dataclass(frozen=True)
class CpuResult:
    plan: Any
    found: bool
    labels: np.ndarray
    counts: np.ndarray


def on_cpu(scan: np.ndarray, spacing: tuple[float, float, float], pipeline: FakePipeline) -> CpuResult:
    """What the sweeps of the CPU make of the same networks."""
    localization, segmentation = pipeline.localization_parameters, pipeline.segmentation_parameters
    element = np.float16 if pipeline.half else np.float32
    plan = _core.plan_localization(scan.shape, spacing, localization)
    image = _core.localization_input(scan, plan, localization).astype(element)
    mask = pipeline.localization_function(image[None, None]).reshape(image.shape)
    found = _core.mask_box(mask)
    box = (
        _core.whole_volume_box(plan, localization)
        if found is None
        else _core.box_from_mask(*found, plan, localization)
    )
    crop = _core.plan_segmentation(scan.shape, spacing, box, segmentation)
    image = _core.segmentation_input(scan, spacing, crop, segmentation).astype(element)
    probabilities = pipeline.segmentation_function(image[None, None])[0].astype(element).astype(np.float32)
    labels = np.empty(scan.shape, np.uint8)
    counts = _core.write_labels(np.ascontiguousarray(probabilities), crop, labels)
    return CpuResult(crop, found is not None, labels, counts)


def check(pipeline: FakePipeline, scan: np.ndarray, spacing: tuple[float, float, float]) -> Any:
    """Labels and account agree with the CPU's; returns the run."""
    expected = on_cpu(scan, spacing, pipeline)
    labels, run = pipeline.segment(scan, spacing)
    assert run.found == expected.found
    assert run.plan.crop_start == expected.plan.crop_start
    assert run.plan.input_size == expected.plan.input_size
    # Sums are taken in another order, so an input may differ in its last bits, and a label where two tie.
    assert np.mean(labels != expected.labels) <= 2e-4
    assert (
        abs(np.array(run.counts, np.int64) - expected.counts.astype(np.int64)).sum() <= 4e-4 * scan.size + 2
    )
    assert list(np.bincount(labels.ravel(), minlength=LABELS)) == list(run.counts)
    return run
