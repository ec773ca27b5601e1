"""One scan of many, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..io.volume import Volume
from ..result import Segmentation


@dataclass(frozen=True)
class Request:
    """A scan with the options that `Segmenter.segment` takes for it.

    Attributes:
        volume: what `Segmenter.segment` takes.
        spacing: of an array, (x, y, z) in mm.
        series: the series instance UID to read where a path has several CT series.
        orientation: where the axes of a file run whose header does not say it, such as "LPS".
    """

    volume: Volume
    spacing: Sequence[float] | None = None
    series: str | None = None
    orientation: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of one request: a result or an error.

    Attributes:
        index: the number of the request, from 0, in the order in which they were given.
        request: the scan with its options.
        found: the result, or what `Segmenter.segment` would have raised.
    """

    index: int
    request: Request
    found: Segmentation | Exception

    @property
    def error(self) -> Exception | None:
        """What `Segmenter.segment` would have raised, None if there is a result."""
        return self.found if isinstance(self.found, Exception) else None

    @property
    def result(self) -> Segmentation:
        """The result. Raises the error if there is none."""
        if isinstance(self.found, Exception):
            raise self.found
        return self.found
