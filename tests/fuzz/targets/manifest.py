"""Manifests of a bundle of HU thresholds, against the pipeline in NumPy."""

from __future__ import annotations

import copy
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import numpy as np
from support import core_reference as reference
from support.scans import block_array
from support.tiny_bundle import LABEL_HU, ORGAN_HU, write_tiny_bundle

from efficientscn_trt import BundleError, Segmentation, Segmenter
from efficientscn_trt import bundle as bundles
from efficientscn_trt.backends import older_bundles, trial
from fuzz import mutation
from fuzz.scans import check_sentence

PACKAGES = ("efficientscn_trt.bundle", "efficientscn_trt.backends", "efficientscn_trt.pipeline")
_XYZ = (1.5, 1.25, 2.0)
_SCALE = 2048
_MOST_VOXELS = 1 << 22  # of a network's input
_FOLDER = Path(tempfile.mkdtemp(prefix="escn-fuzz-"))
_SCAN = block_array()
os.environ["EFFICIENTSCN_CACHE"] = os.devnull  # each bundle is compiled once
# The networks are always the same.
patch.object(trial, "is_tried", lambda *_: True).start()
patch.object(older_bundles, "_search", lambda *_: {}).start()
_ORIGINAL = write_tiny_bundle(_FOLDER / "bundle").manifest
_DOCUMENT = json.loads(_ORIGINAL.to_json())
_DOUBLED = "doubled"
_OTHERS: list[Any] = [
    *(None, True, False, [], {}, "", 0, 1, -1, 0.5, 10**400, -(2**63), 1e400, float("nan"), [[]], {"": None}),
    *(
        "\x1b[2J",
        "\ud800",
        "x" * 300,
        "é",
        "a\nb",
        [1, 2, 3],
        [1.0, 0.0, 1.0],
        list(_XYZ),
        "localization.onnx",
    ),
    *("manifest.json", "../x", "/etc/passwd", "a\\..\\b", "", "0" * 64, "float16", [32], [[8], [16], [32]]),
    *(True, {"notice": "Not for patients."}, {"notice": "a\x1b[2Jb"}, {"notice": {"a": [1]}}),
]


def seeds() -> Iterator[bytes]:
    yield _ORIGINAL.to_json().encode()
    cases: list[dict[str, dict[str, Any]]] = [
        {"localization": {"spacing_mm": 3.0, "valid_sizes": [[16, 32, 48], [32], [24, 48]]}},
        {"localization": {"padding_hu": 0.0, "smoothing_sigma_mm": 3.0, "box_margin_mm": 0.0}},
        {"segmentation": {"spacing_mm": 3.0, "valid_sizes": [[16, 32, 48], [32], [24, 48]]}},
        {"segmentation": {"smoothing_sigma_mm": 0.0, "outside_hu": 100.0, "spacing_slack": 1.0}},
        {"segmentation": {"intensity_scale": 1024.0, "intensity_min": -2.0, "intensity_max": 0.1}},
        {"unknown_spacing": {"by_value": True, "marker_xyz": list(_XYZ), "used_xyz": [1.0, 2.0, 3.0]}},
    ]
    for changes in cases:
        document = copy.deepcopy(_DOCUMENT)
        for name, values in changes.items():
            document["pipeline"][name] |= values
        yield json.dumps(document).encode()
    document = copy.deepcopy(_DOCUMENT)
    liver = {"code": "10200004", "meaning": "Liver", "scheme": "SCT"}
    document["label_details"] = [
        {"name": "liver", "colour": "#ff5a52", "category": liver, "type": liver, "modifier": liver},
        {"name": "spleen"},
    ]
    yield json.dumps(document).encode()
    document = copy.deepcopy(_DOCUMENT)
    document["engines"] = [_engine()]
    document["provenance"] = {"notice": "Not for patients."}
    for name in bundles.NETWORKS:
        network = document["networks"][name]
        network["float16"] = {key: network[key] for key in ("file", "sha256", "bytes")}
    yield json.dumps(document).encode()


def _engine() -> dict[str, Any]:
    sizes = {name: [32, 32, 32] for name in ("min", "opt", "max")}
    return {
        "network": "localization",
        "flavour": "tensorrt",
        "version": "10.0.1",
        "platform": "linux-x86_64",
        "compute_capabilities": ["8.6"],
        "precision": "fp16",
        "profiles": [sizes],
        "onnx_sha256": "0" * 64,
        "file": "engines/a.engine",
        "sha256": "0" * 64,
        "bytes": 3,
        "activation_memory": {"largest": 1, "typical": 1},
    }


