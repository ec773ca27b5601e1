"""Import OpenVINO without its telemetry, safe for threads and forks. Other modules import it from here."""

from __future__ import annotations

import threading
from io import BytesIO
from typing import Any

import numpy as np

from ..io.absent import absent
from .forks import keep_in_children, prepare_by

# Importing the telemetry package would report to a Google server. Without that package OpenVINO uses a stub.
with absent("openvino_telemetry"):
    import openvino as ov
    from openvino import frontend
    from openvino import opset13 as op

# The first array in OpenVINO runs a setup for all arrays, so this module makes one. Two threads that start
# the setup at once could deadlock: one holds the lock of the setup and waits for the GIL, the other the
# reverse.
op.constant(np.zeros(1, np.float32)).data  # noqa: B018

RUNTIME = f"OpenVINO {ov.__version__.partition('-')[0]}"

ov_core = ov.Core()
keep_in_children(ov_core)
_compiling = threading.Lock()


def _end_idle_threads() -> None:
    """End the threads that OpenVINO keeps for the next compilation: in a child it would wait for them.

    It does so where a core that has loaded its plugin for CPUs is destroyed.
    """
    ov.Core().get_property("CPU", "FULL_DEVICE_NAME")


prepare_by(_end_idle_threads)


#: What OpenVINO raises where it cannot read or compile a network.
FAILURES: tuple[type[Exception], ...] = (
    RuntimeError,
    frontend.GeneralFailure,
    frontend.InitializationFailure,
    frontend.NotImplementedFailure,
    frontend.OpConversionFailure,
    frontend.OpValidationFailure,
    UnicodeDecodeError,  # its message has names in the file that are no UTF-8
)
_readers = frontend.FrontEndManager()


def read_onnx(content: bytes) -> ov.Model:
    """Read a network from the content of an ONNX file.

    `Core.read_model` would try the readers of other formats on a file that is no right ONNX, and these print.
    """
    reader = _readers.load_by_framework("onnx")
    return reader.convert(reader.load(BytesIO(content)))


def compile_model(graph: ov.Model, config: dict[str, Any]) -> ov.CompiledModel:
    """Compile `graph` for the CPU, one graph at a time in a process.

    OpenVINO sets the process's locale to "C" while it compiles, and then restores the old one. If two
    compilations overlap, the second restores "C", and from then on Python decodes files and pipes as ASCII.
    """
    with _compiling:
        compiled = ov_core.compile_model(graph, "CPU", config)
    keep_in_children(compiled)
    return compiled


__all__ = ["FAILURES", "RUNTIME", "compile_model", "op", "ov", "ov_core", "read_onnx"]
