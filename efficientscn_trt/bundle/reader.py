"""Read a bundle, and verify that none of its files is missing or altered."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BundleError
from ..io.paths import as_path, is_there
from ..io.wording import shown
from .consistency import check_consistent
from .decode import decode
from .external_data import has_external_data
from .manifest import MANIFEST, NETWORKS, SCHEMA_VERSION, Float16File, Manifest, Network
from .shipped import DEMO_BUNDLE
from .trust import ANYONE, PublicKey, TrustedKeys, check_signature, configured_keys, refuse_link

_MOST_BYTES = 16 << 20
_MOST_LEVELS = 64


@dataclass(frozen=True)
class Bundle:
    """A verified bundle on disk.

    `trusted`: the keys of which one had to sign it; `signed_by`: the one that did. It is None without trusted
    keys, and for the demo bundle.
    """

    path: Path
    manifest: Manifest
    trusted: TrustedKeys = ANYONE
    signed_by: PublicKey | None = None

    def file(self, network: str, precision: str = "fp32") -> Path:
        """Path of the ONNX file of `network`, "localization" or "segmentation", in "fp32" or "fp16".

        Raises BundleError if the bundle has no float16 form.
        """
        return self.path / self.onnx(network, precision).file

    def content(self, network: str, precision: str = "fp32") -> bytes:
        """The bytes of the ONNX file of `network` in `precision`, read anew.

        Raises BundleError if it was altered since the bundle was loaded.
        """
        sha256 = self.onnx(network, precision).sha256
        return read_unaltered(
            self.file(network, precision), sha256, "since the bundle was loaded", "load the bundle again"
        )

    def onnx(self, network: str, precision: str = "fp32") -> Network | Float16File:
        """Return the manifest's entry for the file of `network` in `precision`. Raises BundleError."""
        entry: Network = getattr(self.manifest.networks, network)
        if precision == "fp32":
            return entry
        if entry.float16 is None:
            raise BundleError(
                f"{self.path} has no float16 form of the {network} network; export the bundle again with "
                "this version, or use the precision fp32."
            )
        return entry.float16


def load(path: str | os.PathLike[str], trusted: TrustedKeys | None = None) -> Bundle:
    """Read the bundle at `path` and verify its schema, and that each file is there and has its SHA-256.

    No network may have values in other files, which have no SHA-256 in the manifest. If there are trusted
    keys, one of them must have signed the manifest, and no file may be a link. The demo bundle needs no
    signature: it is a part of this package, as the code is.

    Args:
        trusted: the trusted keys. Default: those of the environment variable EFFICIENTSCN_TRUSTED_KEYS, else
            of the user's file, else none (docs/how-to/sign-bundles.md).

    Raises BundleError, which a SignatureError is too.
    """
    return read(path, configured_keys() if trusted is None else trusted)[0]


def read(path: str | os.PathLike[str], trusted: TrustedKeys) -> tuple[Bundle, bytes]:
    """The bundle that `load` returns, and the bytes of its manifest."""
    folder = as_path(path, BundleError)
    content = _manifest_bytes(folder)
    signed_by = None
    if trusted and folder.resolve() != DEMO_BUNDLE.resolve():
        refuse_link(folder, MANIFEST)
        signed_by = check_signature(folder, content, trusted)
    document = _document(folder / MANIFEST, content)
    version = document.get("schema_version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise BundleError(
            f"{folder / MANIFEST} has no schema version, so it is not the manifest of a bundle; "
            "give the folder that `efficientscn-trt export` wrote."
        )
    if version > SCHEMA_VERSION:
        raise BundleError(
            f"{folder} has bundle schema {shown(version)}, but this version reads schema {SCHEMA_VERSION}; "
            "upgrade efficientscn-trt (pip install --upgrade efficientscn-trt)."
        )
    try:
        manifest = decode(Manifest, document)
        check_consistent(manifest)
    except BundleError as error:
        raise BundleError(f"{folder}: {error}") from None
    for name, expected in manifest.files.items():
        if signed_by is not None:
            refuse_link(folder, name)
        _verify_file(folder, name, expected)
    for network in NETWORKS:
        for entry in getattr(manifest.networks, network).files:
            _verify_alone(folder / entry.file)
    return Bundle(folder, manifest, trusted, signed_by), content


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def verify_sha256(file: Path, expected: str, remedy: str) -> None:
    """Raises BundleError, whose sentence ends with the `remedy`, if `file` has another SHA-256; OSError."""
    found = sha256(file)
    if found != expected:
        raise BundleError(f"{file} was altered: its SHA-256 is {found}, expected {expected}; {remedy}.")


