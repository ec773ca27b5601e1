"""Sign a bundle. Its signature answers for all of its files, so all are verified first."""

from __future__ import annotations

import dataclasses
import os

from ..errors import BundleError
from ..io.wording import system_reason
from .manifest import MANIFEST
from .reader import Bundle, read, sha256
from .trust import ANYONE, SigningKey, TrustedKeys, refuse_link, write_signature


def sign(path: str | os.PathLike[str], key: SigningKey) -> Bundle:
    """Sign the bundle at `path` with `key`, and return it. A former signature is replaced.

    Raises BundleError if a file is missing, altered or a link, and OutputError.
    """
    bundle, manifest = read(path, ANYONE)
    verify_all_files(bundle)
    write_signature(bundle.path, manifest, key)
    return dataclasses.replace(bundle, trusted=TrustedKeys((key.public,)), signed_by=key.public)


def verify_all_files(bundle: Bundle) -> None:
    """Check that each file of `bundle`, its engines too, is there, has its SHA-256 and is no link.

    Raises BundleError.
    """
    refuse_link(bundle.path, MANIFEST)
    engines = {engine.file: engine.sha256 for engine in bundle.manifest.engines}
    for name, expected in {**bundle.manifest.files, **engines}.items():
        refuse_link(bundle.path, name)
        file = bundle.path / name
        try:
            found = sha256(file)
        except OSError as error:
            raise BundleError(
                f"{file} cannot be read: {system_reason(error)}; copy the whole bundle again."
            ) from error
        if found != expected:
            raise BundleError(
                f"{file} was altered: its SHA-256 is {found}, expected {expected}; copy the bundle again, or "
                "build its engines again."
            )
