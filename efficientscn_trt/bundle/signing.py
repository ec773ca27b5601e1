"""Sign a bundle. Its signature answers for all of its files, so its engines are verified too."""

from __future__ import annotations

import dataclasses
import os

from ..errors import BundleError
from ..io.wording import system_reason
from .manifest import MANIFEST
from .reader import Bundle, read, verify_sha256
from .trust import ANYONE, SigningKey, TrustedKeys, refuse_link, write_signature


def sign(path: str | os.PathLike[str], key: SigningKey) -> Bundle:
    """Sign the bundle at `path` with `key`, and return it. A former signature is replaced.

    Raises BundleError if a file is missing, altered or a link, and OutputError.
    """
    bundle, manifest = read(path, ANYONE)
    for name in (MANIFEST, *bundle.manifest.files):
        refuse_link(bundle.path, name)
    verify_engines(bundle)
    write_signature(bundle.path, manifest, key)
    return dataclasses.replace(bundle, trusted=TrustedKeys((key.public,)), signed_by=key.public)


def verify_engines(bundle: Bundle) -> None:
    """Check that each engine of `bundle` is there, has its SHA-256 and is no link.

    `load` leaves that to the choice of an engine, because most machines use a few of them.
    Raises BundleError.
    """
    for engine in bundle.manifest.engines:
        refuse_link(bundle.path, engine.file)
        file = bundle.path / engine.file
        try:
            verify_sha256(file, engine.sha256, "copy the bundle again, or build its engines again")
        except OSError as error:
            raise BundleError(
                f"{file} cannot be read: {system_reason(error)}; copy the whole bundle again."
            ) from error
