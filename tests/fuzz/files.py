"""Several files as one input: a zip archive, which a person can open as well."""

from __future__ import annotations

import zipfile
import zlib
from io import BytesIO
from pathlib import Path, PurePosixPath

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


def laid_out(data: bytes, folder: Path, name: str) -> Path | None:
    """The file `name` with this content, or the first of the files in an archive. None if that is damaged."""
    files = unpacked(data) if is_zip(data) else {name: data}
    for each, content in files.items():
        if not each or "\0" in each or len(each) > 100:
            return None
        (folder / each).write_bytes(content)
    return next((folder / each for each in files), None)