def mutate(data: bytes, random: Random) -> bytes:
    if random.random() < 0.5:  # most numbers guide no branch, so libFuzzer drops such seeds
        data = random.choice(_SEEDS)
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return mutation.raw(data)
    if random.random() < 0.05 or not isinstance(document, dict):
        return mutation.raw(data)
    doubled = None
    try:
        for _ in range(random.choice([1, 1, 1, 2, 3, 6])):
            doubled = _change(document, random) or doubled
        text = json.dumps(document, ensure_ascii=random.random() < 0.5)
    except (ValueError, RecursionError):
        return data
    if doubled is not None:
        text = text.replace(json.dumps(_DOUBLED), json.dumps(doubled))
    return text.encode(errors="replace")


def _change(document: dict[str, Any], random: Random) -> str | None:
    """Change one value. Return the name of a field that is to be there twice, if any."""
    if random.random() < 0.15:
        _rename_file(document, random)
        return None
    places = list(_places(document))
    if random.random() < 0.6:  # the numbers of the pipeline
        places = list(_places(document.get("pipeline"))) or places
    places = [place for place in places if isinstance(place[0], dict)] if random.random() < 0.7 else places
    if not places:
        return None
    parent, key = random.choice(places)
    choice = random.random()
    if choice < 0.55:
        parent[key] = _other(parent[key], random)
    elif choice < 0.7:
        parent[key] = copy.deepcopy(random.choice([*_OTHERS, random.choice(places)[0]]))
    elif choice < 0.8:
        del parent[key]
    elif choice < 0.85:
        for _ in range(random.choice([1, 70, 70])):
            parent[key] = random.choice([[parent[key]], {"a": parent[key]}])
            parent, key = parent[key], 0 if isinstance(parent[key], list) else "a"
    elif isinstance(parent, list):
        parent.insert(random.randrange(len(parent) + 1), copy.deepcopy(parent[key]))
    elif choice < 0.93:
        parent[mutation.word(random, key, ["notice", "by_value", "engines"])] = parent.pop(key)
    else:
        parent[_DOUBLED] = copy.deepcopy(random.choice([parent[key], *_OTHERS]))
        return str(key)
    return None


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each value as the object or list that has it, and its name or index there."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _other(value: Any, random: Random) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        near = mutation.number(random, min(value, 1 << 60))
        return int(near) if random.random() < 0.9 and abs(near) < float("inf") else near
    if isinstance(value, float):
        return mutation.number(random, value)
    if isinstance(value, str):
        return mutation.word(random, value[:1000], ["z", "y", "x", "float32", "bool", "Not for patients."])
    if isinstance(value, list) and value:
        changed = (
            [random.choice(value), *value] if random.random() < 0.3 else random.sample(value, len(value))
        )
        return (
            sorted(changed, key=str)
            if random.random() < 0.3
            else changed[: random.randrange(1, len(changed) + 1)]
        )
    return copy.deepcopy(random.choice(_OTHERS))


def _rename_file(document: dict[str, Any], random: Random) -> None:
    """Change a file's name or hash wherever it is."""
    try:
        network = document["networks"][random.choice(bundles.NETWORKS)]
        files, old = document["files"], network["file"]
        if random.random() < 0.5:
            network["sha256"] = files[old] = random.choice([*_OTHERS, _other(files[old], random)])
        else:
            network["file"] = new = _other(old, random)
            files[new] = files.pop(old)
    except (LookupError, TypeError, AttributeError):
        pass


_SEEDS = list(seeds())


def check(data: bytes) -> None:
    folder = _FOLDER / "bundle"
    (folder / bundles.MANIFEST).write_bytes(data)
    try:
        bundle = bundles.load(folder)
        if _is_large(bundle.manifest.pipeline):
            return
        result = Segmenter(bundle, "cpu", "fp32", 1).segment(_SCAN, spacing=_XYZ)
    except BundleError as error:
        check_sentence(str(error).replace(str(folder), ""))
        return
    _check_result(bundle.manifest, result)


def _is_large(pipeline: bundles.PipelineParameters) -> bool:
    """Whether the sizes are right, but take more time and memory than there is."""
    valid = (pipeline.localization.valid_sizes, pipeline.segmentation.valid_sizes)
    most = [np.prod([max(axis, default=0) for axis in sizes], dtype=float) for sizes in valid]
    return any(_MOST_VOXELS < voxels <= 1 << 30 for voxels in most)


