"""Statistics of each organ: its size, its HU, its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from .. import _core
from ..io.orientation import Geometry
from ..triples import Slices, Triple, triple
from .confidence import Confidence
from .naming import canonical
from .region import ScanRegion
from .sides import sides_of

_BORDERS = (("I", "S"), ("A", "P"), ("R", "L"))  # of a scan, at the first and the last index along z, y, x


@dataclass(frozen=True)
class Extent:
    """Where an organ is.

    Attributes:
        voxels: slices of the scan's own array [z, y, x]: the smallest box around the organ.
        start_mm, end_mm: the smallest box (x, y, z) along LPS axes around that box, in the coordinates of the
            patient, as in DICOM and SimpleITK.
        centre_mm: the mean position (x, y, z) of its voxels, in these coordinates.
        borders: of the scan, those that it touches: it may be cut off there. They are R(ight), L(eft),
            A(nterior), P(osterior), I(nferior) and S(uperior).
    """

    voxels: Slices
    start_mm: Triple
    end_mm: Triple
    centre_mm: Triple
    borders: tuple[str, ...]


@dataclass(frozen=True)
class Intensities:
    """The HU in an organ, by voxel: mean, standard deviation (of a sample: n - 1), and percentiles."""

    mean: float
    sd: float
    p5: float
    median: float
    p95: float


@dataclass(frozen=True)
class OrganStatistics:
    """Statistics of one organ.

    Attributes:
        voxels: the number of its voxels.
        ml: their volume.
        pieces_ml: the volume of each connected piece, the largest first. Voxels that share a face, an edge or
            a corner are connected.
        hu: None if it has no voxel with a finite HU.
        extent: None if it has no voxel.
        confidence: None for a side of an organ, and if the segmentation network found none or does not return
            probabilities.
    """

    voxels: int
    ml: float
    pieces_ml: tuple[float, ...]
    hu: Intensities | None
    extent: Extent | None
    confidence: Confidence | None = None


def organ_statistics(
    labels: np.ndarray,
    region: ScanRegion,
    geometry: Geometry,
    names: Mapping[int, str],
    voxel_ml: float,
    confidences: Mapping[str, Confidence],
    threads: int = 0,
) -> dict[str, OrganStatistics]:
    """The statistics of each label above 0, by its name; for kidneys also those of the right and of the left.

    `labels` is uint8 [z, y, x] in the scan's own axes, and 0 outside `region`. `voxel_ml` is the volume of a
    voxel. `confidences` are by the name of the label. A piece is right or left by its centre and the middle
    of the body. One that crosses the middle with at least a quarter on each side, such as a horseshoe kidney,
    is divided there.
    """
    organs = {name: value for value, name in sorted(names.items()) if value}
    labelled = set(map(canonical, organs))
    both = next((name for name in organs if sides_of(name) and not labelled & set(sides_of(name))), "")
    sides = sides_of(both)
    found = dict.fromkeys((*organs, *sides), OrganStatistics(0, 0.0, (), None, None))
    if region.hu.size:
        numbers = _core.label_statistics(
            geometry.lps_view(labels)[region.slices],
            region.hu,
            len(organs),
            (organs[both], region.middle - region.start[2]) if both else None,
            threads,
        )
        for name, each in zip(found, numbers, strict=True):
            found[name] = _statistics(each, region, geometry, voxel_ml)
    order = (each for name in organs for each in (name, *(sides if name == both else ())))
    return {name: replace(found[name], confidence=confidences.get(name)) for name in order}


def _statistics(
    found: _core.LabelStatistics, region: ScanRegion, geometry: Geometry, voxel_ml: float
) -> OrganStatistics:
    intensities = Intensities(found.mean, found.deviation, *found.percentiles) if found.values else None
    return OrganStatistics(
        found.voxels,
        found.voxels * voxel_ml,
        tuple(size * voxel_ml for size in found.pieces),
        intensities,
        _extent(found, region, geometry) if found.voxels else None,
    )


def _extent(found: _core.LabelStatistics, region: ScanRegion, geometry: Geometry) -> Extent:
    first, last, centre = (np.add(region.start, index) for index in (found.first, found.last, found.centre))
    edges = zip(first - 0.5, last + 0.5, strict=True)
    corners = [geometry.position(corner) for corner in product(*edges)]
    return Extent(
        geometry.own_slices(first.tolist(), (last + 1).tolist()),
        triple(np.min(corners, axis=0)),
        triple(np.max(corners, axis=0)),
        geometry.position(centre.tolist()),
        tuple(_borders(first.tolist(), last.tolist(), geometry)),
    )


def _borders(first: list[int], last: list[int], geometry: Geometry) -> Iterable[str]:
    for (low, high), begin, end, size in zip(_BORDERS, first, last, geometry.lps_size, strict=True):
        if begin == 0:
            yield low
        if end == size - 1:
            yield high
