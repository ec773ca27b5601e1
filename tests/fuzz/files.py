"""Several files as one input: a zip archive, which a person can open as well."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path, PurePosixPath
from random import Random

from efficientscn_trt.io.signatures import is_zip

_Damaged = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


def packed(files: dict[str, bytes]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    """The files, none if `data` is no archive or a damaged one."""
    if not is_zip(data):
        return {}
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            small = [each for each in archive.infolist() if each.file_size < 1 << 22]
            return {PurePosixPath(each.filename).name: archive.read(each) for each in small}
    except _Damaged:
        return {}


def one_changed(data: bytes, random: Random, change: Callable[[bytes, Random], bytes]) -> bytes:
    """`change` applied to one of the files, or to `data` if that is none of several."""
    files = unpacked(data)
    if not files:
        return change(data, random)
    name = random.choice(list(files))
    return packed(files | {name: change(files[name], random)})


def laid_out(files: dict[str, bytes], folder: Path) -> Path | None:
    """Write the files. Returns the first, None if there is none or a name is not usual."""
    for name, content in files.items():
        if not name or "\0" in name or len(name) > 100:
            return None
        (folder / name).write_bytes(content)
    return next((folder / name for name in files), None)
