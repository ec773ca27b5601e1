"""Each slice lies where its own header says, in whatever order the files are."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.pixels import apply_rescale
from scipy.spatial.transform import Rotation
from support.dicom import ct_slice, enhanced_ct, set_hu, write_series
from support.scans import block_array, block_image

from efficientscn_trt import InputError
from efficientscn_trt.io.image import Image
from efficientscn_trt.io.reading import read


def turned(rotation: np.ndarray, spacing: tuple[float, float, float] = (0.8, 1.1, 2.5)) -> sitk.Image:
    """A small volume of noise, with other axes."""
    noise = np.random.default_rng(1).integers(-1000, 1000, (7, 5, 6), np.int16)
    image = sitk.GetImageFromArray(noise)
    image.SetSpacing(spacing)
    image.SetOrigin((-12.5, 40.25, 7.0))
    image.SetDirection(rotation.ravel().tolist())
    return image


def value_at(scan: Image, point: np.ndarray) -> float:
    """The value of the voxel whose centre is at `point` (x, y, z) in mm, LPS."""
    geometry = scan.geometry
    matrix = np.reshape(geometry.direction, (3, 3)) * geometry.spacing
    index = np.linalg.solve(matrix, point - np.array(geometry.origin))
    np.testing.assert_allclose(index, index.round(), atol=1e-3)
    x, y, z = index.round().astype(int)
    return float(scan.array[z, y, x])


def check_pixels(scan: Image, plane: Dataset, spacing: Any, orientation: Any, hu: np.ndarray) -> None:
    """Equation C.7.6.2.1-1 of DICOM PS3.3: where the corners of a slice are, and what is there."""
    rows, columns = hu.shape
    position = np.array(plane.ImagePositionPatient, float)
    along_row, along_column = np.array(orientation, float).reshape(2, 3)
    for row, column in ((0, 0), (0, columns - 1), (rows - 1, 0), (rows - 1, columns - 1), (2, 3)):
        point = position + along_row * spacing[1] * column + along_column * spacing[0] * row
        assert value_at(scan, point) == pytest.approx(hu[row, column], abs=1e-3)


rotations = st.integers(0, 2**32 - 1).map(lambda seed: Rotation.random(random_state=seed).as_matrix())


@given(rotation=rotations, seed=st.integers(0, 999), slope=st.sampled_from([1, 2, 0.5]), signed=st.booleans())
def test_any_orientation_order_and_rescale(
    rotation: np.ndarray, seed: int, slope: float, signed: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Against what pydicom reads of each file on its own."""
    folder, chance = tmp_path_factory.mktemp("series"), random.Random(seed)
    image = turned(rotation)
    names = [f"{chance.random()}.dcm" for _ in range(image.GetDepth())]
    for number, name in enumerate(names):
        dataset = ct_slice(image, number)
        intercept = chance.choice([-1024, -1000]) * (not signed)
        dtype = np.int16 if signed else np.uint16
        set_hu(dataset, sitk.GetArrayViewFromImage(image)[number], slope, intercept, dtype=dtype)
        dataset.InstanceNumber = chance.randrange(1000)
        dataset.save_as(folder / name)
    scan = read(folder)
    for name in names:
        file = dcmread(folder / name)
        hu = apply_rescale(file.pixel_array, file)
        check_pixels(scan, file, file.PixelSpacing, file.ImageOrientationPatient, hu)


@given(rotation=rotations, seed=st.integers(0, 999))
def test_any_order_of_the_frames_of_enhanced_ct(
    rotation: np.ndarray, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    chance, path = random.Random(seed), tmp_path_factory.mktemp("enhanced") / "ct.dcm"
    image = turned(rotation)
    order = list(range(image.GetDepth()))
    chance.shuffle(order)

    def change(number: int, group: Dataset) -> None:
        rescale = group.PixelValueTransformationSequence[0]
        rescale.RescaleSlope, rescale.RescaleIntercept = chance.choice("123"), str(chance.randrange(-99, 99))

    enhanced_ct(image, order, change).save_as(path)
    scan, file = read(path), dcmread(path)
    shared = file.SharedFunctionalGroupsSequence[0]
    for index, group in enumerate(file.PerFrameFunctionalGroupsSequence):
        rescale = group.PixelValueTransformationSequence[0]
        hu = file.pixel_array[index] * float(rescale.RescaleSlope) + float(rescale.RescaleIntercept)
        check_pixels(
            scan,
            group.PlanePositionSequence[0],
            shared.PixelMeasuresSequence[0].PixelSpacing,
            shared.PlaneOrientationSequence[0].ImageOrientationPatient,
            hu,
        )


def test_as_simpleitk_reads_it(tmp_path: Path) -> None:
    image = block_image()
    write_series(image, tmp_path)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path)))
    expected, scan = reader.Execute(), read(tmp_path)
    np.testing.assert_array_equal(scan.array, sitk.GetArrayViewFromImage(expected))
    np.testing.assert_allclose(scan.geometry.spacing, expected.GetSpacing())
    np.testing.assert_allclose(scan.geometry.origin, expected.GetOrigin())
    np.testing.assert_allclose(scan.geometry.direction, expected.GetDirection())
    assert scan.warnings == []


