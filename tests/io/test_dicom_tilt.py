"""Slices of a tilted gantry are resampled onto a straight grid, on which all lies where it was."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from pydicom import Dataset
from support.dicom import enhanced_ct, write_series
from support.scans import BLOCKS, block_array, block_image

from efficientscn_trt import Segmenter
from efficientscn_trt.io.orientation import Geometry
from efficientscn_trt.io.reading import read
from efficientscn_trt.io.shear import straight_geometry

ANGLE = np.radians(20)


def _tilt(number: int, dataset: Dataset) -> None:
    """The slices lean by 20°, and follow each other along z, as the table moves."""
    dataset.ImageOrientationPatient = [1, 0, 0, 0, f"{np.cos(ANGLE):.10f}", f"{-np.sin(ANGLE):.10f}"]


def _ramp(image: sitk.Image) -> sitk.Image:
    """A scan whose HU is a linear function of the position in the tilted slices."""
    z, y, x = np.indices(image.GetSize()[::-1])
    points = _points(x, y, z)
    values = (points @ [1.0, 2.0, -1.5]).round().astype(np.int16)
    ramp = sitk.GetImageFromArray(values)
    ramp.CopyInformation(image)
    return ramp


def _points(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Where the voxels of tilted slices of `block_image` are, by hand."""
    spacing, origin = block_image().GetSpacing(), block_image().GetOrigin()
    return np.stack(
        [
            origin[0] + x * spacing[0],
            origin[1] + y * spacing[1] * np.cos(ANGLE),
            origin[2] + z * spacing[2] - y * spacing[1] * np.sin(ANGLE),
        ],
        axis=-1,
    )


@pytest.mark.parametrize("enhanced", [False, True])
def test_values_stay_where_they_are(enhanced: bool, tmp_path: Path) -> None:
    image = _ramp(block_image())
    if enhanced:
        dataset = enhanced_ct(image)
        _tilt(0, dataset.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0])
        dataset.save_as(tmp_path / "ct.dcm")
    else:
        write_series(image, tmp_path, change=_tilt)
    scan = read(tmp_path)
    geometry = scan.geometry
    matrix = np.reshape(geometry.direction, (3, 3))
    np.testing.assert_allclose(matrix.T @ matrix, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(matrix, np.eye(3), atol=1e-6)  # along the table, not along the slices
    np.testing.assert_allclose(geometry.spacing, (4, 3.5 * np.cos(ANGLE), 5), rtol=1e-6)
    z, y, x = np.indices(scan.array.shape)
    points = np.stack([x, y, z], axis=-1) * geometry.spacing @ matrix.T + geometry.origin
    first = _points(*np.zeros(3))
    steps = np.stack([_points(*axis) - first for axis in np.eye(3)], axis=1)
    own = np.linalg.solve(steps, (points - first).reshape(-1, 3).T).T.reshape(points.shape)
    inside = ((own > -1e-6) & (own < np.array(image.GetSize()) - 1 + 1e-6)).all(axis=-1)
    assert inside.sum() > 0.9 * image.GetNumberOfPixels()
    # Rounded when they were written, and again after the interpolation.
    assert np.abs(scan.array - points @ [1.0, 2.0, -1.5])[inside].max() <= 1.01


def test_the_straight_grid_covers_all_slices(tmp_path: Path) -> None:
    write_series(block_image(), tmp_path, change=_tilt)
    scan = read(tmp_path)
    corners = _points(*np.meshgrid([0, 56], [0, 44], [0, 33], indexing="ij")).reshape(-1, 3)
    matrix = np.reshape(scan.geometry.direction, (3, 3)) * scan.geometry.spacing
    index = np.linalg.solve(matrix, (corners - scan.geometry.origin).T).T
    assert (index > -0.001).all() and (index < np.array(scan.geometry.size) - 0.999).all()
    (warning,) = scan.warnings
    assert warning.code == "straightened"
    size = " × ".join(str(n) for n in scan.geometry.size)
    assert warning.message == (
        f"The 34 slices in {tmp_path} are shifted sideways against each other (a tilted gantry), so they "
        f"were resampled onto a straight grid of {size} voxels, which the label map has too."
    )


def test_labels_lie_over_the_organs(segmenter: Segmenter, tmp_path: Path) -> None:
    """As nibabel and SimpleITK see them."""
    write_series(block_image(), tmp_path / "series", change=_tilt)
    result = segmenter.segment(tmp_path / "series")
    result.save(tmp_path / "labels.nii.gz")
    by_sitk = sitk.ReadImage(str(tmp_path / "labels.nii.gz"))
    by_nibabel = nibabel.Nifti1Image.from_filename(tmp_path / "labels.nii.gz")
    array = np.asarray(by_nibabel.dataobj)
    for label, (start, stop) in BLOCKS.items():
        middle = (np.array(start) + stop) / 2 - 0.5
        point = _points(*(np.array(part) for part in middle[::-1]))
        assert by_sitk.GetPixel(by_sitk.TransformPhysicalPointToIndex(point.tolist())) == label
        ras = np.append(point * [-1, -1, 1], 1)
        x, y, z, _ = np.linalg.solve(by_nibabel.affine, ras).round().astype(int)
        assert array[x, y, z] == label
        found = result.volumes_ml[result.label_names[label]]
        expected = np.prod(np.subtract(stop, start)) * 4 * 3.5 * 5 * np.cos(ANGLE) / 1000
        assert found == pytest.approx(expected, rel=0.15)  # the edges of small blocks are interpolated


@pytest.mark.parametrize("sideways", [0.01, 0.4, -0.4])
def test_a_lean_of_less_than_half_a_millimetre(
    sideways: float, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """It is neglected, but the label map gets perpendicular axes, which every program can read."""
    image = block_image()

    def change(number: int, dataset: Dataset) -> None:
        x, y, z = image.TransformIndexToPhysicalPoint((0, 0, number))
        dataset.ImagePositionPatient = [f"{value:.6f}" for value in (x, y + sideways * number / 33, z)]

    write_series(image, tmp_path, change=change)
    scan = read(tmp_path)
    np.testing.assert_array_equal(scan.array, block_array())
    matrix = np.reshape(scan.geometry.direction, (3, 3))
    np.testing.assert_allclose(matrix, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(scan.geometry.spacing, (4, 3.5, 5))
    assert scan.warnings == []
    labels = sitk.GetImageFromArray(scan.array.astype(np.uint8))
    scan.geometry.put_on(labels)
    sitk.WriteImage(labels, str(tmp_path / "labels.nii"))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("flip", [(1, 1, 1), (-1, 1, 1), (1, -1, -1), (-1, -1, -1)])
def test_a_straight_grid_keeps_its_handedness(flip: tuple[int, int, int]) -> None:
    matrix = np.array([[1, 0, 0], [0, 1, 0.3], [0, 0, np.sqrt(1 - 0.09)]]) * flip
    straight = straight_geometry(Geometry((20, 20, 20), (1, 2, 3), (5, 6, 7), tuple(matrix.ravel())))
    np.testing.assert_allclose(np.reshape(straight.direction, (3, 3)), np.diag(flip), atol=1e-12)
    np.testing.assert_allclose(straight.spacing, (1, 2, 3 * np.sqrt(1 - 0.09)))