def read_unaltered(file: Path, expected: str, when: str, remedy: str) -> bytes:
    """Read a file that had the SHA-256 `expected` when it was verified, and may have changed since.

    Raises BundleError. Its sentence says `when` the file was altered, and the `remedy`.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BundleError(f"{file} cannot be read: {error.strerror}; {remedy}.") from error
    if hashlib.sha256(content).hexdigest() != expected:
        raise BundleError(f"{file} was altered {when}; {remedy}.")
    return content


def _manifest_bytes(folder: Path) -> bytes:
    if not is_there(folder, BundleError):
        raise BundleError(f"There is no bundle at {folder}; make one with `efficientscn-trt export`.")
    if not folder.is_dir():
        raise BundleError(f"{folder} is a file, but a bundle is a folder with {MANIFEST} and two networks.")
    file = folder / MANIFEST
    if not file.is_file():
        raise BundleError(
            f"{folder} is not a bundle, because it has no {MANIFEST}; "
            "give the folder that `efficientscn-trt export` wrote."
        )
    try:
        size = file.stat().st_size
        if size > _MOST_BYTES:
            raise BundleError(
                f"{file} has {size} bytes, expected at most {_MOST_BYTES}, so it is not the manifest of a "
                "bundle; export the bundle again."
            )
        return file.read_bytes()
    except OSError as error:
        raise BundleError(f"{file} cannot be read: {error}; export the bundle again.") from error


def _document(file: Path, content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content.decode())
        json.dumps(document, ensure_ascii=False).encode()  # half a surrogate pair cannot be printed
    except ValueError as error:
        raise BundleError(f"{file} cannot be read: {error}; export the bundle again.") from error
    except RecursionError:
        document = None
    if not isinstance(document, dict) or not _is_shallow(document):
        raise BundleError(
            f"{file} holds no JSON object of at most {_MOST_LEVELS} levels, so it is not the manifest of a "
            "bundle; export the bundle again."
        )
    return document


def _is_shallow(document: dict[str, Any]) -> bool:
    """Whether `document` has at most _MOST_LEVELS levels; more could exhaust the stack of later steps."""
    level: list[Any] = [document]
    for _ in range(_MOST_LEVELS):
        children = [child for each in level for child in (each.values() if isinstance(each, dict) else each)]
        level = [child for child in children if isinstance(child, dict | list)]
        if not level:
            return True
    return False


def _verify_file(folder: Path, name: str, expected: str) -> None:
    file = folder / name
    if not os.path.isfile(file):
        raise BundleError(f"{folder} lacks the file {name}; copy the whole bundle again, or export it again.")
    try:
        verify_sha256(file, expected, "copy the bundle again, or export it again")
    except OSError as error:
        raise BundleError(f"{file} cannot be read: {error.strerror}.") from error


def _verify_alone(file: Path) -> None:
    try:
        external = has_external_data(file)
    except OSError as error:
        raise BundleError(f"{file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise BundleError(f"{file} is no ONNX file, because {error}; export the bundle again.") from error
    if external:
        raise BundleError(
            f"{file} has values in other files, which the manifest does not check, expected all of them in "
            "this file; export the bundle again."
        )