def test_real_series_as_simpleitk_reads_it(shared: Path) -> None:
    """JPEG 2000, and no SOP class, study or series UID."""
    folder = shared / "data" / "dicom" / "series"
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(sorted(str(path) for path in folder.iterdir()))
    expected, scan = reader.Execute(), read(folder)
    array = sitk.GetArrayViewFromImage(expected)
    if expected.GetDirection()[8] * (expected.GetOrigin()[2] - scan.geometry.origin[2]) != 0:
        array = array[::-1]  # the files' names run from head to foot
    np.testing.assert_array_equal(scan.array, array)
    np.testing.assert_allclose(scan.geometry.spacing, (0.9765625, 0.9765625, 2.0))
    assert scan.warnings == []


def test_frames_from_head_to_foot(tmp_path: Path) -> None:
    enhanced_ct(block_image(), range(33, -1, -1)).save_as(tmp_path / "ct.dcm")
    scan = read(tmp_path / "ct.dcm")
    np.testing.assert_array_equal(scan.array, block_array())
    np.testing.assert_allclose(scan.geometry.spacing, (4, 3.5, 5))
    np.testing.assert_allclose(scan.geometry.origin, block_image().GetOrigin())


def test_geometry_that_each_frame_has_of_its_own(tmp_path: Path) -> None:
    """Nothing is shared but an empty group."""
    dataset = enhanced_ct(block_image())
    shared = dataset.SharedFunctionalGroupsSequence[0]
    for group in dataset.PerFrameFunctionalGroupsSequence:
        group.PixelMeasuresSequence = shared.PixelMeasuresSequence
        group.PlaneOrientationSequence = shared.PlaneOrientationSequence
    dataset.SharedFunctionalGroupsSequence = [Dataset()]
    dataset.save_as(tmp_path / "ct.dcm")
    np.testing.assert_array_equal(read(tmp_path / "ct.dcm").array, block_array())


@pytest.mark.parametrize("enhanced", [False, True])
@pytest.mark.parametrize(
    ("missing", "largest", "displaced"),
    [([17], "10", "2.5"), ([33, 32, 20], "10", "3.2"), ([1], "10", "4.8")],
)
def test_a_gap_is_warned_of(
    missing: list[int], largest: str, displaced: str, enhanced: bool, tmp_path: Path
) -> None:
    order = [number for number in range(34) if number not in missing]
    if enhanced:
        enhanced_ct(block_image(), order).save_as(tmp_path / "ct.dcm")
    else:
        write_series(block_image(), tmp_path)
        for number in missing:
            (tmp_path / f"1-{number:03d}.dcm").unlink()
    scan = read(tmp_path)
    (warning,) = scan.warnings
    assert warning.code == "unequal-slices"
    assert f"are 5 to {largest} mm apart, but are treated as equally spaced" in warning.message
    assert f"displaced by up to {displaced} mm" in warning.message
    np.testing.assert_array_equal(scan.array, block_array()[order])


@pytest.mark.parametrize("enhanced", [False, True])
def test_a_wide_gap_is_refused(enhanced: bool, tmp_path: Path) -> None:
    order = [*range(10), *range(16, 34)]
    if enhanced:
        enhanced_ct(block_image(), order).save_as(tmp_path / "ct.dcm")
    else:
        write_series(block_image(), tmp_path)
        for number in range(10, 16):
            (tmp_path / f"1-{number:03d}.dcm").unlink()
    with pytest.raises(InputError, match=r"are 5 to 35 mm apart, expected equal distances: labels would be"):
        read(tmp_path)


