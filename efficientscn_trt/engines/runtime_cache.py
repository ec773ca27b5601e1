"""The kernels that TensorRT-RTX compiles for the shapes it runs, kept from one process to the next."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import OutputError
from ..io.atomic import replacing


class RuntimeCache:
    """The cache of one engine on one GPU, in the file `path`. A file that does not fit is replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cache: Any = None
        self._saved = b""

    def attach(self, config: Any) -> None:
        """Make `config`, an `IRuntimeConfig`, use this cache."""
        self._cache = config.create_runtime_cache()
        with suppress(OSError):
            self._saved = self._path.read_bytes()
            self._cache.deserialize(self._saved)  # if it is of another driver or GPU, the cache stays empty
        config.set_runtime_cache(self._cache)

    def save(self) -> None:
        """Write the kernels that were compiled since the last save. The GPU must be current.

        A failure raises nothing; the kernels are then compiled again later.
        """
        serialized = None if self._cache is None else self._cache.serialize()
        content = b"" if serialized is None else bytes(serialized)
        if content in (b"", self._saved):
            return
        with suppress(OSError, OutputError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(self._path) as temporary:
                temporary.write_bytes(content)
            self._saved = content
