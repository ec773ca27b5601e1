"""`segment_many`: an iterator over the outcomes of many scans."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from typing import SupportsIndex

from ..io.volume import Volume
from ..pipeline.memory_limit import MemoryLimit, memory_limit
from ..segmenter import Segmenter
from ..system import available_bytes, usable_cores
from .flow import Flow
from .request import Outcome, Request

_MOST_READERS = 8
_PART_OF_MEMORY = 0.8
_UNKNOWN_MEMORY = 4 << 30


def segment_many(
    volumes: Iterable[Volume | Request],
    segmenter: Segmenter | None = None,
    *,
    memory: SupportsIndex | None = None,
) -> Generator[Outcome, None, None]:
    """Label the organs of many CTs. The next scans are read while the networks run.

    Outcomes come in the order in which they are done. A scan that cannot be segmented is an outcome with an
    error, and costs no other scan. Results do not depend on the order, nor on what else is in flight.

    Args:
        volumes: what `Segmenter.segment` takes, or a `Request` where a scan needs options. They are asked for
            a few at a time, in the caller's thread.
        segmenter: loads the networks of the default bundle if it is None.
        memory: bytes of the host that this process may take. Scans are read ahead as far as their estimates
            leave room; one that needs more alone is refused. An outcome counts until the next one is asked
            for. Default: 80 % of what the machine and its cgroup leave.

    Raises ValueError for a limit that is no positive number of bytes, and what `volumes` raises. Close the
    iterator (`contextlib.closing`) to end early.
    """
    most = memory_limit(memory) or default_memory()
    segmenter = segmenter or Segmenter()
    return _outcomes(iter(volumes), segmenter, segmenter._memory.at_most(most))


def default_memory() -> int:
    """The bytes of the host that many scans may take if the caller does not say it."""
    return int(_PART_OF_MEMORY * (available_bytes() or _UNKNOWN_MEMORY))


def reader_count(cores: int = 0) -> int:
    """How many threads read scans, so that the networks seldom wait for one. `cores`: 0 for those of this
    process.
    """
    return min(_MOST_READERS, max(1, (cores or usable_cores()) // 2))


def most_in_flight(readers: int) -> int:
    """The scans that are read, wait for the networks, are in the networks, or with the caller."""
    return 2 * readers + 2


def _outcomes(
    volumes: Iterator[Volume | Request], segmenter: Segmenter, limit: MemoryLimit
) -> Generator[Outcome, None, None]:
    in_flight, readers = 0, reader_count()
    numbered = enumerate(volumes)
    flow = Flow(segmenter, limit, readers)
    try:
        while True:
            while in_flight < most_in_flight(readers) and (found := next(numbered, None)):
                index, volume = found
                flow.give(index, volume if isinstance(volume, Request) else Request(volume))
                in_flight += 1
                del found, volume  # this frame would keep an array until the next one
            if not in_flight:
                return
            outcome = flow.take()
            yield outcome
            flow.release(outcome)
            in_flight -= 1
            del outcome
    finally:
        flow.close()
