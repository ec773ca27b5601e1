"""Refuse a manifest whose parts do not fit together, or that names what cannot be."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any, NoReturn

from ..errors import BundleError
from ..io.plausibility import LEAST_SPACING_MM
from ..io.wording import shown
from .core_form import FILTERS, LEVELS, MOST_INPUTS, STRIDES, UNetForm
from .label_list import LONGEST_NAME, MOST, is_name
from .manifest import MANIFEST, NETWORKS, Manifest

_MOST_SPACING_MM = 1000.0
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters but tab and newline. A terminal that shows them does what they say."""


def check_consistent(manifest: Manifest) -> None:
    """Check what the types of the fields do not say. Raises BundleError."""
    _check_names(manifest)
    _check_label_details(manifest)
    _check_unknown_spacing(manifest)
    _check_files(manifest)
    _check_core_forms(manifest)
    _check_texts(manifest)


def _refuse(found: str) -> NoReturn:
    raise BundleError(f"{MANIFEST} {found}; export the bundle again.")


def _check_names(manifest: Manifest) -> None:
    labels, shape = manifest.labels, manifest.networks.segmentation.output.shape
    names = f"1 to {LONGEST_NAME} printable characters"
    if not is_name(manifest.name):
        _refuse(f"has the name {shown(manifest.name)}, expected {names}")
    if shape[1:2] != (len(labels),):
        _refuse(
            f"names {len(labels)} labels, but the segmentation network's output has the shape {list(shape)}"
        )
    different = len(set(labels)) == len(labels)
    if not (2 <= len(labels) <= MOST + 1 and different and all(map(is_name, labels))):
        _refuse(f"has the labels {shown(list(labels))}, expected 2 to {MOST + 1} different ones of {names}")


def _check_label_details(manifest: Manifest) -> None:
    names = [each.name for each in manifest.label_details]
    if len(set(names)) != len(names) or not set(names) <= set(manifest.labels[1:]):
        _refuse(f"has label_details of {shown(names)}, expected some of its labels, each once")
    for each in manifest.label_details:
        if fault := each.fault():
            _refuse(f"has in label_details of {shown(each.name)} {fault}")


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
        if not is_name(name):
            _refuse(f"names the file {shown(name)}, expected 1 to {LONGEST_NAME} printable characters")
    for name, sha256 in manifest.files.items():
        if not _SHA256.fullmatch(sha256):
            _refuse(f"has the SHA-256 {shown(sha256)} for {shown(name)}, expected 64 hexadecimal digits")


def _check_core_forms(manifest: Manifest) -> None:
    labels = range(len(manifest.labels))
    for key in NETWORKS:
        network = getattr(manifest.networks, key)
        core = network.core
        if core is None:
            continue
        where = f"networks.{key}.core"
        if core.sha256 != network.sha256:
            _refuse(f"has in {where} the places of weights in another file than {shown(network.file)}")
        if key == "localization":
            _check_unet(f"{where}.unet", core.unet, 1, 2)
            if core.spatial:
                _refuse(f"has {where}.spatial, expected none, as the localization network")
            continue
        channels = labels if core.background else labels[:-1]
        _check_unet(f"{where}.unet", core.unet, 1, len(channels))
        if sorted(each.label for each in core.spatial) != list(channels):
            found, count = [each.label for each in core.spatial], len(channels)
            _refuse(f"has the labels {shown(found)} in {where}.spatial, expected each of {count} once")
        if core.stride not in STRIDES:
            strides = ", ".join(map(str, STRIDES))
            _refuse(f"has {shown(core.stride)} in {where}.stride, expected one of {strides}")
        for index, each in enumerate(core.spatial):
            if len(set(each.sees)) != len(each.sees) or not set(each.sees) <= set(channels):
                _refuse(f"has {shown(list(each.sees))} in {where}.spatial[{index}].sees, expected labels")
            _check_unet(f"{where}.spatial[{index}].unet", each.unet, each.image + len(each.sees), 1)


def _check_unet(where: str, unet: UNetForm, inputs: int, outputs: int) -> None:
    if unet.levels not in LEVELS or unet.filters not in FILTERS:
        _refuse(
            f"has {shown(unet.levels)} levels of {shown(unet.filters)} filters in {where}, expected "
            f"{LEVELS.start} to {LEVELS.stop - 1} levels of {', '.join(map(str, FILTERS))} filters"
        )
    if (unet.inputs, unet.outputs) != (inputs, outputs) or not 1 <= inputs <= MOST_INPUTS:
        _refuse(
            f"has {shown(unet.inputs)} inputs and {shown(unet.outputs)} outputs in {where}, expected "
            f"{inputs} and {outputs}, from 1 to {MOST_INPUTS} inputs"
        )
    layers = unet.layers
    whole = all(
        parts and channels % len(parts) == 0
        for (_, channels, _), parts in zip(layers, unet.kernels, strict=False)
    )
    if not (len(unet.kernels) == len(unet.biases) == len(layers) and whole):
        _refuse(
            f"has the places of {len(unet.kernels)} kernels and {len(unet.biases)} biases in {where}, "
            f"expected those of {len(layers)} layers"
        )


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
