"""Engines for bundles that have none for this machine, built once into the user's cache."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..bundle import NETWORKS, Bundle, SigningKey
from ..errors import DeviceError, EfficientSCNError
from ..user_cache import CACHE_VARIABLE, cache_folder
from .build import build_engines
from .cached_bundle import cached_bundle, copy_key, make_copy
from .flavours import FLAVOURS, TENSORRT, lacks_3d
from .machine import Gpu, Machine
from .options import BuildOptions
from .selection import PRECISIONS, EngineChoice, EngineRow, NoEngine, engine_rows, select_engine
from .target import find_target


def obtain_engine(
    bundle: Bundle, machine: Machine, precision: str = "auto", *, notice: Callable[[str], None]
) -> EngineChoice:
    """Return the engines of `bundle` for `machine`; build them if it has none that may run there.

    New engines go into the user's cache, where they are found the next time, because the bundle may be
    read-only or serve many machines. `notice` is called with a message if a build begins, and why,
    or if this process waits for the build of another.
    Raises BundleError, and DeviceError if there is no GPU, no TensorRT that can build for it, or no cache.
    """
    found = find_engine(bundle, machine, precision)
    if isinstance(found, EngineChoice):
        return found
    order = _order(bundle, machine, precision, found)
    from .one_at_a_time import one_at_a_time  # here, because `make gpu-check` runs without filelock

    with one_at_a_time(order.folder, notice):
        found = find_engine(bundle, machine, precision)
        if isinstance(found, NoEngine):
            found = _build(bundle, machine, precision, order, found, notice)
    return found


def _build(
    bundle: Bundle,
    machine: Machine,
    precision: str,
    order: _Order,
    found: NoEngine,
    notice: Callable[[str], None],
) -> EngineChoice:
    copy = make_copy(bundle, order.folder, order.key)
    notice(
        f"{found.reasons[0]} Building engines for {order.gpu.name} with {FLAVOURS[order.target].title} "
        f"{machine.versions[order.target]} into {copy.path}."
    )
    report = build_engines(
        copy,
        order.target,
        BuildOptions(precision=order.precision, compute_capabilities=order.capabilities),
        machine=machine,
        key=order.key,
    )
    built = select_engine(report.bundle, machine, precision)
    if isinstance(built, NoEngine):
        raise DeviceError(built.reasons[0])
    return built


def find_engine(bundle: Bundle, machine: Machine, precision: str = "auto") -> EngineChoice | NoEngine:
    """Return engines for `machine` from `bundle` or else the user's cache; else why the bundle has none."""
    found = select_engine(bundle, machine, precision)
    copy = cached_bundle(bundle) if isinstance(found, NoEngine) else None
    cached = None if copy is None else select_engine(copy, machine, precision)
    return cached if isinstance(cached, EngineChoice) else found


def find_obstacle(bundle: Bundle, machine: Machine, precision: str = "auto") -> str | None:
    """Why `obtain_engine` would fail, as far as is known without a build; None if it would not."""
    found = find_engine(bundle, machine, precision)
    if isinstance(found, NoEngine):
        try:
            _order(bundle, machine, precision, found)
        except EfficientSCNError as error:
            return str(error)
    return None


def known_engines(bundle: Bundle, machine: Machine) -> list[EngineRow]:
    """Every engine of `bundle`, then every engine for it in the user's cache."""
    choice, copy = find_engine(bundle, machine), cached_bundle(bundle)
    return [row for each in (bundle, copy) if each for row in engine_rows(each, machine, choice)]


@dataclass(frozen=True)
class _Order:
    """What to build for `gpu`, the cache folder to build into, and the key that signs it, if one has to."""

    folder: Path
    key: SigningKey | None
    gpu: Gpu
    target: str
    capabilities: tuple[str, ...]
    precision: str


def _order(bundle: Bundle, machine: Machine, precision: str, found: NoEngine) -> _Order:
    """Decide what to build. Raises DeviceError or BundleError if nothing can be built."""
    gpu = machine.gpu
    if gpu is None:
        raise DeviceError(found.reasons[0])
    if not machine.versions:
        raise DeviceError(_nothing_installed(gpu.name))
    folder = cache_folder()
    if folder is None:
        raise DeviceError(
            f"{found.reasons[0]} They cannot be built now, because no cache folder is writable; set "
            f"{CACHE_VARIABLE} to one that is."
        )
    key = copy_key(bundle, make=True)
    if bundle.trusted and key is None:
        raise DeviceError(
            f"{found.reasons[0]} They cannot be built now, because keys are trusted, and no folder of "
            "settings is writable for the key that would sign them; set XDG_CONFIG_HOME to one that is."
        )
    target, capabilities = _target(machine, gpu, found)
    preferred = PRECISIONS[precision][0]
    for network in NETWORKS:
        bundle.onnx(network, preferred)
    return _Order(folder, key, gpu, target, capabilities, preferred)


def _target(machine: Machine, gpu: Gpu, found: NoEngine) -> tuple[str, tuple[str, ...]]:
    """The first target that can be built for, and the compute capabilities to ask for."""
    problems = []
    for name in (name for name in FLAVOURS if name in machine.versions):
        capabilities = () if FLAVOURS[name].needs_gpu else (gpu.compute_capability,)
        if lacking := lacks_3d(FLAVOURS[name], capabilities):
            problems.append(f"{lacking} For {gpu.name} run: pip install {TENSORRT.package}.")
            continue
        try:
            find_target(name, gpu, BuildOptions(compute_capabilities=capabilities))
        except DeviceError as error:
            # For the lean runtime, the reason also names the command that builds for it on another machine.
            problems.append(f"{found.reasons[0]} {error}" if name in machine.lean else str(error))
        else:
            return name, capabilities
    raise DeviceError(problems[0])


def _nothing_installed(gpu: str) -> str:
    packages = " or ".join(f"pip install {flavour.package}" for flavour in FLAVOURS.values())
    return f"{gpu} could run the networks, but TensorRT is not installed; run: {packages}."
