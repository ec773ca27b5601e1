"""Add engines to a bundle, all of them or none."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from contextlib import suppress

from .. import bundle as bundles
from ..bundle import ANYONE, Bundle, Engine, SigningKey, TrustedKeys
from ..bundle.trust import write_signature
from ..errors import OutputError
from ..io.atomic import replacing
from ..io.wording import system_reason

FOLDER = "engines"


def add_engines(
    bundle: Bundle, engines: Sequence[tuple[Engine, bytes]], key: SigningKey | None = None
) -> Bundle:
    """Add `engines` and their contents to `bundle`, and return the changed bundle.

    An engine replaces the one of the same network, TensorRT, platform, GPUs, precision, compatibility and GPU
    that it was timed on. A file's name depends on its content, so every file that the manifest names is on
    disk before and after the manifest is replaced. A former signature no longer fits; `key` signs anew.
    Raises OutputError, and BundleError if the bundle was altered meanwhile.
    """
    folder = bundle.path / FOLDER
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{bundle.path} cannot be written: {system_reason(error)}; copy the bundle to "
            "a folder where you may write and build there."
        ) from error
    for engine, content in engines:
        with replacing(bundle.path / engine.file) as temporary:
            temporary.write_bytes(content)
    # Another build may have changed it meanwhile.
    manifest = bundles.load(bundle.path, bundle.trusted).manifest
    replaced = {_key(engine) for engine, _ in engines}
    kept = [engine for engine in manifest.engines if _key(engine) not in replaced]
    records = (*kept, *(engine for engine, _ in engines))
    text = dataclasses.replace(manifest, engines=records).to_json().encode()
    with replacing(bundle.path / bundles.MANIFEST) as temporary:
        temporary.write_bytes(text)
    if key is not None:
        write_signature(bundle.path, text, key)
    named = {engine.file for engine in records}
    for old in manifest.engines:
        if old.file not in named:
            with suppress(OSError):  # a leftover file does no harm
                (bundle.path / old.file).unlink()
    return bundles.load(bundle.path, ANYONE if key is None else TrustedKeys((key.public,)))


def engine_file(network: str, flavour: str, version: str, precision: str, sha256: str) -> str:
    """Path of an engine in the bundle."""
    return f"{FOLDER}/{network}.{flavour}-{version}.{precision}.{sha256[:12]}.engine"


def _key(engine: Engine) -> tuple[object, ...]:
    return (
        engine.network,
        engine.flavour,
        engine.version,
        engine.platform,
        engine.compute_capabilities,
        engine.precision,
        engine.version_compatible,
        engine.timed_on,
    )
