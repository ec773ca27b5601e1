"""The device pipeline with networks that NumPy computes, and the CPU's result to compare with."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from efficientscn_trt import _core
from efficientscn_trt.bundle.core_parameters import CoreParameters
from efficientscn_trt.engines.running import ExecutionApi
from efficientscn_trt.pipeline.host_stages import HostStages
from efficientscn_trt.pipeline.intermediate import Intermediate, run_with_intermediate

from .core_parameters import localization_parameters, segmentation_parameters
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
    seed: int = 0  # of the order of an emulated GPU's work
    memory: Memory = field(default_factory=GpuMemory)  # of the networks' tensors
    device: int = 0
    graphs: bool = False
    localization_function: Any = organ_mask
    segmentation_function: Any = smooth_probabilities
    localization_parameters: Any = field(default_factory=localization_parameters)
    segmentation_parameters: Any = field(default_factory=segmentation_parameters)
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
        """Segment on the device; return (labels, run)."""
        labels = np.full(scan.shape, 99, np.uint8)
        run = self.pipeline.segment(scan, spacing, labels, **options)
        return labels, run


class _Networks:
    """The network functions of a pipeline on the host; values are rounded to the type of its tensors."""

    def __init__(self, pipeline: FakePipeline) -> None:
        self._pipeline, self._element = pipeline, np.float16 if pipeline.half else np.float32

    def localize(self, image: np.ndarray) -> np.ndarray:
        mask = self._pipeline.localization_function(image.astype(self._element)[None, None])
        return mask.reshape(image.shape)

    def segment(self, image: np.ndarray) -> np.ndarray:
        probabilities = self._pipeline.segmentation_function(image.astype(self._element)[None, None])[0]
        return probabilities.astype(self._element).astype(np.float32)


def on_cpu(scan: np.ndarray, spacing: tuple[float, float, float], pipeline: FakePipeline) -> Intermediate:
    """Return the host's results with the same networks."""
    parameters = CoreParameters(pipeline.localization_parameters, pipeline.segmentation_parameters)
    return run_with_intermediate(HostStages(scan.shape, spacing, parameters), scan, _Networks(pipeline))


def check(pipeline: FakePipeline, scan: np.ndarray, spacing: tuple[float, float, float]) -> Any:
    """Assert that labels and run agree with the CPU's; return the run."""
    expected = on_cpu(scan, spacing, pipeline)
    labels, run = pipeline.segment(scan, spacing)
    assert run.found == expected.mask.any()
    assert run.localization.input_size == expected.mask.shape
    assert run.segmentation.crop_start == expected.crop.crop_start
    assert run.segmentation.input_size == expected.crop.input_size
    # Sums are taken in another order: an input may differ in its last bits, and a label where two nearly tie.
    assert np.mean(labels != expected.labels) <= 2e-4
    counts = np.bincount(expected.labels.ravel(), minlength=LABELS)
    assert abs(np.array(run.counts, np.int64) - counts).sum() <= 4e-4 * scan.size + 2
    assert list(np.bincount(labels.ravel(), minlength=LABELS)) == list(run.counts)
    return run
