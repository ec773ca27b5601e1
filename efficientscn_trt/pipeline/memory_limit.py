"""How much memory a scan will need, and the limit above which it is refused."""

from __future__ import annotations

import operator
from copy import copy
from typing import SupportsIndex

from ..bundle import Bundle
from ..errors import MemoryLimitError
from ..io.unread import Unread
from ..io.wording import by_axis, shown
from ..system import give_back_freed_memory, resident_bytes
from ..triples import Size, Triple
from .need import MemoryNeed
from .run import Pipeline
from .spacing import network_spacing

#: What a process takes once it reads a scan: the libraries for it, and networks that are still being loaded.
_LATER = 96 << 20


class MemoryLimit:
    """What may be taken by this process, with the networks of one pipeline."""

    def __init__(self, pipeline: Pipeline, bundle: Bundle, most: int | None) -> None:
        """Made when the networks are loaded. `most`: the limit in bytes, None for no limit."""
        self.pipeline, self.most = pipeline, most
        self.unknown_spacing = bundle.manifest.pipeline.unknown_spacing
        give_back_freed_memory()
        self.loaded = resident_bytes() + _LATER
        self.kept = 0  # by the networks, for the next scan

    def at_most(self, most: int) -> MemoryLimit:
        """The same, with a limit of `most` bytes if that is lower."""
        lower = copy(self)
        lower.most = min(most, self.most or most)
        return lower

    def for_a_scan(self) -> ScanMemory:
        """The memory of the next run."""
        return ScanMemory(self)


class ScanMemory:
    """Estimates what this process needs for one scan, were it the only one, and refuses what is too much."""

    def __init__(self, limit: MemoryLimit) -> None:
        self._limit = limit
        self._scan: Unread | None = None
        self._input: Size | None = None

    def admit(self, scan: Unread) -> None:
        """Refuse `scan` before its voxels are read, if it needs too much even for the smallest box.

        Raises MemoryLimitError, BundleError.
        """
        self._scan = scan
        if self._limit.most is None:
            return
        need = self._check(self._limit.most, "at least")
        if self._limit.loaded + self._limit.kept + max(need.reading, need.localization) > self._limit.most:
            self._limit.pipeline.trim()

    def admit_input(self, size: Size) -> None:
        """Refuse the scan if the segmentation network would need too much for an input of `size` (z, y, x).

        Raises MemoryLimitError, BundleError.
        """
        self._input = size
        if self._limit.most is not None:
            self._limit.kept = self._check(self._limit.most, "about").segmentation

    def estimate(self) -> int:
        """The most memory of the host that this process needs, in bytes. Raises BundleError."""
        return self._limit.loaded + self._need().most

    def largest_need(self) -> MemoryNeed:
        """What the scan needs if the region of interest is all of it. Raises BundleError."""
        assert self._scan is not None
        spacing = self._spacing(self._scan)
        pipeline = self._limit.pipeline
        return pipeline.need(self._scan, spacing, pipeline.largest_input(self._scan, spacing))

    def _check(self, most: int, about: str) -> MemoryNeed:
        need = self._need()
        if (estimate := self._limit.loaded + need.most) > most:
            assert self._scan is not None
            name, size = self._scan.name, by_axis(self._scan.geometry.size)
            raise MemoryLimitError(
                f"{name} ({size} voxels) needs {about} {_gib(estimate)} GiB of memory, expected at most "
                f"{_gib(most)} GiB; raise the limit, or crop the scan to the abdomen."
            )
        return need

    def _need(self) -> MemoryNeed:
        assert self._scan is not None
        return self._limit.pipeline.need(self._scan, self._spacing(self._scan), self._input)

    def _spacing(self, scan: Unread) -> Triple:
        return network_spacing(scan.geometry, self._limit.unknown_spacing)[0]


def memory_limit(most: SupportsIndex | None) -> int | None:
    """`most` bytes as an int. Raises ValueError unless it is None or a positive whole number."""
    if most is None:
        return None
    try:
        limit = operator.index(most)
    except TypeError:
        limit = 0
    if limit <= 0:
        raise ValueError(
            f"The memory limit is {shown(most)}, expected a positive whole number of bytes, or None for no "
            "limit."
        )
    return limit


def _gib(count: int) -> str:
    return f"{count / 2**30:.2f}"
