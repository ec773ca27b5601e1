"""Build the engines of a bundle for a target, and add them to the bundle."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from ..bundle import NETWORKS, Bundle, Engine, Profile, SigningKey, Verification
from ..bundle.trust import SIGNATURE
from ..errors import DeviceError
from . import api
from .builder import NetworkBuilder, OnnxFile, Parsed, Plan
from .equal_commands import EqualCommand, Recipe, equal_commands
from .flavours import lacks_3d
from .log import Say
from .machine import Gpu, Machine, this_machine, this_platform
from .options import DEFAULT, BuildOptions
from .profiles import profile_for
from .selection import EngineChoice
from .store import add_engines, engine_file
from .target import Target, find_target
from .timing_cache import TimingCache


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
    """What was built: the manifest's record, the seconds it took, the layers that compute in float32.

    `commands`: those of NVIDIA's tools that build the same.
    """

    engine: Engine
    seconds: float
    float32_layers: tuple[str, ...]
    commands: tuple[EqualCommand, ...]


@dataclass(frozen=True)
class BuildReport:
    """The bundle with its new engines, a report of each in the order of the networks, and warnings.

    `not_verified`: why the engines were not compared with the networks; None if they were.
    """

    bundle: Bundle
    engines: tuple[EngineReport, ...]
    warnings: tuple[str, ...]
    not_verified: str | None


@dataclass(frozen=True)
class PlannedEngine:
    """An engine that `build_engines` would build from the file `onnx`.

    `target`: the package and its version. `commands`: those of NVIDIA's tools that build the same.
    """

    network: str
    onnx: Path
    target: str
    precision: str
    compute_capabilities: tuple[str, ...]
    profile: Profile
    float32_layers: tuple[str, ...]
    commands: tuple[EqualCommand, ...]


def build_engines(
    bundle: Bundle,
    target: str,
    options: BuildOptions = DEFAULT,
    *,
    proof: Proof | None = None,
    machine: Machine | None = None,
    say: Say | None = None,
    progress: Callable[[str], api.Progress] | None = None,
    key: SigningKey | None = None,
) -> BuildReport:
    """Build an engine of each network of `bundle` and add both to it; if one fails, nothing is added.

    The manifest changes, so that a former signature of the bundle no longer fits.
    Engines that were not verified here are verified once, before their first use on a GPU.

    Args:
        target: "tensorrt" (built on the GPU that will run it) or "tensorrt-rtx" (no GPU needed).
        proof: compares the engines with the networks before they are added. Default: none; they are not
            verified here.
        machine: facts of the machine; default: this one's.
        say: called with each message of TensorRT.
        progress: called with the name of each network as its build begins; returns the function to call
            with the phases of that build.
        key: signs the bundle with its new engines. Default: none; it is then not signed.

    Raises DeviceError (TensorRT, the GPU or a needed timing cache is missing, or the build failed),
    BundleError (no float16 form), FidelityError (an engine, or a float16 form, does not compute what the
    network does), OutputError.
    """
    gpu = (machine or this_machine()).gpu
    order = _order(bundle, target, options, gpu)
    if proof is not None:
        for network in NETWORKS:
            proof.check_network(bundle, network, options.precision)
    builder = order.builder(say)
    built = [
        _build(order, builder, network, progress(network) if progress is not None else None)
        for network in NETWORKS
    ]
    verified = NotRun("No proof was asked for.") if proof is None else _prove(proof, bundle, built, gpu)
    if not isinstance(verified, NotRun):
        built = [(replace(engine, verified=verified[engine.network]), plan) for engine, plan in built]
    return BuildReport(
        add_engines(bundle, [(engine, plan.content) for engine, plan in built], key),
        tuple(
            EngineReport(
                engine,
                plan.seconds,
                plan.network.float32_layers,
                order.commands(engine.network, plan.network),
            )
            for engine, plan in built
        ),
        (*_warnings(order.target), *_on_signature(bundle, key)),
        verified.reason if isinstance(verified, NotRun) else None,
    )


def describe_engines(
    bundle: Bundle,
    target: str,
    options: BuildOptions = DEFAULT,
    *,
    machine: Machine | None = None,
    say: Say | None = None,
) -> tuple[PlannedEngine, ...]:
    """What `build_engines` would build. TensorRT reads the networks and takes the options.

    The arguments are those of `build_engines`. Raises DeviceError, BundleError and OutputError for the same
    reasons.
    """
    order = _order(bundle, target, options, (machine or this_machine()).gpu)
    builder, found = order.builder(say), []
    for network in NETWORKS:
        parsed = builder.parse(order.content(network), order.profile(network))
        found.append(
            PlannedEngine(
                network,
                order.onnx(network),
                order.target.title,
                options.precision,
                order.target.compute_capabilities,
                order.profile(network),
                parsed.float32_layers,
                order.commands(network, parsed),
            )
        )
    return tuple(found)


@dataclass(frozen=True)
class _Order:
    """What to build: both networks of `bundle` for `target`. `cache`: TensorRT's timings, or None."""

    bundle: Bundle
    target: Target
    options: BuildOptions
    cache: TimingCache | None

    def onnx(self, network: str) -> Path:
        return self.bundle.file(network, self.options.precision)

    def content(self, network: str) -> OnnxFile:
        """Raises BundleError if the file was altered since the bundle was loaded."""
        return OnnxFile(self.onnx(network), self.bundle.content(network, self.options.precision))

    def profile(self, network: str) -> Profile:
        return profile_for(network, self.bundle.manifest.pipeline)

    def builder(self, say: Say | None) -> NetworkBuilder:
        timings = None if self.cache is None else self.cache.read()
        return NetworkBuilder(self.target, self.options, timings, say=say)

    def commands(self, network: str, parsed: Parsed) -> tuple[EqualCommand, ...]:
        cache = None if self.cache is None else self.cache.path
        recipe = Recipe(network, self.onnx(network), parsed, self.profile(network), self.options, cache)
        return equal_commands(self.target, recipe)


