"""Axes that are not perpendicular: the scan is straightened, and nothing moves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.nifti import AFFINE, block_nifti, header_of, labels_of, load, noise, write
from support.tiny_bundle import LABEL_HU

from efficientscn_trt import InputError, Segmenter
from efficientscn_trt.io.reading import read
from efficientscn_trt.io.volume import open_scan

SHEARED = AFFINE.copy()
SHEARED[1, 2] = 1.0  # each slice is 1 mm in front of the one before


@pytest.mark.parametrize("qform", [None, AFFINE])
def test_a_shear_is_as_a_tilted_gantry(
    qform: np.ndarray | None, segmenter: Segmenter, tmp_path: Path
) -> None:
    path = block_nifti(tmp_path / "ct.nii.gz", qform=qform, sform=SHEARED)
    result = segmenter.segment(path)
    assert "straightened" in [warning.code for warning in result.warnings]
    result.save(tmp_path / "labels.nii.gz")
    labels, scan = load(tmp_path / "labels.nii.gz"), load(path)
    matrix = labels.affine[:3, :3]
    np.testing.assert_allclose(matrix.T @ matrix, np.diag(np.square(labels.header.get_zooms())), atol=1e-4)
    # The middle of the brightest organ, where nibabel lays it in the scan and in the label map.
    places = [
        image.affine @ np.append(np.argwhere(np.asarray(image.dataobj) == value).mean(axis=0), 1)
        for image, value in ((scan, LABEL_HU[4]), (labels, 4))
    ]
    np.testing.assert_allclose(places[0], places[1], atol=1)


@pytest.mark.parametrize("step", [(0.002, 2.0), (0.001, 0.002)])
def test_a_shear_that_would_need_an_enormous_grid(step: tuple[float, float], tmp_path: Path) -> None:
    """A file of 2 kB must not take gigabytes."""
    array = np.full((2, 2, 300), -1000, np.int16)
    affine = np.array([[step[0], 0, 2, 0], [0, step[1], 0, 0], [0, 0, 3, 0], [0, 0, 0, 1.0]])
    path = write(tmp_path / "ct.nii", array, header_of(array, qform=None, sform=affine))
    with pytest.raises(InputError, match=r"lean so much that a straight grid would need [\d × ]+ voxels"):
        open_scan(path)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.nan, "has 1 voxel that is NaN or infinite"),
        (np.inf, "has 1 voxel that is NaN or infinite"),
        (2.0**31, r"has values from -100 to 2\.14748e\+09, which cannot be HU"),
    ],
)
def test_values_are_checked_before_they_are_interpolated(value: float, message: str, tmp_path: Path) -> None:
    array = noise(dtype=np.float32)
    array[3, 2, 2] = value
    array[0, 0, 0] = -100
    path = write(tmp_path / "ct.nii", array, header_of(array, qform=None, sform=SHEARED))
    with pytest.raises(InputError, match=message):
        open_scan(path)


def test_what_is_outside_is_air(tmp_path: Path) -> None:
    """Also of a crop within the body, whose lowest value is fat. It is no warning."""
    array = np.random.default_rng(0).normal(40, 60, (20, 20, 20)).astype(np.int16)
    array[:, :6] = -100
    scan = open_scan(write(tmp_path / "ct.nii", array, header_of(array, qform=None, sform=SHEARED)))
    assert scan.array.min() == -1024
    assert [warning.code for warning in scan.warnings] == ["straightened"]


def test_a_shear_that_is_too_small_to_matter(tmp_path: Path) -> None:
    affine = AFFINE.copy()
    affine[1, 2] = 0.05
    path = write(tmp_path / "ct.nii", noise(), header_of(noise(), qform=None, sform=affine))
    assert read(path).warnings == []
    labels = labels_of(path, tmp_path / "labels.nii")
    np.testing.assert_array_equal(load(labels).affine, load(path).affine)