def _turned(number: int, dataset: Dataset) -> None:
    if number == 33:
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]


def _wider(number: int, dataset: Dataset) -> None:
    if number == 12:
        dataset.PixelSpacing = [3.5, 4.1]


def _two_phases(number: int, dataset: Dataset) -> None:
    if number == 7:
        dataset.ImagePositionPatient = [-101.25, 33.1, -700.7]


def _beside(number: int, dataset: Dataset) -> None:
    if number > 20:
        dataset.ImagePositionPatient = [-91.25, *dataset.ImagePositionPatient[1:]]


def _steep(number: int, dataset: Dataset) -> None:
    dataset.ImagePositionPatient = [6 * number, *dataset.ImagePositionPatient[1:]]


def _flat(number: int, dataset: Dataset) -> None:
    dataset.ImageOrientationPatient = [1, 0, 0, 1, 0, 0]


def _long(number: int, dataset: Dataset) -> None:
    dataset.ImageOrientationPatient = [2, 0, 0, 0, 2, 0]


def _cropped(number: int, dataset: Dataset) -> None:
    if number == 3:
        set_hu(dataset, block_array()[3, :40])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            _turned,
            r"The 34 slices in .* have more than one orientation, expected one; give the files",
        ),
        (_wider, r"The 34 slices in .* have more than one pixel spacing, expected one"),
        (_two_phases, r"The 34 slices in .* are at only 33 positions, so several contrast phases"),
        (_beside, r"do not lie in a straight row: one is 6\.06 mm beside it, expected at most 1 mm"),
        (_steep, r"are shifted sideways by more than they are apart, expected at most as much"),
        (_flat, r"have the orientation 1\\0\\0\\1\\0\\0, expected two perpendicular directions"),
        (_long, r"have the orientation 2\\0\\0\\0\\2\\0, expected two perpendicular directions of length 1"),
        (_cropped, r"differ in size \(57 × 40, 57 × 45 pixels\), expected one size"),
    ],
)
def test_slices_that_make_no_volume(
    change: Callable[[int, Dataset], None], message: str, tmp_path: Path
) -> None:
    write_series(block_image(), tmp_path, change=change)
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("keyword", "what"),
    [
        ("ImagePositionPatient", "position"),
        ("ImageOrientationPatient", "orientation"),
        ("PixelSpacing", "pixel spacing"),
    ],
)
@pytest.mark.parametrize(
    "text", [None, "", "left", "1\\2\\3\\4", "nan\\0\\0", "inf\\0", "1e999\\0\\0", "0\\-1"]
)
def test_a_slice_without_its_geometry(keyword: str, what: str, text: str | None, tmp_path: Path) -> None:
    write_series(block_image(), tmp_path)
    path = tmp_path / "1-004.dcm"
    dataset = dcmread(path)
    written = "\\".join(str(part) for part in dataset[keyword].value).encode()
    if text is None:
        del dataset[keyword]
        dataset.save_as(path)
    else:
        content = path.read_bytes()
        assert content.count(written) == 1
        path.write_bytes(content.replace(written, text.encode().ljust(len(written))))
    with pytest.raises(
        InputError, match=f"1 of the 34 slices in .* lacks a usable {what} .1-004.dcm., without which"
    ):
        read(tmp_path)


def test_frames_without_positions(tmp_path: Path) -> None:
    dataset = enhanced_ct(block_image())
    del dataset.PerFrameFunctionalGroupsSequence
    dataset.save_as(tmp_path / "ct.dcm")
    with pytest.raises(InputError, match=r"ct\.dcm has 34 frames, but describes 0; export"):
        read(tmp_path / "ct.dcm")


@pytest.mark.parametrize("count", [10**9, -3, 0])
def test_a_number_of_frames_that_lies(count: int, tmp_path: Path) -> None:
    dataset = enhanced_ct(block_image())
    dataset.NumberOfFrames = count
    dataset.save_as(tmp_path / "ct.dcm")
    with pytest.raises(InputError):
        read(tmp_path / "ct.dcm")


def test_one_slice(tmp_path: Path) -> None:
    write_series(block_image(), tmp_path)
    with pytest.raises(InputError, match=r"has 57 × 45 × 1 voxels, .*for DICOM, the folder of the series"):
        read(tmp_path / "1-017.dcm")
