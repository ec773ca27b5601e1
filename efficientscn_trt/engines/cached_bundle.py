"""The copy of a bundle in the user's cache, which holds the engines that were built on this machine."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from contextlib import suppress
from functools import partial
from pathlib import Path

from .. import bundle as bundles
from ..bundle import Bundle, Manifest
from ..bundle.cached_copy import cached_copy
from ..errors import BundleError
from ..user_cache import cache_folder


def cached_bundle(bundle: Bundle) -> Bundle | None:
    """Load the copy of `bundle` in the user's cache, with the engines built for it; None if there is none."""
    if (cache := cache_folder()) is not None:
        with suppress(BundleError):
            return bundles.load(_place(bundle, cache))
    return None


def make_copy(bundle: Bundle, cache: Path) -> Bundle:
    """Load the copy of `bundle` in the folder `cache`; if it is missing or damaged, make one without engines.

    Raises OutputError if the copy cannot be written.
    """
    return cached_copy(_place(bundle, cache), partial(_fill, bundle))


def _fill(bundle: Bundle, copy: Path) -> None:
    manifest = _without_engines(bundle)
    for name in manifest.files:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(bundle.path / name, copy / name)
    (copy / bundles.MANIFEST).write_text(manifest.to_json(), encoding="utf-8")


def _place(bundle: Bundle, cache: Path) -> Path:
    """The folder of the copy; its name is a hash of the manifest."""
    digest = hashlib.sha256(_without_engines(bundle).to_json().encode()).hexdigest()
    return cache / "engines" / digest[:16]


def _without_engines(bundle: Bundle) -> Manifest:
    return dataclasses.replace(bundle.manifest, engines=())