def _order(bundle: Bundle, target: str, options: BuildOptions, gpu: Gpu | None) -> _Order:
    """Raises DeviceError, BundleError or OutputError if it cannot be built."""
    found = find_target(target, gpu, options)
    for network in NETWORKS:
        bundle.onnx(network, options.precision)
    cache = _timings(bundle, found, options)
    if cache is not None:
        cache.check()
    return _Order(bundle, found, options, cache)


def _timings(bundle: Bundle, target: Target, options: BuildOptions) -> TimingCache | None:
    complete = options.error_on_timing_cache_miss
    if options.timing_cache is not None:
        return TimingCache(options.timing_cache, named=True, complete=complete)
    # TensorRT reads timings as it reads engines, and nobody signs them.
    if bundle.trusted:
        if complete:
            raise DeviceError(
                "Where keys are trusted, no timing cache beside a bundle is read, so every timing is "
                "missing; name a file that you trust with --timing-cache, or leave "
                "--error-on-timing-cache-miss out."
            )
        return None
    if not target.flavour.needs_gpu or target.gpu is None:
        return None
    return TimingCache.beside(
        bundle.path, target.flavour, target.trt.__version__, target.gpu, complete=complete
    )


def _build(
    order: _Order, builder: NetworkBuilder, network: str, progress: api.Progress | None
) -> tuple[Engine, Plan]:
    """Build one engine, and keep TensorRT's timings at once: the next may fail, or be interrupted."""
    target, flavour, options = order.target, order.target.flavour, order.options
    onnx, profile = order.content(network), order.profile(network)
    plan = builder.build(onnx, profile, can_load=flavour.needs_gpu, progress=progress)
    if order.cache is not None and builder.timing_cache:
        order.cache.write(builder.timing_cache)
    version = target.trt.__version__
    sha256 = hashlib.sha256(plan.content).hexdigest()
    engine = Engine(
        network=network,
        flavour=flavour.name,
        version=version,
        platform=this_platform(),
        compute_capabilities=target.compute_capabilities,
        precision=options.precision,
        profiles=(profile,),
        onnx_sha256=order.bundle.onnx(network, options.precision).sha256,
        file=engine_file(network, flavour.name, version, options.precision, sha256),
        sha256=sha256,
        bytes=len(plan.content),
        activation_memory=plan.activation,
        version_compatible=options.version_compatible,
        timed_on=target.gpu.name if target.gpu is not None and flavour.needs_gpu else None,
    )
    return engine, plan


def _warnings(target: Target) -> tuple[str, ...]:
    lacking = lacks_3d(target.flavour, target.compute_capabilities)
    return (
        (f"{lacking} These engines do not run on those GPUs; build for TensorRT there.",) if lacking else ()
    )


def _on_signature(bundle: Bundle, key: SigningKey | None) -> tuple[str, ...]:
    if key is not None or not (bundle.path / SIGNATURE).exists():
        return ()
    return (
        f"{bundle.path} has new engines, so it has to be signed again: efficientscn-trt bundle sign "
        f"{bundle.path} --key KEY.",
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
