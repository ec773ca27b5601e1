"""What can be measured: anything that makes a label map of a scan, such as this package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..triples import Size, Triple


@dataclass(frozen=True)
class Outcome:
    """One label map, and what it took to make it.

    `save` writes it to a .nii.gz. `box_mm`: start and end (z, y, x) of the region of interest. `input_sizes`:
    size (z, y, x) of each network's input; empty if unknown. `seconds`: of each stage. `device_memory`: bytes
    of the arena on a GPU.
    """

    save: Callable[[Path], object]
    box_mm: tuple[Triple, Triple]
    input_sizes: dict[str, Size]
    seconds: dict[str, float]
    device_memory: int = 0


class Candidate(Protocol):
    """Made once in a process. The constructor loads the networks; `note` says what runs them."""

    note: str

    def read(self, scan: Path) -> Any:
        """Read a scan, for several calls of `segment`."""
        ...

    def segment(self, scan: Any) -> Outcome:
        """Label a scan: a file, or what `read` gave. For a file, the first stage in `seconds` is "read"."""
        ...


class OwnPipeline:
    """This package's `Segmenter`. A scan that was read is a NumPy array with its spacing."""

    def __init__(self, bundle: str, device: str = "auto", precision: str = "auto", threads: int = 0) -> None:
        from ..segmenter import Segmenter

        self._segmenter = Segmenter(bundle, device, precision, threads)
        self.note = f"{self._segmenter.device} {self._segmenter.precision}"

    def read(self, scan: Path) -> Any:
        """See `Candidate`."""
        from ..io.volume import open_scan

        opened = open_scan(scan, values=False)
        return opened.lps, opened.geometry.lps_spacing[::-1]

    def segment(self, scan: Any) -> Outcome:
        """See `Candidate`."""
        volume, spacing = (scan, None) if isinstance(scan, Path) else scan
        result = self._segmenter.segment(volume, spacing=spacing)
        box = result.box.start_mm, result.box.end_mm
        return Outcome(result.save, box, result.input_sizes, result.seconds, result.peak_device_memory)
