"""What is measured: something that makes a label map of a scan, and this package as one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from unittest.mock import patch

if TYPE_CHECKING:
    import numpy as np
    import SimpleITK as sitk

    from ..backends import Backend

Triple = tuple[float, float, float]
Size = tuple[int, int, int]


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
        from .. import backends
        from ..segmenter import Segmenter

        with patch.object(backends, "load", self._watched(backends.load)):
            self._segmenter = Segmenter(bundle, device, precision, threads)
        self.note = f"{self._segmenter.device} {self._segmenter.precision}"

    def _watched(self, load: Callable[..., Backend]) -> Callable[..., Backend]:
        """`load`, but of a backend that runs on the host one sees what it is given."""
        self._sizes: dict[str, Size] = {}

        def watched(*arguments: Any) -> Backend:
            backend = load(*arguments)
            return backend if hasattr(backend, "core") else _Watch(backend, self._sizes)

        return watched

    def segment(self, scan: Path | sitk.Image) -> Outcome:
        """Label a scan."""
        result = self._segmenter.segment(scan)
        box = result.box.start_mm, result.box.end_mm
        return Outcome(result.image, box, dict(self._sizes), result.seconds, result.peak_device_memory)


class _Watch:
    """A backend that notes the sizes of what it is given."""

    def __init__(self, backend: Backend, sizes: dict[str, Size]) -> None:
        self._backend, self._sizes = backend, sizes
        self.device, self.precision = backend.device, backend.precision

    def localize(self, image: np.ndarray) -> np.ndarray:
        self._note("localization", image)
        return self._backend.localize(image)

    def segment(self, image: np.ndarray) -> np.ndarray:
        self._note("segmentation", image)
        return self._backend.segment(image)

    def trim(self) -> None:
        self._backend.trim()

    def _note(self, network: str, image: np.ndarray) -> None:
        z, y, x = image.shape
        self._sizes[network] = (z, y, x)
