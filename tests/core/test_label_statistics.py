"""Statistics of labels against SimpleITK, SciPy and NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from efficientscn_trt import _core

_TOUCHING = np.ones((3, 3, 3))  # voxels that share a face, an edge or a corner
_DTYPES = ("int16", "uint8", "uint16", "int32", "float32")


def _random(seed: int, dtype: str = "int16") -> tuple[np.ndarray, np.ndarray]:
    """A label map with 4 labels in pieces of many shapes, and HU."""
    random = np.random.default_rng(seed)
    shape = tuple(random.integers(1, 40, 3))
    fields = [ndimage.uniform_filter(random.normal(size=shape), 3, mode="constant") for _ in range(5)]
    labels = np.argmax(fields, axis=0).astype(np.uint8)
    low, high = (0, 256) if dtype == "uint8" else (0, 4000) if dtype == "uint16" else (-1024, 3000)
    values = random.uniform(low, high, shape)
    return labels, (values if dtype == "float32" else np.floor(values)).astype(dtype)


@pytest.mark.parametrize("dtype", _DTYPES)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("threads", [1, 3])
def test_equal_to_numpy_and_scipy(dtype: str, seed: int, threads: int) -> None:
    labels, hu = _random(seed, dtype)
    found = _core.label_statistics(labels, hu, 5, threads=threads)
    assert len(found) == 5
    boxes = ndimage.find_objects(labels, 5)
    for label, ours in enumerate(found, 1):
        mask = labels == label
        assert ours.voxels == ours.values == np.count_nonzero(mask)
        sizes = np.bincount(ndimage.label(mask, _TOUCHING)[0].ravel())[1:]
        assert ours.pieces == sorted(sizes.tolist(), reverse=True)
        if not mask.any():
            continue
        box = boxes[label - 1]
        assert ours.first == tuple(part.start for part in box)
        assert ours.last == tuple(part.stop - 1 for part in box)
        np.testing.assert_allclose(ours.centre, ndimage.center_of_mass(mask), rtol=1e-12, atol=1e-12)
        values = hu[mask].astype(np.float64)
        np.testing.assert_allclose(ours.mean, values.mean(), rtol=1e-12)
        if values.size > 1:
            np.testing.assert_allclose(ours.deviation, values.std(ddof=1), rtol=1e-9)
        np.testing.assert_allclose(ours.percentiles, np.percentile(values, [5, 50, 95]), rtol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_equal_to_simpleitk(seed: int) -> None:
    labels, hu = _random(seed, "float32")
    found = _core.label_statistics(labels, hu, 4)
    filter = sitk.LabelIntensityStatisticsImageFilter()
    filter.Execute(sitk.GetImageFromArray(labels), sitk.GetImageFromArray(hu))
    for label in filter.GetLabels():
        ours = found[label - 1]
        assert ours.voxels == filter.GetNumberOfPixels(label)
        np.testing.assert_allclose(ours.mean, filter.GetMean(label), rtol=1e-6)
        np.testing.assert_allclose(ours.deviation, filter.GetStandardDeviation(label), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(ours.centre[::-1], filter.GetCentroid(label), rtol=1e-9)
        x, y, z, *size = filter.GetBoundingBox(label)
        assert ours.first == (z, y, x)
        assert tuple(np.subtract(ours.last, ours.first) + 1) == tuple(size[::-1])


@pytest.mark.parametrize("turn", [np.s_[::-1, :, ::-1], np.s_[1:, 1:-1, 2:]])
def test_views(turn: Any) -> None:
    """Views are read where they are, along other axes too."""
    labels, hu = (np.asarray(each)[turn].transpose(2, 0, 1) for each in _random(3))
    ours, copied = (
        _core.label_statistics(*pair, 4) for pair in [(labels, hu), (labels.copy(), np.ascontiguousarray(hu))]
    )
    for one, other in zip(ours, copied, strict=True):
        assert (one.mean, one.first, one.pieces) == (other.mean, other.first, other.pieces)


def test_pieces_that_share_a_corner_only() -> None:
    labels = np.zeros((3, 3, 3), np.uint8)
    labels[0, 0, 0] = labels[1, 1, 1] = labels[2, 0, 2] = 1
    labels[2, 2, 2] = 2
    one, two = _core.label_statistics(labels, labels, 2)
    assert (one.pieces, two.pieces) == ([3], [1])


def test_runs_that_end_side_by_side() -> None:
    """Each run touches two of the next row, one of them by a corner."""
    labels = np.array([[[1, 1, 2, 2], [2, 2, 1, 1]]], np.uint8)
    assert [each.pieces for each in _core.label_statistics(labels, labels, 2)] == [[4], [4]]


def test_values_that_are_not_finite_do_not_count() -> None:
    labels = np.array([[[1, 1, 1, 1, 2]]], np.uint8)
    hu = np.array([[[1, np.nan, np.inf, 3, -np.inf]]], np.float32)
    one, two = _core.label_statistics(labels, hu, 2)
    assert (one.voxels, one.values, one.mean, one.percentiles[1]) == (4, 2, 2, 2)
    assert (two.voxels, two.values, two.mean, two.percentiles) == (1, 0, 0, (0, 0, 0))


def test_sides_of_a_division() -> None:
    labels = np.zeros((1, 1, 20), np.uint8)
    labels[..., 1:4] = labels[..., 6:12] = labels[..., 15:19] = 2
    hu = np.arange(20, dtype=np.int16).reshape(1, 1, 20)
    whole, lower, higher = _core.label_statistics(labels, hu, 2, (2, 9.5))[1:]
    assert whole.pieces == [6, 4, 3]
    # The plane leaves 4 voxels of the middle piece on one side, and 2, a third, on the other: it is divided.
    assert (lower.pieces, higher.pieces) == ([4, 3], [4, 2])
    assert (lower.last[2], higher.first[2], higher.mean) == (9, 10, (10 + 11 + 15 + 16 + 17 + 18) / 6)
    # Here it leaves 1, less than a quarter, so all of it lies on the side of its centre.
    lower, higher = _core.label_statistics(labels, hu, 2, (2, 10.5))[2:]
    assert (lower.pieces, higher.pieces) == ([6, 3], [4])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"volume": np.zeros((1, 2, 4), np.int16)}, r"labels and volume must have the same shape"),
        ({"labels": np.zeros((1, 2, 3), np.int16)}, r"labels must hold bool or uint8 voxels, found int16"),
        ({"volume": np.zeros((1, 2, 3))}, r"volume must hold int16, uint8"),
        (
            {name: np.broadcast_to(np.uint8(1), (1, 1, 2**31 - 1)) for name in ("labels", "volume")},
            r"labels must have fewer than 2147483647 voxels per axis, found",
        ),
        ({"highest": 256}, r"highest must be a label, 0 to 255, found 256"),
        ({"highest": -1}, r"highest must be a label, 0 to 255, found -1"),
        ({"division": (5, 1.0)}, r"division must be of a label from 1 to highest, found 5"),
        ({"division": (0, 1.0)}, r"division must be of a label from 1 to highest, found 0"),
        ({"division": (1, np.nan)}, r"division must be at an index, found"),
        ({"division": (1, 1e300)}, r"division must be at an index, found"),
        ({"threads": -1}, r"threads"),
    ],
)
def test_arguments_that_are_refused(changes: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {
        "labels": np.zeros((1, 2, 3), np.uint8),
        "volume": np.zeros((1, 2, 3), np.int16),
        "highest": 4,
    }
    with pytest.raises(ValueError, match=message):
        _core.label_statistics(**(arguments | changes))