def _check_result(manifest: bundles.Manifest, result: Segmentation) -> None:
    labels = np.asarray(result.array)
    assert labels.dtype == np.uint8 and labels.shape == _SCAN.shape
    assert result.label_names == dict(enumerate(manifest.labels))
    assert int(labels.max()) < len(manifest.labels)
    assert all(np.isfinite(volume) and volume >= 0 for volume in result.volumes_ml.values())
    for warning in result.warnings:
        check_sentence(warning.message)
    expected = _expected(manifest.pipeline, result)
    if expected is not None:
        different = np.mean(expected != labels)
        assert different < 2e-3, f"{100 * different:.2f} % of the labels differ"


def _spacing(unknown: bundles.UnknownSpacing) -> tuple[float, ...]:
    replaced = unknown.by_value and unknown.marker_xyz == _XYZ
    return tuple(reversed(unknown.used_xyz if replaced else _XYZ))


def _expected(pipeline: bundles.PipelineParameters, result: Segmentation) -> np.ndarray | None:
    """The labels. None if it is a matter of rounding which voxels have them."""
    spacing, first, second = _spacing(pipeline.unknown_spacing), pipeline.localization, pipeline.segmentation
    sizes = reference.localization_sizes(
        _SCAN.shape, spacing, first.valid_sizes, first.spacing_mm, first.spacing_slack
    )
    assert result.input_sizes["localization"] == tuple(sizes[2])
    intensity = reference.Intensity(first.intensity_scale, first.intensity_min, first.intensity_max)
    image = reference.localization_input(
        _SCAN, spacing, sizes, first.smoothing_sigma_mm, first.padding_hu, intensity
    )
    boxes = [_box(image > ORGAN_HU / _SCALE + doubt, sizes, first) for doubt in (-1e-4, 0, 1e-4)]
    if not (np.array_equal(boxes[0], boxes[1]) and np.array_equal(boxes[1], boxes[2])):
        return None
    crop = reference.segmentation_crop(
        _SCAN.shape,
        spacing,
        *boxes[1],
        second.valid_sizes,
        second.spacing_mm,
        second.spacing_threshold,
        second.spacing_slack,
    )
    assert result.input_sizes["segmentation"] == tuple(crop.input_size)
    np.testing.assert_allclose(result.box.start_mm, crop.start, rtol=1e-5)
    np.testing.assert_allclose(result.box.end_mm, crop.end, rtol=1e-5)
    if any(stop <= 0 or first >= n for (first, stop), n in zip(crop.crop, _SCAN.shape, strict=True)):
        return np.zeros(_SCAN.shape, np.uint8)
    voxels = np.prod([float(stop - first) for first, stop in crop.crop])
    if voxels > _MOST_VOXELS:
        return None  # the reference pads the scan
    if abs(second.outside_hu) > 2 * _SCALE:
        return None  # the step at the scan's border makes labels tie halfway between two voxels
    intensity = reference.Intensity(second.intensity_scale, second.intensity_min, second.intensity_max)
    image = reference.segmentation_input(
        _SCAN, spacing, crop.crop, crop.input_size, second.smoothing_sigma_mm, second.outside_hu, intensity
    )
    centres = np.reshape(np.array(LABEL_HU, np.float32) / np.float32(_SCALE), (-1, 1, 1, 1))
    logits = -np.abs(image.astype(np.float32) - centres) * np.float32(_SCALE / 25)
    probabilities = np.exp(logits - logits.max(axis=0))
    probabilities /= probabilities.sum(axis=0)
    ranked = np.sort(probabilities, axis=0)
    if np.mean(ranked[-1] - ranked[-2] < 1e-3) > 1e-3:
        return None
    cropped = tuple(stop - first for first, stop in crop.crop)
    return reference.labels(
        probabilities.astype(np.float32), _SCAN.shape, cropped, crop.croppings, crop.paddings
    )


def _box(
    mask: np.ndarray, sizes: tuple[Any, list[int], list[int]], parameters: bundles.LocalizationParameters
) -> tuple[np.ndarray, np.ndarray]:
    """Start and end in mm of the box of the mask, that of the whole input if it is empty."""
    mm, resized, padded = sizes
    found = np.argwhere(mask if mask.any() else np.ones_like(mask))
    before = np.array([(m - n) // 2 for n, m in zip(resized, padded, strict=True)])
    margin = np.float32(parameters.box_margin_mm)
    first, last = ((found.min(axis=0) - before), (found.max(axis=0) - before + 1))
    return mm * first.astype(np.float32) - margin, mm * last.astype(np.float32) + margin
