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
from ..bundle.trust import ANYONE, SigningKey, TrustedKeys, own_key, write_signature
from ..errors import BundleError
from ..user_cache import cache_folder


def cached_bundle(bundle: Bundle) -> Bundle | None:
    """Load the copy of `bundle` in the user's cache, with the engines built for it; None if there is none.

    Raises SignatureError if the user's own key cannot be used.
    """
    cache, key = cache_folder(), copy_key(bundle, make=False)
    if cache is None or (bundle.trusted and key is None):
        return None
    with suppress(BundleError):
        copy = bundles.load(_place(bundle, cache), _trust_in_copy(key))
        if _without_engines(copy) == _without_engines(bundle):
            return copy
    return None


def make_copy(bundle: Bundle, cache: Path, key: SigningKey | None) -> Bundle:
    """Load the copy of `bundle` in the user's folder `cache`; if there is none, make one without engines.

    `key`: has to have signed it, and signs a new one. None: it needs no signature.
    Raises OutputError if the copy cannot be written.
    """
    if (copy := cached_bundle(bundle)) is not None:
        return copy
    place = _place(bundle, cache)
    shutil.rmtree(place, ignore_errors=True)  # somebody may have put the copy of another bundle there
    return cached_copy(place, partial(_fill, bundle, key), _trust_in_copy(key))


def copy_key(bundle: Bundle, *, make: bool) -> SigningKey | None:
    """The key that signs the copy of `bundle`: the user's own, if only signed engines may be loaded.

    `make`: make it if there is none. Raises SignatureError if it cannot be used.
    """
    return own_key(make=make) if bundle.trusted else None


def _trust_in_copy(key: SigningKey | None) -> TrustedKeys:
    return ANYONE if key is None else TrustedKeys((key.public,))


def _fill(bundle: Bundle, key: SigningKey | None, copy: Path) -> None:
    manifest = _without_engines(bundle)
    for name in manifest.files:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(bundle.path / name, copy / name)
    content = manifest.to_json().encode()
    (copy / bundles.MANIFEST).write_bytes(content)
    if key is not None:
        write_signature(copy, content, key)


def _place(bundle: Bundle, cache: Path) -> Path:
    """The folder of the copy; its name is a hash of the manifest."""
    digest = hashlib.sha256(_without_engines(bundle).to_json().encode()).hexdigest()
    return cache / "engines" / digest[:16]


def _without_engines(bundle: Bundle) -> Manifest:
    return dataclasses.replace(bundle.manifest, engines=())
