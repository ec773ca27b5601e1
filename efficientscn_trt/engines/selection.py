"""Which engines of a bundle run on a machine, and why the others do not.

A plan is native code, so TensorRT gets only plans whose hash is in the manifest. If keys are trusted, one of
them must have signed that.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..bundle import NETWORKS, Bundle, Engine, sha256
from ..bundle.trust import refuse_link
from ..errors import SignatureError
from .flavours import FLAVOURS, TENSORRT, lacks_3d
from .machine import NO_GPU, Machine

PRECISIONS = {"auto": ("fp16", "fp32"), "fp16": ("fp16",), "fp32": ("fp32",)}
"""For each precision that a user asks for: the engines' precisions to look for, the preferred first."""


@dataclass(frozen=True)
class EngineChoice:
    """The engines of both networks to load: their records, and the folder `path` of their verified files."""

    flavour: str
    version: str
    precision: str
    path: Path
    localization: Engine
    segmentation: Engine

    def file(self, network: str) -> Path:
        """The plan of `network`, "localization" or "segmentation"."""
        engine: Engine = getattr(self, network)
        return self.path / engine.file


@dataclass(frozen=True)
class NoEngine:
    """The reasons why no engine of a bundle runs on a machine, each with what to do about it."""

    reasons: tuple[str, ...]


@dataclass(frozen=True)
class EngineRow:
    """An engine of the bundle at `path`, for the command `info`.

    `problem`: why the engine cannot run here, None if it can. `note`: why another might be faster, or None.
    """

    path: Path
    engine: Engine
    used: bool
    problem: str | None
    note: str | None


def select_engine(bundle: Bundle, machine: Machine, precision: str = "auto") -> EngineChoice | NoEngine:
    """Return the engines of `bundle` to use on `machine`; both are of one TensorRT and one precision.

    `precision`: "fp16", "fp32", or "auto" for fp16 if available, else fp32.
    """
    if machine.gpu is None:
        return NoEngine(("No NVIDIA GPU with a driver was found here; engines need one.",))
    problems = {engine: find_problem(bundle, engine, machine) for engine in bundle.manifest.engines}
    sound = [engine for engine, problem in problems.items() if problem is None]
    for flavour, wanted in itertools.product(FLAVOURS, PRECISIONS[precision]):
        pair = [_best(sound, network, flavour, wanted, timed_on=machine.gpu.name) for network in NETWORKS]
        localization, segmentation = pair
        if localization is not None and segmentation is not None:
            return EngineChoice(
                flavour, localization.version, wanted, bundle.path, localization, segmentation
            )
    reasons = [
        problem
        for engine, problem in problems.items()
        if problem and engine.precision in PRECISIONS[precision]
    ]
    return NoEngine(tuple(reasons) or (_none_built(bundle, machine, precision),))


def engine_rows(bundle: Bundle, machine: Machine, choice: EngineChoice | NoEngine) -> list[EngineRow]:
    """A row for every engine of `bundle`: whether `choice` uses it, and why it cannot run on `machine`."""
    used: tuple[Engine, ...] = ()
    if isinstance(choice, EngineChoice) and choice.path == bundle.path:
        used = (choice.localization, choice.segmentation)
    return [_row(bundle, engine, machine, used=engine in used) for engine in bundle.manifest.engines]


def _row(bundle: Bundle, engine: Engine, machine: Machine, *, used: bool) -> EngineRow:
    problem = find_problem(bundle, engine, machine)
    note = _timed_elsewhere(bundle, engine, machine) if problem is None else None
    return EngineRow(bundle.path, engine, used, problem, note)


def find_problem(bundle: Bundle, engine: Engine, machine: Machine) -> str | None:
    """Why `engine` of `bundle` must not be loaded on `machine`, in one sentence; None if it may."""
    if engine.flavour not in FLAVOURS:
        return (
            f"{engine.file} is for {engine.flavour}, which this version does not know (it knows "
            f"{', '.join(FLAVOURS)}); upgrade efficientscn-trt (pip install --upgrade efficientscn-trt)."
        )
    return (
        _unfit_for_trust(bundle, engine)
        or _unfit_for_software(bundle, engine, machine)
        or _unfit_for_gpu(bundle, engine, machine)
        or _unfit_for_bundle(bundle, engine)
    )


def _unfit_for_trust(bundle: Bundle, engine: Engine) -> str | None:
    if not bundle.trusted:
        return None
    if bundle.signed_by is None:
        return (
            f"{bundle.path / engine.file} is not signed, expected the signature of a trusted key "
            f"({bundle.trusted}); copy the bundle to a folder of its own, build there, and sign the copy: "
            "efficientscn-trt bundle sign COPY --key KEY."
        )
    try:
        refuse_link(bundle.path, engine.file)
    except SignatureError as error:
        return str(error)
    return None


