"""The features of this machine's processor, and the precision that follows from them."""

from __future__ import annotations

from efficientscn_trt.backends.cpu import has_bfloat16
from efficientscn_trt.system import instruction_sets

HAS_BF16 = has_bfloat16()
DEFAULT_PRECISION = "bf16" if HAS_BF16 and "amx_bf16" in instruction_sets() else "fp32"
