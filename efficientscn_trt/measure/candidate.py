"""What can be measured: anything that makes a label map of a scan, such as this package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import SimpleITK as sitk

from ..triples import Size, Triple


@dataclass(frozen=True)
class Outcome:
    """One label map, and what it took to make it.

    `box_mm`: start and end (z, y, x) of the region of interest. `input_sizes`: size (z, y, x) of each
    network's input; empty if unknown. `seconds`: of each stage. `device_memory`: bytes of the arena on a GPU.
    """

    labels: sitk.Image
    box_mm: tuple[Triple, Triple]
    input_sizes: dict[str, Size]
    seconds: dict[str, float]
    device_memory: int = 0


class Candidate(Protocol):
    """Made once in a process. The constructor loads the networks; `note` says what runs them."""

    note: str

    def segment(self, scan: Path | sitk.Image) -> Outcome:
        """Label a scan. For a file, the first stage in `seconds` is "read"."""
        ...


class OwnPipeline:
    """This package's `Segmenter`."""

    def __init__(self, bundle: str, device: str = "auto", precision: str = "auto", threads: int = 0) -> None:
        from ..segmenter import Segmenter

        self._segmenter = Segmenter(bundle, device, precision, threads)
        self.note = f"{self._segmenter.device} {self._segmenter.precision}"

    def segment(self, scan: Path | sitk.Image) -> Outcome:
        """Label a scan."""
        result = self._segmenter.segment(scan)
        box = result.box.start_mm, result.box.end_mm
        return Outcome(result.image, box, result.input_sizes, result.seconds, result.peak_device_memory)
