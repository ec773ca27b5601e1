"""Refuse a manifest whose parts do not fit together, or that names what cannot be."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any, NoReturn

from ..errors import BundleError
from ..io.plausibility import LEAST_SPACING_MM
from ..io.wording import shown
from .manifest import MANIFEST, NETWORKS, Manifest

_MOST_LABELS = 255
_MOST_SPACING_MM = 1000.0
_LONGEST_NAME = 200  # characters; file systems take 255 bytes
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters but tab and newline. A terminal that shows them does what they say."""


def check_consistent(manifest: Manifest) -> None:
    """Check what the types of the fields do not say. Raises BundleError."""
    _check_names(manifest)
    _check_unknown_spacing(manifest)
    _check_files(manifest)
    _check_texts(manifest)


def _refuse(found: str) -> NoReturn:
    raise BundleError(f"{MANIFEST} {found}; export the bundle again.")


def _is_name(text: str) -> bool:
    return text.isprintable() and 1 <= len(text) <= _LONGEST_NAME


def _check_names(manifest: Manifest) -> None:
    labels, shape = manifest.labels, manifest.networks.segmentation.output.shape
    names = f"1 to {_LONGEST_NAME} printable characters"
    if not _is_name(manifest.name):
        _refuse(f"has the name {shown(manifest.name)}, expected {names}")
    if shape[1:2] != (len(labels),):
        _refuse(
            f"names {len(labels)} labels, but the segmentation network's output has the shape {list(shape)}"
        )
    different = len(set(labels)) == len(labels)
    if not (2 <= len(labels) <= _MOST_LABELS and different and all(map(_is_name, labels))):
        _refuse(
            f"has the labels {shown(list(labels))}, expected 2 to {_MOST_LABELS} different ones of {names}"
        )


def _check_unknown_spacing(manifest: Manifest) -> None:
    used = manifest.pipeline.unknown_spacing.used_xyz
    if not all(LEAST_SPACING_MM <= value <= _MOST_SPACING_MM for value in used):
        _refuse(
            f"has {list(used)} as unknown_spacing.used_xyz, expected three numbers from "
            f"{LEAST_SPACING_MM:g} to {_MOST_SPACING_MM:g} mm"
        )


def _check_files(manifest: Manifest) -> None:
    for key in NETWORKS:
        for file in getattr(manifest.networks, key).files:
            if manifest.files.get(file.file) != file.sha256:
                _refuse(f"has different SHA-256 for {shown(file.file)} in `files` and in `networks.{key}`")
    for name in (*manifest.files, *(engine.file for engine in manifest.engines)):
        if PurePosixPath(name).is_absolute() or ".." in name.replace("\\", "/").split("/"):
            _refuse(f"names the file {shown(name)}, which is outside the bundle")
        if not _is_name(name):
            _refuse(f"names the file {shown(name)}, expected 1 to {_LONGEST_NAME} printable characters")
    for name, sha256 in manifest.files.items():
        if not _SHA256.fullmatch(sha256):
            _refuse(f"has the SHA-256 {shown(sha256)} for {shown(name)}, expected 64 hexadecimal digits")


def _check_texts(manifest: Manifest) -> None:
    left: list[Any] = [manifest.description, manifest.provenance]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left += [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple):
            left += value
        elif isinstance(value, str) and _CONTROLS.search(value):
            _refuse(f"has the text {shown(value)}, expected one without control characters")
