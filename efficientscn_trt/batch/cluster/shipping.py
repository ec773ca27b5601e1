"""A bundle on its way to nodes that share no disk with this machine."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ... import bundle as bundles
from ...bundle import TrustedKeys
from ...bundle.cached_copy import cached_copy
from ...bundle.trust import SIGNATURE
from ...errors import OutputError
from ...user_cache import CACHE_VARIABLE, cache_folder

Files = dict[str, bytes]
"""The files of a bundle, by their names in its folder."""


def digest_of(bundle: Path) -> str:
    """A hash of the bundle at `bundle`: of its manifest, which has those of all files. Raises OSError."""
    return bundles.sha256(bundle / bundles.MANIFEST)


def packed(bundle: Path, trusted: TrustedKeys) -> Files:
    """All files of the bundle at `bundle`, with those of its engines. Raises BundleError, OSError."""
    manifest = bundles.load(bundle, trusted).manifest
    others = (SIGNATURE, *(engine.file for engine in manifest.engines))
    names = {bundles.MANIFEST, *manifest.files, *(name for name in others if (bundle / name).is_file())}
    return {name: (bundle / name).read_bytes() for name in sorted(names)}


def at_hand(bundle: Path, digest: str, trusted: TrustedKeys, fetch: Callable[[], Files]) -> Path:
    """The folder of the bundle with this `digest`: `bundle`, if that has it, else a copy in the user's cache.

    If there are `trusted` keys, one of them must have signed a copy. `fetch` is called for the files if
    neither has it. Raises OutputError if the copy cannot be written, and BundleError if it is damaged.
    """
    with suppress(OSError):
        if digest_of(bundle) == digest:
            return bundle
    cache = cache_folder()
    if cache is None:
        raise OutputError(
            f"No cache folder is writable, but the bundle needs one; set {CACHE_VARIABLE} to one that is."
        )
    return cached_copy(cache / "bundles" / digest[:16], lambda folder: _fill(fetch(), folder), trusted).path


def _fill(files: Files, folder: Path) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
