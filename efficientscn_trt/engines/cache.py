"""Engines for bundles that have none for this machine, built once into the user's cache."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .. import bundle as bundles
from ..bundle import Bundle
from ..errors import BundleError, DeviceError
from ..user_cache import CACHE_VARIABLE, cache_folder
from .build import build_engines, check_target
from .flavours import FLAVOURS
from .machine import Machine
from .selection import PRECISIONS, EngineChoice, NoEngine, select_engine


def obtain_engine(
    bundle: Bundle, machine: Machine, precision: str = "auto", *, notice: Callable[[str], None]
) -> EngineChoice:
    """The engines of `bundle` for `machine`; if it has none that may run there, they are built.

    What is built goes into the user's cache, and is found there the next time: the bundle may be read-only,
    or serve many machines. `notice` is told in one sentence that a build begins, and why.
    Raises DeviceError: there is no GPU, no TensorRT that can build for it, or no cache.
    """
    found = select_engine(bundle, machine, precision)
    if isinstance(found, EngineChoice):
        return found
    if machine.gpu is None or not machine.versions:
        raise DeviceError(found.reasons[0] if machine.gpu is None else _nothing_installed(machine.gpu.name))
    folder = cache_folder()
    if folder is None:
        raise DeviceError(
            f"{found.reasons[0]} No cache can be written either; {CACHE_VARIABLE} names another."
        )
    copy = _copy_without_engines(bundle, folder / "engines")
    cached = select_engine(copy, machine, precision)
    if isinstance(cached, EngineChoice):
        return cached
    target, capabilities = _buildable(machine, found)
    notice(
        f"{found.reasons[0]} For now they are built for {machine.gpu.name} with {FLAVOURS[target].title} "
        f"{machine.versions[target]} into {copy.path}."
    )
    report = build_engines(
        copy,
        target,
        compute_capabilities=capabilities,
        precision=PRECISIONS[precision][0],
        machine=machine,
    )
    built = select_engine(report.bundle, machine, precision)
    if isinstance(built, NoEngine):
        raise DeviceError(built.reasons[0])
    return built


def _buildable(machine: Machine, found: NoEngine) -> tuple[str, tuple[str, ...]]:
    """The target and the compute capabilities to build for; what keeps it from all of them is raised."""
    assert machine.gpu is not None
    problems = []
    for name in (name for name in FLAVOURS if name in machine.versions):
        capabilities = () if FLAVOURS[name].needs_gpu else (machine.gpu.compute_capability,)
        try:
            check_target(name, machine.gpu, capabilities)
        except DeviceError as error:
            # Of the lean runtime the reason tells more: which command, elsewhere, makes engines for it.
            problems.append(f"{found.reasons[0]} {error}" if name in machine.lean else str(error))
        else:
            return name, capabilities
    raise DeviceError(problems[0])


def _nothing_installed(gpu: str) -> str:
    packages = " or ".join(f"pip install {flavour.package}" for flavour in FLAVOURS.values())
    return f"{gpu} could run the networks, but TensorRT is not installed; run: {packages}."


def _copy_without_engines(bundle: Bundle, folder: Path) -> Bundle:
    """The cache's copy of `bundle`, under a name that its manifest decides; made anew if it is damaged."""
    manifest = dataclasses.replace(bundle.manifest, engines=())
    target = folder / hashlib.sha256(manifest.to_json().encode()).hexdigest()[:16]
    with suppress(BundleError):
        return bundles.load(target)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".partial-") as scratch:
        copy = Path(scratch, "bundle")
        copy.mkdir()
        for name in manifest.files:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(bundle.path / name, copy / name)
        (copy / bundles.MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
        with suppress(OSError):  # another process was faster; whatever else it was, the next line says
            copy.rename(target)
    return bundles.load(target)
