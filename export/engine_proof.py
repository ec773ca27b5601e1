"""The proof that a build of engines ends with: what is built computes what the networks compute."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from efficientscn_trt import _core
from efficientscn_trt.backends.cpu import CpuBackend
from efficientscn_trt.backends.tensorrt import TensorRTBackend
from efficientscn_trt.backends.verification import CheckImages, compare, judge, remarks
from efficientscn_trt.bundle import NETWORKS, Bundle, Verification
from efficientscn_trt.demo.public_ct import kept_ct
from efficientscn_trt.engines import EngineChoice, Gpu
from efficientscn_trt.engines.build import NotRun
from efficientscn_trt.engines.flavours import FLAVOURS, load
from efficientscn_trt.engines.machine import NO_GPU
from efficientscn_trt.engines.profiles import profile_for
from efficientscn_trt.errors import BundleError, FidelityError
from efficientscn_trt.io.wording import excerpt

from .check_input import CheckScan, middle

MOST_LAYERS = 3


class EngineProof:
    """Compares a CT's crops, or a phantom's, in the engines and in the float32 networks on the CPU.

    The float16 files are compared with the float32 files before the build, layer by layer. This needs no GPU,
    but ONNX Runtime; without it, `warnings` says so. The engines are compared where they can run.
    """

    def __init__(self, check_input: Path | None = None) -> None:
        """`check_input`: a CT. Default: the public CT if `demo` has downloaded it, else a phantom."""
        self._named = check_input is not None
        self._path = check_input
        if check_input is None and (public := kept_ct()) is not None:
            self._path = public.ct
        self._reference: CpuBackend | None = None
        self._images: CheckImages | None = None
        self.warnings: list[str] = []

    def check_network(self, bundle: Bundle, network: str, precision: str) -> None:
        """Compare the layers of the file for `precision` with those of the float32 file.

        Raises FidelityError with the first layers that differ, BundleError if a file is no network, and
        InputError if the CT cannot be read.
        """
        if self._named:
            self._inputs(bundle)  # refused now, rather than after a build
        if precision == "fp32":
            return
        try:
            import onnx_ir as ir

            from .precision.layer_check import layers_astray
        except ModuleNotFoundError as error:
            missing = (
                "The layers of the float16 networks were not checked, because the Python package "
                f"{error.name} is not installed; run: pip install onnx onnx-ir onnxruntime."
            )
            self.warnings += [] if missing in self.warnings else [missing]
            return
        images = self._inputs(bundle)
        crop = middle(getattr(images, network), profile_for(network, bundle.manifest.pipeline).min)
        try:
            single, half = (ir.load(bundle.file(network, form)) for form in ("fp32", "fp16"))
            astray = layers_astray(single, half, crop[None, None])
        except MemoryError:
            raise
        except Exception as error:  # of ONNX or ONNX Runtime: the file may hold anything
            raise BundleError(
                f"{bundle.file(network, 'fp16')} cannot be compared with the float32 network: "
                f"{excerpt(str(error)).rstrip('.')}; export the bundle again."
            ) from error
        if astray:
            raise FidelityError(_sentence(bundle, network, [str(layer) for layer in astray], images.name))

    def run_engines(
        self, bundle: Bundle, choice: EngineChoice, gpu: Gpu | None
    ) -> Mapping[str, Verification] | NotRun:
        """Compare the results of both engines with those of the float32 networks.

        Raises FidelityError if they differ too much.
        """
        if gpu is None:
            return NotRun(NO_GPU)
        if problem := _obstacle(choice, gpu):
            return NotRun(problem)
        images = self._inputs(bundle)
        engines = TensorRTBackend(bundle, choice, load(FLAVOURS[choice.flavour]), 0, gpu)
        found = compare(bundle, engines, self._cpu(bundle), images)
        self.warnings += remarks(found, images)
        verified = {}
        for network in NETWORKS:
            outcome = judge(getattr(choice, network), found[network], images, gpu.name)
            if outcome.verified is None:
                raise FidelityError(outcome.fault)
            verified[network] = outcome.verified
        return verified

    def _cpu(self, bundle: Bundle) -> CpuBackend:
        if self._reference is None:
            self._reference = CpuBackend(bundle, "fp32", 0)
        return self._reference

    def _inputs(self, bundle: Bundle) -> CheckImages:
        if self._images is None:
            scan = CheckScan(self._path, bundle.manifest.pipeline)
            whole = scan.localization()[0, 0]
            crop = scan.segmentation_input(self._cpu(bundle).localize(whole))
            self._images = CheckImages(scan.name, whole, crop)
        return self._images


def _obstacle(choice: EngineChoice, gpu: Gpu) -> str:
    """Why the engines cannot run on `gpu`, in one sentence; empty if they can."""
    capabilities = choice.segmentation.compute_capabilities
    if gpu.compute_capability not in capabilities:
        return f"They are for the compute capability {' '.join(capabilities)}; {gpu.name} has another."
    status = _core.cuda_status()
    problem: str = status["problem"] or status["devices"][gpu.index]["problem"]
    return problem


def _sentence(bundle: Bundle, network: str, layers: list[str], name: str) -> str:
    networks = bundle.manifest.networks
    record = getattr(networks, network)
    more = len(layers) - MOST_LAYERS
    shown = "; ".join(layers[:MOST_LAYERS]) + (f"; and {more} more" if more > 0 else "")
    return (
        f"{bundle.path / record.float16.file} does not compute what {record.file} computes, so no engine was "
        f"built: for equal inputs from {name}, {shown}. Export the bundle again, or use --precision fp32."
    )
