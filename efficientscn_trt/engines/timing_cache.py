"""TensorRT's timings of kernels on one GPU, kept so that the next build on it need not repeat them.

What is wrong with a file that the user named is an error. The one beside the bundle, whose name has the
version of TensorRT and the model of GPU, may be missing, or fail to be written.
"""

from __future__ import annotations

import re
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import DeviceError, OutputError
from ..io.atomic import check_writable, replacing
from ..io.wording import system_reason
from .flavours import Flavour
from .machine import Gpu


@dataclass(frozen=True)
class TimingCache:
    """The file `path`. `named`: by the user. `complete`: it must have every timing, so nothing is added."""

    path: Path
    named: bool = False
    complete: bool = False

    @classmethod
    def beside(
        cls, bundle: Path, flavour: Flavour, version: str, gpu: Gpu, *, complete: bool = False
    ) -> TimingCache:
        """The one beside a bundle, for this version of TensorRT and this model of GPU."""
        model = re.sub(r"[^A-Za-z0-9]+", "-", gpu.name).strip("-")
        name = f"{bundle.resolve().name}.{flavour.name}-{version}.{model}.timing-cache"
        return cls(bundle.resolve().with_name(name), complete=complete)

    def check(self) -> None:
        """Refuse a file that could not be used, before any work is done. Raises DeviceError, OutputError."""
        if self.complete and not self.path.exists():
            raise DeviceError(
                f"There is no timing cache {self.path}, so every timing is missing; build once without "
                "--error-on-timing-cache-miss."
            )
        if self.named and not self.complete:
            check_writable(self.path)

    def read(self) -> bytes:
        """Its content, empty if there is none yet. Raises DeviceError if it is needed but unreadable."""
        try:
            return self.path.read_bytes()
        except OSError as error:
            if self.complete or (self.named and self.path.exists()):
                raise DeviceError(
                    f"{self.path}, the timing cache, cannot be read: {system_reason(error)}; give another "
                    "one."
                ) from error
            return b""

    def write(self, content: bytes) -> None:
        """Keep `content`. Raises OutputError if the user named the file and it cannot be written.

        If the one beside the bundle cannot be written, the next build measures the timings again.
        """
        if self.complete:
            return
        with nullcontext() if self.named else suppress(OutputError), replacing(self.path) as temporary:
            temporary.write_bytes(content)
