"""What this machine's processor has."""

from __future__ import annotations

import openvino as ov

HAS_BF16 = "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
