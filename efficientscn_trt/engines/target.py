"""What engines are built with, and for which GPUs. What cannot be built is refused here, before any work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import DeviceError
from . import api
from .flavours import FLAVOURS, Flavour, has_builder, load
from .machine import Gpu
from .options import BuildOptions

FIRST_CAPABILITY = 8.0
"""The lowest compute capability that is built for by default. An engine that is also for Turing (7.5) can be
slower on all other GPUs, and would not run on Turing (TensorRT-RTX's support matrix)."""


@dataclass(frozen=True)
class Target:
    """A TensorRT that can build, the module `trt`, and the GPUs that it builds for.

    `gpu`: the GPU to build on; None if the build needs none. `compute_capabilities`: of the GPUs that the
    engines are for. `to_set`: those to set in the builder.
    """

    flavour: Flavour
    trt: Any
    gpu: Gpu | None
    compute_capabilities: tuple[str, ...]
    to_set: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The package with its version, for messages."""
        return f"{self.flavour.title} {self.trt.__version__}"


def find_target(name: str, gpu: Gpu | None, options: BuildOptions) -> Target:
    """The target `name`, "tensorrt" or "tensorrt-rtx", with `gpu`, if this machine has one.

    Raises DeviceError if the installed TensorRT, or this machine, cannot build so.
    """
    flavour = FLAVOURS[name]
    trt = _builder_module(flavour)
    asked = options.compute_capabilities
    target = (
        _for_this_gpu(flavour, trt, gpu, asked) if flavour.needs_gpu else _for_any(flavour, trt, gpu, asked)
    )
    if options.version_compatible:
        _check_version_compatible(target)
    if options.optimization_level is not None:
        _check_optimization_level(target, options.optimization_level)
    if options.timing_cache is not None or options.error_on_timing_cache_miss:
        _check_timings(target, options)
    return target


def _builder_module(flavour: Flavour) -> Any:
    trt = load(flavour)
    if not has_builder(trt):
        raise DeviceError(
            f"The {flavour.title} here ({trt.__name__} {trt.__version__}) runs engines but cannot build any; "
            f"run: pip install {flavour.package}."
        )
    return trt


def _for_this_gpu(flavour: Flavour, trt: Any, gpu: Gpu | None, asked: Sequence[str]) -> Target:
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
    return Target(flavour, trt, gpu, (gpu.compute_capability,))


def _for_any(flavour: Flavour, trt: Any, gpu: Gpu | None, asked: Sequence[str]) -> Target:
    known = api.selectable_capabilities(trt)
    if not asked:
        default = tuple(capability for capability in known if float(capability) >= FIRST_CAPABILITY)
        return Target(flavour, trt, None, default, default)
    unknown = [capability for capability in asked if capability not in (*known, api.CURRENT)]
    if unknown:
        raise DeviceError(
            f"{flavour.title} {trt.__version__} cannot build for the compute capability {unknown[0]}, "
            f"expected one of {', '.join((*known, api.CURRENT))}; on other GPUs use the target tensorrt."
        )
    if api.CURRENT not in asked:
        return Target(flavour, trt, None, tuple(asked), tuple(asked))
    if gpu is None:
        raise DeviceError(
            "No NVIDIA GPU was found here, so there is no current compute capability; name one."
        )
    return Target(flavour, trt, gpu, (gpu.compute_capability,), (api.CURRENT,))


def _check_version_compatible(target: Target) -> None:
    if not target.flavour.needs_gpu:
        raise DeviceError(
            f"{target.flavour.title} has no lean runtime, and its engines run only on the release that built "
            "them; leave --version-compatible out."
        )
    if not api.makes_version_compatible(target.trt):
        raise DeviceError(
            f"{target.title} cannot build engines for its lean runtime; install 8.6 or "
            "newer, or leave --version-compatible out."
        )


def _check_optimization_level(target: Target, level: int) -> None:
    if not api.has_optimization_levels(target.trt):
        raise DeviceError(
            f"{target.title} has no optimization levels; install 8.6 or newer, or leave --optimization-level "
            "out."
        )
    if level not in api.OPTIMIZATION_LEVELS:
        raise DeviceError(
            f"There is no optimization level {level}, expected one from {api.OPTIMIZATION_LEVELS[0]} to "
            f"{api.OPTIMIZATION_LEVELS[-1]}."
        )


def _check_timings(target: Target, options: BuildOptions) -> None:
    option = "--timing-cache" if options.timing_cache is not None else "--error-on-timing-cache-miss"
    if not target.flavour.needs_gpu:
        raise DeviceError(
            f"{target.flavour.title} times no kernels when it builds, so it has no timing cache; "
            f"leave {option} out."
        )
    if options.error_on_timing_cache_miss and not api.can_refuse_timing(target.trt):
        raise DeviceError(
            f"{target.title} cannot end a build where a timing is missing; install 10 or newer, or leave "
            "--error-on-timing-cache-miss out."
        )
