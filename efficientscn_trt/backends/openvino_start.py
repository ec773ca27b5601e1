"""OpenVINO, for the other modules to import from here: without its telemetry, and ready for threads."""

from __future__ import annotations

import sys
import threading
from typing import Any

import numpy as np

_TELEMETRY = "openvino_telemetry"

# Its import alone would report to a server of Google's. Where the package is missing, a stub takes its place.
_loaded = {name: sys.modules[name] for name in [_TELEMETRY] if name in sys.modules}
sys.modules[_TELEMETRY] = None  # type: ignore[assignment]
try:
    import openvino as ov
    from openvino import opset13 as op
finally:
    del sys.modules[_TELEMETRY]
    sys.modules.update(_loaded)

# OpenVINO's first array sets up what all others need. Of two threads that ask for it at once, one could hold
# the setup and wait for the interpreter, and the other hold the interpreter and wait for the setup.
op.constant(np.zeros(1, np.float32)).data  # noqa: B018

_compiling = threading.Lock()


def compile_model(core: ov.Core, graph: ov.Model, config: dict[str, Any]) -> ov.CompiledModel:
    """`graph`, compiled for the CPU; one at a time in a process.

    OpenVINO sets the process's locale to "C" while it compiles. Of two that overlap, the second takes "C" for
    what it has to restore, and from then on Python decodes files and pipes as ASCII.
    """
    with _compiling:
        return core.compile_model(graph, "CPU", config)


__all__ = ["compile_model", "op", "ov"]
