"""Import OpenVINO without its telemetry, and safe for threads. Other modules import it from here."""

from __future__ import annotations

import sys
import threading
from typing import Any

import numpy as np

_TELEMETRY = "openvino_telemetry"

# Importing the telemetry package would report to a Google server. Without that package OpenVINO uses a stub.
_loaded = {name: sys.modules[name] for name in [_TELEMETRY] if name in sys.modules}
sys.modules[_TELEMETRY] = None  # type: ignore[assignment]
try:
    import openvino as ov
    from openvino import opset13 as op
finally:
    del sys.modules[_TELEMETRY]
    sys.modules.update(_loaded)

# The first array in OpenVINO runs a setup for all arrays, so this module makes one. Two threads that start
# the setup at once could deadlock: one holds the lock of the setup and waits for the GIL, the other the
# reverse.
op.constant(np.zeros(1, np.float32)).data  # noqa: B018

_compiling = threading.Lock()


def compile_model(core: ov.Core, graph: ov.Model, config: dict[str, Any]) -> ov.CompiledModel:
    """Compile `graph` for the CPU, one graph at a time in a process.

    OpenVINO sets the process's locale to "C" while it compiles, and then restores the old one. If two
    compilations overlap, the second restores "C", and from then on Python decodes files and pipes as ASCII.
    """
    with _compiling:
        return core.compile_model(graph, "CPU", config)


__all__ = ["compile_model", "op", "ov"]
