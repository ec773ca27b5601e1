"""Open the bytes of a file, whether they are compressed, written as text, or neither."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from isal import igzip, isal_zlib
from isal.igzip_lib import IsalError

from ..errors import InputError
from .paths import is_there
from .wording import system_reason

CHUNK = 1 << 20
#: What numbers in text become. The shortest has one character, the last no space behind it.
TEXT = np.dtype(np.float64)
#: How many bytes one byte of a file can stand for. Sources: the documentation of zlib and of bzip2
DENSEST = {"raw": 1, "gzip": 1032, "zlib": 1032, "bzip2": 1 << 21, "hex": 0.5, "text": TEXT.itemsize}

_LONGEST_NUMBER = 32  # characters
_DAMAGES = (
    EOFError,
    ValueError,
    OverflowError,
    gzip.BadGzipFile,
    zlib.error,
    cast("type[Exception]", IsalError),
)


@contextmanager
def opened(path: Path, encoding: str, offset: int = 0) -> Iterator[BinaryIO]:
    """The bytes of a file from `offset` on, decoded. `encoding` is a key of DENSEST.

    Raises InputError, also where the block reads damaged ones.
    """
    is_there(path, InputError)
    try:
        with path.open("rb") as file:
            file.seek(offset)
            with _decoded(file, encoding) as stream:
                yield stream
    except _DAMAGES as error:
        raise _damaged(path, encoding, str(error)) from error
    except OSError as error:
        if error.errno is None:  # of bz2
            raise _damaged(path, encoding, str(error)) from error
        raise InputError(f"{path} cannot be read: {system_reason(error)}.") from error


def encoding_of(path: Path) -> str:
    """ "gzip" if a file is compressed by it, else "raw". Raises InputError."""
    is_there(path, InputError)
    try:
        with path.open("rb") as stream:
            return "gzip" if stream.read(2) == b"\x1f\x8b" else "raw"
    except OSError as error:
        raise InputError(f"{path} cannot be read: {system_reason(error)}.") from error


def _decoded(file: BinaryIO, encoding: str) -> BinaryIO:
    if encoding == "gzip":
        return cast(BinaryIO, igzip.IGzipFile(fileobj=file, mode="rb"))
    if encoding == "bzip2":
        import bz2

        return cast(BinaryIO, bz2.BZ2File(file))
    if encoding == "zlib":
        return cast(BinaryIO, _Zlib(file))
    if encoding == "hex":
        return io.BytesIO(bytes.fromhex(file.read().decode()))
    if encoding == "text":
        return cast(BinaryIO, _Numbers(file))
    return file


def _damaged(path: Path, encoding: str, reason: str) -> InputError:
    return InputError(f"{path} is damaged or cut short ({encoding}: {reason}); copy or download it again.")


class _Numbers(io.RawIOBase):
    """The numbers of a text, each as TEXT."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._word, self._bytes = file, b"", b""

    def readable(self) -> bool:
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]
        while not self._bytes and (text := self._file.read(CHUNK)):
            self._parse(text)
        if not self._bytes and self._word:
            self._parse(b" ")
        found = min(len(target), len(self._bytes))
        target[:found], self._bytes = self._bytes[:found], self._bytes[found:]
        return found

    def _parse(self, text: bytes) -> None:
        text = (self._word + text).replace(b",", b" ")
        words = text.split()
        self._word = b"" if not words or text[-1:].isspace() else words.pop()
        try:
            if b"_" in text or max(map(len, [*words, self._word])) > _LONGEST_NUMBER:
                raise ValueError
            self._bytes = np.array(words, "S").astype(TEXT).tobytes()
        except ValueError as error:
            raise ValueError("not all are numbers") from error


class _Zlib(io.RawIOBase):
    """The bytes of a zlib stream, whose checksum counts."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._zlib = file, isal_zlib.decompressobj()

    def readable(self) -> bool:
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]
        while len(target) and not self._zlib.eof:  # a length of 0 would mean any length
            compressed = self._zlib.unconsumed_tail or self._file.read(CHUNK)
            found = self._zlib.decompress(compressed, len(target))
            if found:
                target[: len(found)] = found
                return len(found)
            if not compressed:
                raise EOFError("the stream ends before its end mark")
        return 0
