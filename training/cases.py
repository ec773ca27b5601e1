"""Where training cases come from: a folder of NIfTI pairs, phantoms without end, or both; prepared once, cached on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from efficientscn_trt.errors import InputError
from efficientscn_trt.phantom import make_phantom

from .prepare import Prepare, PreparedCase, RawCase

LABELS = (1, 2, 3, 4)
SUFFIXES = (".nii.gz", ".nii")


class CaseSource(Protocol):
    """Cases by key. `draw` picks one; equal keys mean equal cases, in any run."""

    def draw(self, rng: np.random.Generator) -> str: ...

    def load(self, key: str) -> RawCase: ...


@dataclass(frozen=True)
class Phantoms:
    """Phantoms `first_seed` to `first_seed + count` − 1 on grids of drawn spacing; in `cut_share` of them the scan ends within
    the organs, as scans of the chest do."""

    count: int
    first_seed: int = 1000
    cut_share: float = 0.15

    def draw(self, rng: np.random.Generator) -> str:
        return f"phantom-{self.first_seed + int(rng.integers(self.count))}"

    def load(self, key: str) -> RawCase:
        seed = int(key.removeprefix("phantom-"))
        rng = np.random.default_rng([seed, 77])
        in_plane = rng.uniform(1.3, 2.2)
        spacing = (in_plane, in_plane, rng.uniform(1.5, 5.0))
        phantom = make_phantom(seed, spacing_xyz=spacing)
        hu, labels = (_lps(image) for image in (phantom.image, phantom.labels))
        if rng.random() < self.cut_share:
            slices = np.flatnonzero(labels.any((1, 2)))
            length = len(slices)
            keep = slice(int(slices[0] + rng.uniform(0, 0.5) * length), None)
            if rng.random() < 0.4:
                keep = slice(None, int(slices[-1] - rng.uniform(0, 0.4) * length))
            hu, labels = hu[keep], labels[keep]
        return RawCase(hu, labels.astype(np.uint8), spacing[::-1], LABELS)


@dataclass(frozen=True)
class Folder:
    """`images/NAME.nii.gz` with `labels/NAME.nii.gz` below `path` (an image may end in _0000, as challenges name them).

    With `ignore_missing`, a label that a case's map never uses counts as not looked for there, not as background.
    """

    path: Path
    ignore_missing: bool = False

    def names(self) -> list[str]:
        """Names of the cases that have both files, sorted. Raises InputError where there is none."""
        names = [
            name for name in (_stem(file) for file in sorted((self.path / "labels").glob("*.nii*"))) if self._image(name)
        ]
        if not names:
            raise InputError(
                f"no case in {self.path}: it needs images/NAME.nii.gz and labels/NAME.nii.gz of equal names"
            )
        return names

    def draw(self, rng: np.random.Generator) -> str:
        names = self.names()
        return names[int(rng.integers(len(names)))]

    def load(self, key: str) -> RawCase:
        image_path, labels_path = self._image(key), _existing(self.path / "labels" / key)
        assert image_path is not None
        image, labels = sitk.ReadImage(str(image_path)), sitk.ReadImage(str(labels_path))
        if image.GetSize() != labels.GetSize():
            raise InputError(
                f"case {key}: the image has {image.GetSize()} voxels, its label map {labels.GetSize()}; they must be equal"
            )
        # The label map is taken voxel for voxel: some tools write it with a header that differs in the last digits.
        labels.CopyInformation(image)
        image, labels = (sitk.DICOMOrient(item, "LPS") for item in (image, labels))
        values = np.asarray(sitk.GetArrayFromImage(labels))
        known = tuple(k for k in LABELS if not self.ignore_missing or (values == k).any())
        x, y, z = image.GetSpacing()
        return RawCase(sitk.GetArrayFromImage(image), values.astype(np.uint8), (z, y, x), known)

    def _image(self, name: str) -> Path | None:
        return _existing(self.path / "images" / name) or _existing(self.path / "images" / f"{name}_0000")


@dataclass(frozen=True)
class Mixture:
    """`share` of the draws from `first`, the others from `second`."""

    first: CaseSource
    second: CaseSource
    share: float

    def draw(self, rng: np.random.Generator) -> str:
        if rng.random() < self.share:
            return "0/" + self.first.draw(rng)
        return "1/" + self.second.draw(rng)

    def load(self, key: str) -> RawCase:
        return (self.first if key.startswith("0/") else self.second).load(key[2:])


class Cache:
    """Prepared cases on disk below `path`, and the last `held` in memory."""

    def __init__(self, source: CaseSource, prepare: Prepare, path: Path, held: int = 400) -> None:
        self.source, self.prepare, self.path, self.held = source, prepare, path, held
        self._memory: dict[str, PreparedCase] = {}
        path.mkdir(parents=True, exist_ok=True)

    def get(self, key: str) -> PreparedCase:
        if key not in self._memory:
            digest = hashlib.sha256(f"{self.source!r} {self.prepare!r} {key}".encode()).hexdigest()[:12]
            file = self.path / f"{key.replace('/', '-')}-{digest}.npz"
            if not file.exists():
                self.prepare(self.source.load(key)).save(file)
            while len(self._memory) >= self.held:
                self._memory.pop(next(iter(self._memory)))
            self._memory[key] = PreparedCase.load(file)
        return self._memory[key]


def _existing(stem: Path) -> Path | None:
    return next((path for suffix in SUFFIXES if (path := stem.with_name(stem.name + suffix)).exists()), None)


def _stem(path: Path) -> str:
    return next((path.name.removesuffix(s) for s in SUFFIXES if path.name.endswith(s)), path.stem)


def _lps(image: sitk.Image) -> NDArray[np.generic]:
    return np.asarray(sitk.GetArrayFromImage(sitk.DICOMOrient(image, "LPS")))


def keys(source: CaseSource) -> Sequence[str]:
    """All keys of a source that has an end."""
    if isinstance(source, Phantoms):
        return [f"phantom-{source.first_seed + i}" for i in range(source.count)]
    if isinstance(source, Folder):
        return source.names()
    raise TypeError("only phantoms and folders can be listed")
