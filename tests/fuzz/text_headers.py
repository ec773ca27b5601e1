"""Change NRRD and MetaImage: their headers are lines, behind which the voxels come."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping, Sequence
from functools import partial
from random import Random

from fuzz import mutation
from fuzz.files import one_changed


def mutate(data: bytes, random: Random, end: bytes, separator: str, words: Sequence[str]) -> bytes:
    """`end`: how the header ends. `words`: names and values that it may have."""
    return one_changed(data, random, partial(_changed, end=end, separator=separator, words=words))


def words_of(*headers: Mapping[str, object]) -> list[str]:
    """The names and the values of these fields."""
    return [str(word) for fields in headers for field in fields.items() for word in field]


def _changed(content: bytes, random: Random, end: bytes, separator: str, words: Sequence[str]) -> bytes:
    choice = random.random()
    header, found, voxels = content.partition(end)
    if choice < 0.1 or not found:
        return mutation.raw(content)
    if choice < 0.15:
        return mutation.cut(random, content)
    if choice < 0.2:
        return header + end + mutation.raw(voxels)
    if choice < 0.25:
        return header + end + gzip.compress(_plain(voxels), 1, mtime=0)
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        lines = header.decode("latin-1").split("\n")
        header = "\n".join(mutation.lines(random, lines, separator, words)).encode("latin-1", "replace")
    return header + end + voxels


def _plain(voxels: bytes) -> bytes:
    try:
        return zlib.decompress(voxels, 47)
    except zlib.error:
        return voxels
