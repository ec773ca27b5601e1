"""Translate a kernel's source to C++ for the emulator: launches and shared memory, which are not C++.

python translate.py KERNELS.cu OUTPUT.cc
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

RULES = (
    (
        r"extern __shared__ (\w+) (\w+)\[\];",
        r"auto* \2 = static_cast<\1*>(emulated::dynamic_shared_memory());",
    ),
    (r"__shared__ (\w+) (\w+)((?:\[\w+\])?);", r"auto& \2 = emulated::shared<\1\3>(__LINE__);"),
    (r"(\w+(?:<[\w()]+>)?)<<<(.+?)>>>\((.*?)\);", r"emulated::launch(\2, [=] { \1(\3); });"),
)


def translate(source: str) -> str:
    """Return the same lines in C++. Raises ValueError for a form that the rules do not know."""
    for pattern, replacement in RULES:
        source = re.sub(pattern, replacement, source)
    for left in ("<<<", "__shared__"):
        if left in source:
            raise ValueError(f"{left} in a form that tests/emulator/translate.py does not know")
    return source


if __name__ == "__main__":
    kernels, output = map(Path, sys.argv[1:])
    text = f'#include "blocks.h"\n#line 1 "{kernels}"\n' + translate(kernels.read_text(encoding="utf-8"))
    output.write_text(text, encoding="utf-8")
