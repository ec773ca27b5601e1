"""The schema of `manifest.json`, which holds every number of the pipeline.

All triples are (z, y, x) unless a name ends in `_xyz`; lengths are in mm, intensities in HU.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

from ..io.label_details import LabelDetails
from ..triples import Size, Triple
from .core_form import CoreForm
from .decode import OPTIONAL

SCHEMA_VERSION = 2
FIRST_WITH_CORE_FORMS = 2
"""Older manifests do not say in which form the core runs a network."""

MANIFEST = "manifest.json"
NETWORKS = ("localization", "segmentation")

Sizes = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True)
class LocalizationParameters:
    """Stage 1, from the whole scan to the box. Defaults: the released code (docs/reference-pipeline.md)."""

    spacing_mm: float = 6.0
    spacing_slack: float = 0.02
    valid_sizes: Sizes = (tuple(range(32, 257, 16)), (32, 48, 64, 80), (32, 48, 64, 80))
    padding_hu: float = -1024.0
    smoothing_sigma_mm: float = 0.0
    box_margin_mm: float = 10.0
    intensity_scale: float = 2048.0
    intensity_min: float = -1.0
    intensity_max: float = 1.0


@dataclass(frozen=True)
class SegmentationParameters:
    """Stage 2, from the box to labels. Defaults: the released code (docs/reference-pipeline.md)."""

    spacing_mm: float = 2.0
    spacing_threshold: float = 1.9
    spacing_slack: float = 0.1
    valid_sizes: Sizes = ((32, 64, 96, 128, 160), (32, 64, 96, 128), (32, 64, 96, 128, 160))
    smoothing_sigma_mm: float = 1.0
    outside_hu: float = 0.0
    intensity_scale: float = 2048.0
    intensity_min: float = -1.0
    intensity_max: float = 1.0


@dataclass(frozen=True)
class UnknownSpacing:
    """`used_xyz` is used inside the pipeline for a scan whose file has no spacing.

    With `by_value`, also for one whose spacing is exactly `marker_xyz`, as in the released code.
    Defaults of the two spacings: the released code (docs/reference-pipeline.md).
    """

    marker_xyz: Triple = (1.0, 1.0, 1.0)
    used_xyz: Triple = (0.814528640267884, 0.814528640267884, 2.52795318268203)
    by_value: bool = field(default=False, metadata=OPTIONAL)


@dataclass(frozen=True)
class PipelineParameters:
    """Every number that the pipeline assumes."""

    localization: LocalizationParameters = LocalizationParameters()
    segmentation: SegmentationParameters = SegmentationParameters()
    unknown_spacing: UnknownSpacing = UnknownSpacing()


@dataclass(frozen=True)
class Tensor:
    """Name, NumPy dtype and shape of a network's input or output; a dynamic dimension is given by a name."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True)
class Float16File:
    """The ONNX file that TensorRT builds float16 engines from. Its input and output are float16 too, except
    for a mask.
    """

    file: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Network:
    """One network of a bundle: its float32 ONNX file with `input` and `output`, and its other forms.

    `core`: the form in which the core runs it on a CPU in float32. If it is None, OpenVINO runs it.
    """

    file: str
    sha256: str
    bytes: int
    opset: int
    parameters: int
    input: Tensor
    output: Tensor
    float16: Float16File | None = field(default=None, metadata=OPTIONAL)
    core: CoreForm | None = field(default=None, metadata=OPTIONAL)

    @property
    def files(self) -> list[Network | Float16File]:
        """The entries that name a file."""
        return [self] if self.float16 is None else [self, self.float16]


@dataclass(frozen=True)
class Networks:
    """The networks for the mask of the organs, and for the label probabilities in the mask's box."""

    localization: Network
    segmentation: Network


@dataclass(frozen=True)
class Profile:
    """The sizes (z, y, x) that an engine takes: from `min` to `max`, tuned for `opt`."""

    min: Size
    opt: Size
    max: Size


@dataclass(frozen=True)
class ActivationMemory:
    """Bytes of scratch memory that a network needs on the GPU: at a profile's `max`, and at its `opt`."""

    largest: int
    typical: int


@dataclass(frozen=True)
class Verification:
    """How well an engine's result on a GPU agreed with that of its float32 ONNX network on a CPU.

    `gpu`: the model of the GPU. `input`: the scan or phantom that the network's input of `size` (z, y, x) was
    made from. `equal`: share of voxels with equal mask or label. `dice`: of the masks, or of the label for
    which it is lowest. `largest_difference`: of the probabilities; None for a mask.
    """

    gpu: str
    input: str
    size: Size
    equal: float
    dice: float
    largest_difference: float | None


@dataclass(frozen=True)
class Engine:
    """A TensorRT engine of one network, with everything that decides whether it may run on a machine.

    `flavour`: "tensorrt" or "tensorrt-rtx". `version`: of the TensorRT that built it, the only version that
    runs it. `platform`: Python's name of system and processor. `onnx_sha256`: of the ONNX file that it was
    built from. `activation_memory`: None if the builder did not report it. `version_compatible`: whether the
    lean runtime of the same version runs it too. `timed_on`: the GPU whose timings chose its kernels, if any.
    `verified`: None if it has not run yet.
    """

    network: str
    flavour: str
    version: str
    platform: str
    compute_capabilities: tuple[str, ...]
    precision: str
    profiles: tuple[Profile, ...]
    onnx_sha256: str
    file: str
    sha256: str
    bytes: int
    activation_memory: ActivationMemory | None
    version_compatible: bool = field(default=False, metadata=OPTIONAL)
    timed_on: str | None = field(default=None, metadata=OPTIONAL)
    verified: Verification | None = field(default=None, metadata=OPTIONAL)


@dataclass(frozen=True)
class Manifest:
    """The content of `manifest.json`. `files` does not name the engines, whose records have their hashes.

    `label_details`: of some or all of the labels but the background.
    """

    schema_version: int
    name: str
    description: str
    labels: tuple[str, ...]
    pipeline: PipelineParameters
    networks: Networks
    provenance: dict[str, Any]
    files: dict[str, str]
    engines: tuple[Engine, ...] = field(default=(), metadata=OPTIONAL)
    label_details: tuple[LabelDetails, ...] = field(default=(), metadata=OPTIONAL)

    def to_json(self) -> str:
        """The text of `manifest.json`."""
        return json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False) + "\n"
