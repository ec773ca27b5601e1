"""Backends on the engines of one flavour and precision."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from efficientscn_trt import bundle as bundles
from efficientscn_trt.backends.gpu import require_gpu
from efficientscn_trt.backends.tensorrt import TensorRTBackend
from efficientscn_trt.engines import EngineChoice, Machine, select_engine, this_machine
from efficientscn_trt.engines.flavours import FLAVOURS, load
from efficientscn_trt.errors import DeviceError
from on_gpu.context import Context


def machine_of(flavour: str) -> Machine:
    """Return this machine as if `flavour` were the only TensorRT installed."""
    machine = this_machine()
    versions = {name: version for name, version in machine.versions.items() if name == flavour}
    return replace(machine, versions=versions)


def choose_engines(context: Context) -> tuple[bundles.Bundle, EngineChoice, Any]:
    """Return the bundle, the engines that the step `engines` built, and the TensorRT that runs them.

    Raises DeviceError.
    """
    bundle = bundles.load(Path(context.bundle))
    choice = select_engine(bundle, machine_of(context.flavour), context.precision)
    if not isinstance(choice, EngineChoice):
        raise DeviceError(choice.reasons[0])
    return bundle, choice, load(FLAVOURS[context.flavour])


def load_backend(context: Context, graphs: bool = True, threads: int = 0) -> TensorRTBackend:
    """Return the backend on those engines, made as the package makes it. Raises DeviceError."""
    bundle, choice, trt = choose_engines(context)
    return TensorRTBackend(bundle, choice, trt, threads, require_gpu(0), graphs=graphs)
