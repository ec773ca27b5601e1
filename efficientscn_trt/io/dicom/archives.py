"""Zip archives: what is in them, and whether all of it is there."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ...errors import InputError
from ..streams import CHUNK
from ..wording import excerpt, system_reason

# Sources: APPNOTE.TXT of PKWARE, sections 4.3.14 to 4.3.16
_END, _END_BYTES, _LONGEST_COMMENT = b"PK\x05\x06", 22, 0xFFFF
_LOCATOR, _LOCATOR_BYTES = b"PK\x06\x07", 20
_END_64, _END_64_BYTES = b"PK\x06\x06", 56

_MOST_UNPACKED = 1 << 30  # what is unpacked in a few seconds
_DENSEST_CT = 100  # deflate makes CT 2 to 20 times smaller, and equal bytes 1000 times


@dataclass(frozen=True)
class Member:
    """A file in a zip archive."""

    archive: zipfile.ZipFile
    info: zipfile.ZipInfo

    @property
    def name(self) -> str:
        """Its name without its folders."""
        return self.info.filename.rpartition("/")[2]

    def open(self, mode: str = "rb") -> IO[bytes]:
        """Open it to be read. Raises InputError."""
        try:
            return self.archive.open(self.info)
        except NotImplementedError as error:
            raise InputError(
                f"{self.archive.filename} is compressed in a way that is not supported; unpack it, and give "
                "the folder."
            ) from error

    def check(self) -> None:
        """Compare its bytes with its checksum. Raises zipfile.BadZipFile.

        From Python 3.12 on, one that is stored without compression is not checked once it was sought in.
        """
        if self.info.compress_type == zipfile.ZIP_STORED:
            with self.open() as stream:
                while stream.read(CHUNK):
                    pass

    def __str__(self) -> str:
        return f"{self.archive.filename}/{self.info.filename}"


@contextmanager
def opened_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """The zip archive at `path`, whose directory has as many entries as it says.

    Raises InputError, also where the block finds it damaged.
    """
    try:
        with _archive(path) as archive:
            yield archive
    except (zipfile.BadZipFile, EOFError) as error:
        raise _damaged(path, str(error)) from error


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        announced = _announced_entries(path)
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {system_reason(error)}.") from error
    except MemoryError:
        raise
    except Exception as error:  # zipfile raises errors of many kinds
        raise _damaged(path, str(error)) from error
    entries = archive.infolist()
    refusal = None
    if announced != len(entries):
        refusal = _damaged(path, f"its directory has {len(entries)} entries, but announces {announced}")
    elif not all(info.filename for info in entries):
        refusal = _damaged(path, "a file in it has no name")
    elif any(info.flag_bits & 1 for info in entries):
        refusal = InputError(f"{path} is encrypted; unpack it, and give the folder.")
    else:
        refusal = _too_dense(path, sum(info.file_size for info in entries))
    if refusal:
        archive.close()
        raise refusal
    return archive


def _too_dense(path: Path, unpacked: int) -> InputError | None:
    """A refusal of what no CT can be, because unpacking it would take long."""
    packed = path.stat().st_size  # not the sizes of its entries, whose bytes can be the same ones
    if unpacked <= max(_MOST_UNPACKED, _DENSEST_CT * packed):
        return None
    return InputError(
        f"{path} has {packed} bytes, but unpacks to {unpacked}, expected at most {_DENSEST_CT} times "
        "as many; unpack it, and give the folder with the scan."
    )


def _announced_entries(path: Path) -> int:
    """The number of entries that the end of an archive says its directory has."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _END_BYTES - _LONGEST_COMMENT - _LOCATOR_BYTES))
        tail = file.read()
        end = tail.rfind(_END)
        if end < 0 or len(tail) < end + _END_BYTES:
            raise zipfile.BadZipFile("it has no end of its directory")
        locator = tail[max(0, end - _LOCATOR_BYTES) : end]
        if locator.startswith(_LOCATOR):  # more than 65,535 entries, or more than 4 GiB
            file.seek(int.from_bytes(locator[8:16], "little"))
            end_64 = file.read(_END_64_BYTES)
            if end_64.startswith(_END_64):
                return int.from_bytes(end_64[32:40], "little")
        return int.from_bytes(tail[end + 10 : end + 12], "little")


def _damaged(path: Path, reason: str) -> InputError:
    return InputError(f"{path} is damaged or cut short ({excerpt(reason)}); copy or download it again.")
