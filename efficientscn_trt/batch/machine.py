"""What a batch may use of a machine, and what its workers are started with."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from ..bundle import ANYONE, TrustedKeys
from .many import default_memory
from .worker import Setup


@dataclass(frozen=True)
class Machine:
    """What a batch may use: the arguments of `Segmenter`, a worker for each of `devices`, and memory in all.

    `memory`: in bytes; None for `default_memory`. `seconds`: how long a worker may be silent. `retries`: how
    often a scan that failed is tried again, unless it was refused for what it is. `trusted`: the keys of
    which one must have signed the bundle.
    """

    bundle: Path
    devices: tuple[str, ...]
    precision: str
    threads: int
    memory: int | None
    seconds: float
    retries: int
    trusted: TrustedKeys = ANYONE

    def setups(self, folder: Path) -> list[Setup]:
        """One for each device. Several share the cores of this machine and the memory.

        `folder`: for the outputs.
        """
        count = len(self.devices)
        memory = (self.memory or default_memory()) // count
        cores = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
        return [
            Setup(
                self.bundle.absolute(),
                device,
                self.precision,
                self.threads,
                memory,
                tuple(cores[number * len(cores) // count : (number + 1) * len(cores) // count]),
                folder.absolute(),
                self.trusted,
            )
            for number, device in enumerate(self.devices)
        ]
