"""What is measured: something that makes a label map of a scan, and this package as one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import SimpleITK as sitk

from ..triples import Size, Triple


@dataclass(frozen=True)
class Outcome:
    """One label map, and the account of its making.

    `box_mm`: start and end of what was searched, z y x. `input_sizes`: z y x of what each network saw, empty
    where it is not known. `seconds` a stage. `device_memory`: bytes of the arena on a GPU.
    """

    labels: sitk.Image
    box_mm: tuple[Triple, Triple]
    input_sizes: dict[str, Size]
    seconds: dict[str, float]
    device_memory: int = 0


class Candidate(Protocol):
    """Made once in a process: its constructor loads the networks. `note` says what runs them."""

    note: str

    def segment(self, scan: Path | sitk.Image) -> Outcome:
        """Label a scan; the seconds of a file begin with the stage "read"."""
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
