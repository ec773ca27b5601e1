"""Read a bundle, and verify that none of its files is missing or altered."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import BundleError
from ..io.paths import is_there
from .decode import decode
from .manifest import MANIFEST, NETWORKS, SCHEMA_VERSION, Float16File, Manifest, Network


@dataclass(frozen=True)
class Bundle:
    """A verified bundle on disk."""

    path: Path
    manifest: Manifest

    def file(self, network: str, precision: str = "fp32") -> Path:
        """Path of the ONNX file of `network`, "localization" or "segmentation", in "fp32" or "fp16".

        Raises BundleError if the bundle has no float16 form.
        """
        return self.path / self.onnx(network, precision).file

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


def load(path: str | os.PathLike[str]) -> Bundle:
    """Read the bundle at `path` and verify its schema, and that each file is there and has its SHA-256.

    Raises BundleError.
    """
    folder = Path(path)
    document = _read_manifest(folder)
    version = document.get("schema_version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise BundleError(
            f"{folder / MANIFEST} has no schema version, so it is not the manifest of a bundle; "
            "give the folder that `efficientscn-trt export` wrote."
        )
    if version > SCHEMA_VERSION:
        raise BundleError(
            f"{folder} has bundle schema {version}, but this version reads schema {SCHEMA_VERSION}; "
            "upgrade efficientscn-trt (pip install --upgrade efficientscn-trt)."
        )
    try:
        manifest = decode(Manifest, document)
        _check_consistent(manifest)
    except BundleError as error:
        raise BundleError(f"{folder}: {error}") from None
    for name, expected in manifest.files.items():
        _verify_file(folder, name, expected)
    return Bundle(folder, manifest)


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _read_manifest(folder: Path) -> dict[str, Any]:
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
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BundleError(f"{file} cannot be read: {error}; export the bundle again.") from error
    if not isinstance(document, dict):
        raise BundleError(
            f"{file} holds no JSON object, so it is not the manifest of a bundle; export the bundle again."
        )
    return document


def _check_consistent(manifest: Manifest) -> None:
    channels = manifest.networks.segmentation.output.shape[1:2]
    if channels != (len(manifest.labels),):
        raise BundleError(
            f"manifest.json names {len(manifest.labels)} labels, but the segmentation network's output "
            f"has the shape {list(manifest.networks.segmentation.output.shape)}; export the bundle again."
        )
    for key in NETWORKS:
        for file in getattr(manifest.networks, key).files:
            if manifest.files.get(file.file) != file.sha256:
                raise BundleError(
                    f"manifest.json: `files` and `networks.{key}` have different SHA-256 for {file.file}; "
                    "export the bundle again."
                )
    for name in (*manifest.files, *(engine.file for engine in manifest.engines)):
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise BundleError(
                f"manifest.json names the file {name}, which is outside the bundle; export it again."
            )


def _verify_file(folder: Path, name: str, expected: str) -> None:
    file = folder / name
    if not file.is_file():
        raise BundleError(f"{folder} lacks the file {name}; copy the whole bundle again, or export it again.")
    try:
        found = sha256(file)
    except OSError as error:
        raise BundleError(f"{file} cannot be read: {error.strerror}.") from error
    if found != expected:
        raise BundleError(
            f"{file} was altered: its SHA-256 is {found}, expected {expected}; "
            "copy the bundle again, or export it again."
        )
