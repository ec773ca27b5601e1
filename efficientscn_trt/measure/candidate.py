"""What is measured: something that makes a label map of a scan, and this package as one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import SimpleITK as sitk

    from ..backends import Backend

Triple = tuple[float, float, float]
Size = tuple[int, int, int]


@dataclass(frozen=True)
class Outcome:
    """One label map, the box that was searched (start and end in mm, z y x), the sizes that the networks saw
    (z, y, x; empty where they are not known), and seconds a stage.
    """

    labels: sitk.Image
    box_mm: tuple[Triple, Triple]
    input_sizes: dict[str, Size]
    seconds: dict[str, float]


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
        self._watch = _Watch(self._segmenter._backend)
        self._segmenter._backend = self._watch
        self.note = f"{self._segmenter.device} {self._segmenter.precision}"

    def segment(self, scan: Path | sitk.Image) -> Outcome:
        """Label a scan."""
        result = self._segmenter.segment(scan)
        box = result.box.start_mm, result.box.end_mm
        return Outcome(result.image, box, dict(self._watch.sizes), result.seconds)


class _Watch:
    """A backend that remembers what it was given."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.device, self.precision = backend.device, backend.precision
        self.sizes: dict[str, Size] = {}

    def localize(self, image: np.ndarray) -> np.ndarray:
        self._note("localization", image)
        return self._backend.localize(image)

    def segment(self, image: np.ndarray) -> np.ndarray:
        self._note("segmentation", image)
        return self._backend.segment(image)

    def _note(self, network: str, image: np.ndarray) -> None:
        z, y, x = image.shape
        self.sizes[network] = (z, y, x)