def _unfit_for_software(bundle: Bundle, engine: Engine, machine: Machine) -> str | None:
    title = FLAVOURS[engine.flavour].title
    if engine.platform != machine.platform:
        return (
            f"{engine.file} was built on {engine.platform}, but this is {machine.platform}; "
            f"build it here: {_command(bundle, engine)}."
        )
    installed = machine.versions.get(engine.flavour)
    if installed is None:
        return (
            f"{engine.file} needs {title} {engine.version}, which is not installed; "
            f"run: pip install {FLAVOURS[engine.flavour].package}=={engine.version}."
        )
    if installed != engine.version:
        return (
            f"{engine.file} was built by {title} {engine.version}, but {installed} is installed, and an "
            f"engine runs only on the version that built it; build it again: {_command(bundle, engine)}."
        )
    if engine.flavour in machine.lean and not engine.version_compatible:
        return (
            f"{engine.file} needs the full {title}, but only its lean runtime is installed; run: pip "
            f"install {FLAVOURS[engine.flavour].package}=={engine.version}, or on a machine that has it: "
            f"{_command(bundle, dataclasses.replace(engine, version_compatible=True))}."
        )
    return None


def _unfit_for_gpu(bundle: Bundle, engine: Engine, machine: Machine) -> str | None:
    if machine.gpu is None:
        return NO_GPU
    if lacking := lacks_3d(FLAVOURS[engine.flavour], (machine.gpu.compute_capability,)):
        return (
            f"{engine.file} is not for {machine.gpu.name}: {lacking} Build for TensorRT: "
            f"{_target_command(bundle, TENSORRT.name, engine.precision, version_compatible=False)}."
        )
    if machine.gpu.compute_capability in engine.compute_capabilities:
        return None
    return (
        f"{engine.file} is for GPUs of compute capability {', '.join(engine.compute_capabilities)}, but "
        f"{machine.gpu.name} has {machine.gpu.compute_capability}; build one for it: "
        f"{_command(bundle, engine, machine.gpu.compute_capability)}."
    )


def _unfit_for_bundle(bundle: Bundle, engine: Engine) -> str | None:
    current = getattr(bundle.manifest.networks, engine.network, None)
    source = current if engine.precision == "fp32" or current is None else current.float16
    found = source.sha256 if source is not None else "none"
    if found != engine.onnx_sha256:
        return (
            f"{engine.file} was built from an ONNX file with the SHA-256 {engine.onnx_sha256}, but the "
            f"bundle's {engine.precision} {engine.network} network has {found}; build it again: "
            f"{_command(bundle, engine)}."
        )
    file = bundle.path / engine.file
    if not file.is_file():
        return f"{file} is missing; copy the whole bundle again, or build it: {_command(bundle, engine)}."
    found = sha256(file)
    if found != engine.sha256:
        return (
            f"{file} was altered: its SHA-256 is {found}, expected {engine.sha256}; "
            f"build it again: {_command(bundle, engine)}."
        )
    return None


def _timed_elsewhere(bundle: Bundle, engine: Engine, machine: Machine) -> str | None:
    """Say if the engine was timed on another GPU.

    GPUs of one compute capability differ in cores and memory, so other kernels may be the fastest.
    """
    if machine.gpu is None or engine.timed_on in (None, machine.gpu.name):
        return None
    return (
        f"{engine.file} was tuned on {engine.timed_on} and runs on {machine.gpu.name}, but an engine built "
        f"here may be faster: {_command(bundle, engine)}."
    )


def _best(
    engines: Iterable[Engine], network: str, flavour: str, precision: str, *, timed_on: str
) -> Engine | None:
    """The most specific engine: the one for the fewest compute capabilities.

    Among equals it is one that was timed on this GPU, and then one that is not for the lean runtime.
    """
    fitting = [
        engine
        for engine in engines
        if (engine.network, engine.flavour, engine.precision) == (network, flavour, precision)
    ]
    return min(
        fitting,
        key=lambda engine: (
            len(engine.compute_capabilities),
            engine.timed_on != timed_on,
            engine.version_compatible,
        ),
        default=None,
    )


def _none_built(bundle: Bundle, machine: Machine, precision: str) -> str:
    capability = (machine.gpu.compute_capability,) if machine.gpu is not None else ()
    able = (name for name, flavour in FLAVOURS.items() if not lacks_3d(flavour, capability))
    target = next((name for name in able if name in machine.versions), TENSORRT.name)
    which = "" if precision == "auto" else f" {precision}"
    built = "fp16" if precision == "auto" else precision
    command = _target_command(bundle, target, built, version_compatible=target in machine.lean)
    return f"{bundle.path} does not have{which} engines of both networks; build them: {command}."


def _command(bundle: Bundle, engine: Engine, capability: str | None = None) -> str:
    command = _target_command(
        bundle, engine.flavour, engine.precision, version_compatible=engine.version_compatible
    )
    flavour = FLAVOURS[engine.flavour]
    return f"{command} --compute-capability {capability}" if capability and not flavour.needs_gpu else command


def _target_command(bundle: Bundle, target: str, precision: str, *, version_compatible: bool) -> str:
    extra = "" if precision == "fp16" else f" --precision {precision}"
    extra += " --version-compatible" if version_compatible else ""
    return f"efficientscn-trt build {bundle.path} --target {target}{extra}"
