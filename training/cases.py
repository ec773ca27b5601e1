"""Sources of training cases: a folder of NIfTI pairs, phantoms, or both. Prepared cases are cached."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from threading import Lock
from typing import Protocol

import numpy as np
import SimpleITK as sitk

from efficientscn_trt.errors import InputError
from efficientscn_trt.io.reading import read_file
from efficientscn_trt.io.volume import open_scan
from efficientscn_trt.io.wording import listed
from efficientscn_trt.phantom import FIRST_UNSEEN_SEED, LABEL_NAMES, make_phantom

from .prepare import Prepare, PreparedCase, RawCase

ORGANS = LABEL_NAMES[1:]
SUFFIXES = (".nii.gz", ".nii")


class CaseSource(Protocol):
    """Cases by key. `draw` picks a key; `identity` changes whenever the case of that key does."""

    def draw(self, rng: np.random.Generator) -> str: ...

    def identity(self, key: str) -> str: ...

    def load(self, key: str) -> RawCase: ...


@dataclass(frozen=True)
class Phantoms:
    """Phantoms `first_seed` to `first_seed + count` − 1, each on a grid of random spacing.

    In `cut_share` of them the scan ends within the organs, as scans of the chest do. Raises InputError if
    some of them are kept for evaluation.
    """

    count: int
    first_seed: int = 1000
    cut_share: float = 0.15

    def __post_init__(self) -> None:
        most = FIRST_UNSEEN_SEED - self.first_seed
        if self.count > most:
            raise InputError(
                f"{self.count} phantoms from seed {self.first_seed} reach those that are kept for evaluation "
                f"(from seed {FIRST_UNSEEN_SEED}); train on at most {most}."
            )

    def draw(self, rng: np.random.Generator) -> str:
        return f"phantom-{self.first_seed + int(rng.integers(self.count))}"

    def identity(self, key: str) -> str:
        return f"{key} {self.cut_share}"

    def load(self, key: str) -> RawCase:
        seed = int(key.removeprefix("phantom-"))
        rng = np.random.default_rng([seed, 77])
        in_plane = float(rng.uniform(1.3, 2.2))
        spacing = (in_plane, in_plane, float(rng.uniform(1.5, 5.0)))
        phantom = make_phantom(seed, spacing_xyz=spacing)
        hu, labels = sitk.GetArrayFromImage(phantom.image), sitk.GetArrayFromImage(phantom.labels)
        if rng.random() < self.cut_share:
            slices = np.flatnonzero(labels.any((1, 2)))
            low, high = int(slices[0]), int(slices[-1])
            if rng.random() < 0.6:
                kept = slice(low + int(rng.uniform(0, 0.5) * (high - low)), None)
            else:
                kept = slice(None, high - int(rng.uniform(0, 0.4) * (high - low)))
            hu, labels = hu[kept], labels[kept]
        return RawCase(hu, labels, spacing[::-1], tuple(range(1, 1 + len(ORGANS))))


@dataclass(frozen=True)
class Folder:
    """Pairs of `images/NAME.nii.gz` and `labels/NAME.nii.gz` below `path`; an image's NAME may end in _0000.

    `labels`: the names of the values in the label maps, from 1. With `ignore_missing`, an organ that a case's
    label map never uses counts as not annotated there, and not as background.
    """

    path: Path
    ignore_missing: bool = False
    labels: tuple[str, ...] = ORGANS

    @cached_property
    def names(self) -> list[str]:
        """Names of the cases that have both files, sorted. Raises InputError if there are none."""
        files = sorted((self.path / "labels").glob("*.nii*"))
        names = [name for name in map(_stem, files) if self._image(name)]
        if not names:
            raise InputError(
                f"{self.path} holds no training case; expected images/NAME.nii.gz and labels/NAME.nii.gz "
                "of equal names."
            )
        return names

    def draw(self, rng: np.random.Generator) -> str:
        return self.names[int(rng.integers(len(self.names)))]

    def identity(self, key: str) -> str:
        files = [path for path in (self._image(key), self._labels(key)) if path]
        stamps = [f"{path.resolve()} {path.stat().st_mtime_ns}" for path in files]
        return f"{' '.join(stamps)} {self.ignore_missing} {len(self.labels)}"

    def load(self, key: str) -> RawCase:
        image_file, labels_file = self._image(key), self._labels(key)
        if image_file is None or labels_file is None:
            missing = "image" if image_file is None else "label map"
            raise InputError(f"The {missing} of case {key} is no longer in {self.path}; put it back.")
        scan, labels = open_scan(image_file), read_file(labels_file)
        geometry, labels_geometry = scan.geometry, labels.geometry
        if geometry.size != labels_geometry.size:
            raise InputError(
                f"Case {key} has an image of {geometry.size} and labels of {labels_geometry.size} voxels; "
                "expected two 3-D volumes of equal size."
            )
        if (geometry.image_axis_of, geometry.flipped) != (
            labels_geometry.image_axis_of,
            labels_geometry.flipped,
        ):
            raise InputError(
                f"The image and the labels of case {key} have different axis directions; save the "
                "label map on the grid of the image."
            )
        values = geometry.lps_view(np.rint(labels.array).astype(np.int64))
        organs = range(1, 1 + len(self.labels))
        unknown = np.setdiff1d(values, (0, *organs))
        if len(unknown):
            raise InputError(
                f"The labels of case {key} hold the value {unknown[0]}; expected 0 to {len(organs)}, "
                f"background, {listed(self.labels)}; give all with --labels."
            )
        known = tuple(k for k in organs if not self.ignore_missing or (values == k).any())
        return RawCase(scan.lps, values.astype(np.uint8), geometry.lps_spacing, known)

    def _image(self, name: str) -> Path | None:
        folder = self.path / "images"
        return _existing(folder, name) or _existing(folder, f"{name}_0000")

    def _labels(self, name: str) -> Path | None:
        return _existing(self.path / "labels", name)


@dataclass(frozen=True)
class Mixture:
    """Draws from `first` with probability `share`, otherwise from `second`."""

    first: CaseSource
    second: CaseSource
    share: float

    def draw(self, rng: np.random.Generator) -> str:
        if rng.random() < self.share:
            return "1-" + self.first.draw(rng)
        return "2-" + self.second.draw(rng)

    def identity(self, key: str) -> str:
        return self._source(key).identity(key[2:])

    def load(self, key: str) -> RawCase:
        return self._source(key).load(key[2:])

    def _source(self, key: str) -> CaseSource:
        return self.first if key.startswith("1-") else self.second


class Cache:
    """Prepared cases of a source: on disk below `path`, the last `held` also in memory. Thread-safe."""

    def __init__(self, source: CaseSource, prepare: Prepare, path: Path, held: int = 300) -> None:
        self.source = source
        self._prepare, self._path, self._held = prepare, path, held
        self._memory: dict[str, PreparedCase] = {}
        self._lock = Lock()
        path.mkdir(parents=True, exist_ok=True)

    def get(self, key: str) -> PreparedCase:
        """The case, prepared now if it is not in the cache."""
        with self._lock:
            if key in self._memory:
                return self._memory[key]
        text = f"{_name(self._prepare)} {self.source.identity(key)}"
        file = self._path / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.npz"
        if not file.exists():
            raw = self.source.load(key)
            try:
                self._prepare(raw).save(file)
            except InputError as error:
                raise InputError(f"Case {key}: {error}") from error
        case = PreparedCase.load(file)
        with self._lock:
            while len(self._memory) >= self._held:
                self._memory.pop(next(iter(self._memory)))
            self._memory[key] = case
        return case


def _name(prepare: Prepare) -> str:
    if isinstance(prepare, partial):
        return f"{prepare.func.__name__} {prepare.keywords}"
    return prepare.__name__


def _existing(folder: Path, name: str) -> Path | None:
    return next((path for suffix in SUFFIXES if (path := folder / (name + suffix)).is_file()), None)


def _stem(path: Path) -> str:
    return next(path.name.removesuffix(suffix) for suffix in (*SUFFIXES, "") if path.name.endswith(suffix))
