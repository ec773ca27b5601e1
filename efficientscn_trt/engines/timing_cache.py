"""TensorRT's timings of kernels on one GPU, kept so that the next build on it need not repeat them."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from ..errors import OutputError
from ..io.atomic import replacing
from .flavours import Flavour
from .machine import Gpu


class TimingCache:
    """A file beside a bundle, one for each version of TensorRT and each model of GPU."""

    def __init__(self, bundle: Path, flavour: Flavour, version: str, gpu: Gpu) -> None:
        model = re.sub(r"[^A-Za-z0-9]+", "-", gpu.name).strip("-")
        name = f"{bundle.resolve().name}.{flavour.name}-{version}.{model}.timing-cache"
        self.path = bundle.resolve().with_name(name)

    def read(self) -> bytes:
        """Its content, empty if there is none yet."""
        try:
            return self.path.read_bytes()
        except OSError:
            return b""

    def write(self, content: bytes) -> None:
        """Keep `content`. If it cannot be written, the next build measures the timings again."""
        with suppress(OutputError), replacing(self.path) as temporary:
            temporary.write_bytes(content)
