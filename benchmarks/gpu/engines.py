"""Backends on the engines of one flavour and precision."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from efficientscn_trt import bundle as bundles
from efficientscn_trt.backends.tensorrt import Gpu, TensorRTBackend
from efficientscn_trt.engines import EngineChoice, Machine, select_engine, this_machine
from efficientscn_trt.engines.flavours import FLAVOURS, load
from efficientscn_trt.errors import DeviceError
from gpu.context import Context


def machine_of(flavour: str) -> Machine:
    """This machine as if no other TensorRT were installed."""
    machine = this_machine()
    versions = {name: version for name, version in machine.versions.items() if name == flavour}
    return replace(machine, versions=versions)


def load_backend(context: Context, graphs: bool = False, threads: int = 0) -> TensorRTBackend:
    """The backend on the engines that the step `engines` built. Raises DeviceError."""
    bundle = bundles.load(Path(context.bundle))
    machine = machine_of(context.flavour)
    choice = select_engine(bundle, machine, context.precision)
    if not isinstance(choice, EngineChoice):
        raise DeviceError(choice.reasons[0])
    assert machine.gpu is not None
    gpu = Gpu(0, machine.gpu.name)
    return TensorRTBackend(bundle, choice, load(FLAVOURS[context.flavour]), threads, gpu, graphs=graphs)
