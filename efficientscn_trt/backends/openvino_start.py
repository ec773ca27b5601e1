"""OpenVINO, for the other modules to import from here: without its telemetry, and ready for threads."""

from __future__ import annotations

import sys

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

__all__ = ["op", "ov"]
