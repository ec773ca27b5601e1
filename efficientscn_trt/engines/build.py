"""Build the engines of a bundle for a target, and add them to the bundle."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from ..bundle import NETWORKS, Bundle, Engine, Verification
from ..errors import DeviceError
from . import api
from .builder import NetworkBuilder, Options, Plan
from .flavours import FLAVOURS, Flavour, has_builder, lacks_3d, load
from .log import Say
from .machine import Gpu, Machine, this_machine, this_platform
from .profiles import profile_for
from .selection import EngineChoice
from .store import add_engines, engine_file
from .timing_cache import TimingCache

PRECISIONS = ("fp16", "fp32")
FIRST_CAPABILITY = 8.0
"""The lowest compute capability that is built for by default. An engine that is also for Turing (7.5) can be
slower on all other GPUs, and would not run on Turing (TensorRT-RTX's support matrix)."""


class Proof(Protocol):
    """Compares what is built with the networks in float32. `efficientscn_trt.export.EngineProof` is one."""

    def check_network(self, bundle: Bundle, network: str, precision: str) -> None:
        """Check the file that an engine will be built from. Raises FidelityError."""
        ...

    def run_engines(
        self, bundle: Bundle, choice: EngineChoice, gpu: Gpu | None
    ) -> Mapping[str, Verification] | NotRun:
        """Compare the engines, which are not in the bundle yet. Raises FidelityError."""
        ...


@dataclass(frozen=True)
class NotRun:
    """Why engines cannot run on the machine that built them: one sentence."""

    reason: str


@dataclass(frozen=True)
class EngineReport:
    """What was built: the manifest's record, the seconds it took, the layers that compute in float32."""

    engine: Engine
    seconds: float
    float32_layers: tuple[str, ...]


@dataclass(frozen=True)
class BuildReport:
    """The bundle with its new engines, a report of each in the order of the networks, and warnings.

    `not_verified`: why the engines were not compared with the networks; None if they were.
    """

    bundle: Bundle
    engines: tuple[EngineReport, ...]
    warnings: tuple[str, ...]
    not_verified: str | None


def build_engines(
    bundle: Bundle,
    target: str,
    *,
    compute_capabilities: Sequence[str] = (),
    precision: str = "fp16",
    version_compatible: bool = False,
    workspace: int | None = None,
    proof: Proof | None = None,
    machine: Machine | None = None,
    say: Say | None = None,
    progress: Callable[[str], api.Progress] | None = None,
) -> BuildReport:
    """Build an engine of each network of `bundle` and add both to it; if one fails, nothing is added.

    Engines that were not verified here are verified once, before their first use on a GPU.

    Args:
        target: "tensorrt" (built on the GPU that will run it) or "tensorrt-rtx" (no GPU needed).
        compute_capabilities: of the GPUs to build for, such as "8.9", or "current"; for "tensorrt-rtx" only.
            Default: all from 8.0 on that the installed version knows.
        precision: "fp16", from the float16 forms in the bundle, or "fp32".
        version_compatible: let TensorRT's lean runtime of the same version run them too, perhaps more slowly.
        workspace: bytes of scratch memory that any one layer may use; default: TensorRT's own limit.
        proof: compares the engines with the networks before they are added. Default: none; they are not
            verified here.
        machine: facts of the machine; default: this one's.
        say: called with each message of TensorRT.
        progress: called with the name of each network as its build begins; returns the function to call
            with the phases of that build.

    Raises DeviceError (TensorRT or the GPU is missing, or the build failed), BundleError (no float16 form),
    FidelityError (an engine, or a float16 form, does not compute what the network does), OutputError.
    """
    flavour = FLAVOURS[target]
    trt = _builder_module(flavour)
    gpu = (machine or this_machine()).gpu
    capabilities = _capabilities(flavour, trt, gpu, compute_capabilities)
    if version_compatible:
        _check_version_compatible(flavour, trt)
    sources = {network: bundle.file(network, precision) for network in NETWORKS}
    if proof is not None:
        for network in sources:
            proof.check_network(bundle, network, precision)
    cache = TimingCache(bundle.path, flavour, trt.__version__, gpu) if flavour.needs_gpu and gpu else None
    timings = cache.read() if cache is not None else None
    built: list[tuple[Engine, Plan]] = []
    for network, onnx in sources.items():
        options = Options(
            precision=precision,
            gpu=gpu if flavour.needs_gpu or api.CURRENT in capabilities.to_set else None,
            capabilities=capabilities.to_set,
            version_compatible=version_compatible,
            workspace=workspace,
            say=say,
            progress=progress(network) if progress is not None else None,
        )
        builder = NetworkBuilder(trt, f"{flavour.title} {trt.__version__}", options, timings)
        profile = profile_for(network, bundle.manifest.pipeline)
        plan = builder.build(onnx, profile, can_load=flavour.needs_gpu)
        timings = builder.timing_cache
        if cache is not None and timings:
            cache.write(timings)  # after each network: the next may fail, or be interrupted
        sha256 = hashlib.sha256(plan.content).hexdigest()
        engine = Engine(
            network=network,
            flavour=flavour.name,
            version=trt.__version__,
            platform=this_platform(),
            compute_capabilities=capabilities.of_gpus,
            precision=precision,
            profiles=(profile,),
            onnx_sha256=bundle.onnx(network, precision).sha256,
            file=engine_file(network, flavour.name, trt.__version__, precision, sha256),
            sha256=sha256,
            bytes=len(plan.content),
            activation_memory=plan.activation,
            version_compatible=version_compatible,
            timed_on=gpu.name if gpu is not None and flavour.needs_gpu else None,
        )
        built.append((engine, plan))
    verified = NotRun("No proof was asked for.") if proof is None else _prove(proof, bundle, built, gpu)
    if not isinstance(verified, NotRun):
        built = [(replace(engine, verified=verified[engine.network]), plan) for engine, plan in built]
    lacking = lacks_3d(flavour, capabilities.of_gpus)
    warnings = (
        (f"{lacking} These engines do not run on those GPUs; build for TensorRT there.",) if lacking else ()
    )
    return BuildReport(
        add_engines(bundle, [(engine, plan.content) for engine, plan in built]),
        tuple(EngineReport(engine, plan.seconds, plan.float32_layers) for engine, plan in built),
        warnings,
        verified.reason if isinstance(verified, NotRun) else None,
    )


def _prove(
    proof: Proof, bundle: Bundle, built: Sequence[tuple[Engine, Plan]], gpu: Gpu | None
) -> Mapping[str, Verification] | NotRun:
    """Let `proof` run the engines from a folder of their own, because the bundle does not have them yet."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for engine, plan in built:
            place = folder / engine.file
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(plan.content)
        localization, segmentation = (engine for engine, _ in built)
        choice = EngineChoice(
            localization.flavour,
            localization.version,
            localization.precision,
            folder,
            localization,
            segmentation,
        )
        return proof.run_engines(bundle, choice, gpu)


def check_target(target: str, gpu: Gpu | None, compute_capabilities: Sequence[str] = ()) -> None:
    """Raise DeviceError if `build_engines` could not begin, as far as is known without a bundle."""
    flavour = FLAVOURS[target]
    _capabilities(flavour, _builder_module(flavour), gpu, compute_capabilities)


def _builder_module(flavour: Flavour) -> Any:
    trt = load(flavour)
    if not has_builder(trt):
        raise DeviceError(
            f"The {flavour.title} here ({trt.__name__} {trt.__version__}) runs engines but cannot build any; "
            f"run: pip install {flavour.package}."
        )
    return trt


def _check_version_compatible(flavour: Flavour, trt: Any) -> None:
    if not flavour.needs_gpu:
        raise DeviceError(
            f"{flavour.title} has no lean runtime, and its engines run only on the release that built them; "
            "leave --version-compatible out."
        )
    if not api.makes_version_compatible(trt):
        raise DeviceError(
            f"{flavour.title} {trt.__version__} cannot build engines for its lean runtime; install 8.6 or "
            "newer, or leave --version-compatible out."
        )


@dataclass(frozen=True)
class _Capabilities:
    """The compute capabilities that an engine is for, and those to set in the builder."""

    of_gpus: tuple[str, ...]
    to_set: tuple[str, ...] = ()


def _capabilities(flavour: Flavour, trt: Any, gpu: Gpu | None, asked: Sequence[str]) -> _Capabilities:
    if flavour.needs_gpu:
        return _of_this_gpu(flavour, gpu, asked)
    known = api.selectable_capabilities(trt)
    if not asked:
        default = tuple(capability for capability in known if float(capability) >= FIRST_CAPABILITY)
        return _Capabilities(default, default)
    unknown = [capability for capability in asked if capability not in (*known, api.CURRENT)]
    if unknown:
        raise DeviceError(
            f"{flavour.title} {trt.__version__} cannot build for the compute capability {unknown[0]}, "
            f"expected one of {', '.join((*known, api.CURRENT))}; on other GPUs use the target tensorrt."
        )
    if api.CURRENT not in asked:
        return _Capabilities(tuple(asked), tuple(asked))
    if gpu is None:
        raise DeviceError(
            "No NVIDIA GPU was found here, so there is no current compute capability; name one."
        )
    return _Capabilities((gpu.compute_capability,), (api.CURRENT,))


def _of_this_gpu(flavour: Flavour, gpu: Gpu | None, asked: Sequence[str]) -> _Capabilities:
    if gpu is None:
        raise DeviceError(
            f"{flavour.title} builds an engine on the GPU that will run it, and no NVIDIA GPU was found "
            "here; build on a machine that has one, or for a consumer GPU use the target tensorrt-rtx."
        )
    if asked:
        raise DeviceError(
            f"{flavour.title} builds only for the GPU here, {gpu.name} of compute capability "
            f"{gpu.compute_capability}; leave the compute capability out."
        )
    return _Capabilities((gpu.compute_capability,))
