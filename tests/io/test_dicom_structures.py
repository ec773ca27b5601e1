"""RTSTRUCT: its outlines are rasterised by matplotlib, and dciodvfy judges it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from matplotlib.path import Path as Polygon
from support.dicom import read_enhanced, read_series, turned
from support.dicom_validity import check_standard
from support.scans import block_image, block_labels

from efficientscn_trt import OutputError, Segmenter
from efficientscn_trt.bundle import Bundle
from efficientscn_trt.io.dicom.contours import outlines
from efficientscn_trt.io.dicom.structures import write_structures
from efficientscn_trt.io.segments import Algorithm
from efficientscn_trt.organs.appearance import segments_of

NAMES = {0: "background", 1: "liver", 2: "kidneys", 3: "spleen", 4: "pancreas"}
ALGORITHM = Algorithm("networks", "0123456789abcdef")
DIRECTIONS = {
    "head first": (1, 0, 0, 0, 1, 0, 0, 0, 1),
    "feet first": (-1, 0, 0, 0, 1, 0, 0, 0, -1),
    "oblique": (0.6, -0.8, 0, 0.8, 0.6, 0, 0, 0, 1),
}


def _filled(polygons: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """The pixels whose centres are in one of the polygons, each [point, (x, y)]."""
    rows, columns = np.indices(shape)
    centres = np.stack([columns.ravel(), rows.ravel()], axis=1)
    inside = np.zeros(shape, bool)
    for polygon in polygons:
        closed = Polygon(np.concatenate([polygon, polygon[:1]]))
        inside ^= closed.contains_points(centres).reshape(shape)
    return inside


def _labels() -> np.ndarray:
    """Blocks: one with a hole in which there is a piece, and one with noise."""
    labels = block_labels()
    labels[10:14, 12:20, 9:17] = 0
    labels[10:14, 15:17, 12:14] = 1
    spleen = np.argwhere(labels == 3)
    noise = spleen[np.random.default_rng(1).random(len(spleen)) < 0.2]
    labels[tuple(noise.T)] = 0
    return labels


def _check(path: Path, labels: np.ndarray, image: sitk.Image) -> None:
    """The contours, in pixels of `image`, fill exactly the pixels of `labels`."""
    structures = pydicom.dcmread(path)
    for value, roi in enumerate(structures.ROIContourSequence, 1):
        slices: dict[int, list[np.ndarray]] = {}
        for contour in roi.get("ContourSequence", []):
            assert contour.ContourGeometricType == "CLOSED_PLANAR"
            points = np.reshape([float(each) for each in contour.ContourData], (-1, 3))
            assert len(points) == contour.NumberOfContourPoints
            indices = np.array(
                [image.TransformPhysicalPointToContinuousIndex(each) for each in points.tolist()]
            )
            number = round(indices[0, 2])
            np.testing.assert_allclose(indices[:, 2], number, atol=1e-3)
            slices.setdefault(number, []).append(indices[:, :2])
        for number, plane in enumerate(labels):
            np.testing.assert_array_equal(_filled(slices.get(number, []), plane.shape), plane == value)


@given(arrays.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_outlines_fill_the_mask_again(mask: np.ndarray) -> None:
    polygons = list(outlines(mask))
    assert all(len(polygon) > 3 for polygon in polygons)
    np.testing.assert_array_equal(_filled(polygons, mask.shape), mask)


def test_a_hole_costs_no_contour_of_its_own() -> None:
    mask = np.ones((9, 9), bool)
    mask[2:4, 2:4] = mask[5:7, 4:8] = False
    (outline,) = outlines(mask)
    np.testing.assert_array_equal(_filled([outline], mask.shape), mask)


def test_points_on_a_straight_line_are_left_out() -> None:
    (outline,) = outlines(np.ones((20, 30), bool))
    assert len(outline) == 8  # four sides, whose corners are cut


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS)
def test_series(direction: tuple[float, ...], tmp_path: Path) -> None:
    scan = read_series(tmp_path / "series", turned(direction))
    assert scan.source
    write_structures(_labels(), scan.source, segments_of(NAMES), ALGORITHM, tmp_path / "rs.dcm")
    image = sitk.GetImageFromArray(_labels())
    scan.geometry.put_on(image)
    _check(tmp_path / "rs.dcm", _labels(), image)
    check_standard(tmp_path / "rs.dcm", "RTStructureSet")
    files = {pydicom.dcmread(file).SOPInstanceUID: file for file in (tmp_path / "series").iterdir()}
    for roi in pydicom.dcmread(tmp_path / "rs.dcm").ROIContourSequence:
        for contour in roi.ContourSequence:
            slice_ = pydicom.dcmread(files[contour.ContourImageSequence[0].ReferencedSOPInstanceUID])
            normal = np.cross(slice_.ImageOrientationPatient[:3], slice_.ImageOrientationPatient[3:])
            place = np.subtract(
                [float(each) for each in contour.ContourData[:3]], slice_.ImagePositionPatient
            )
            assert abs(place @ normal) < 1e-3


def test_enhanced_ct(tmp_path: Path) -> None:
    scan, dataset = read_enhanced(tmp_path / "enhanced.dcm")
    assert scan.source
    write_structures(_labels(), scan.source, segments_of(NAMES), ALGORITHM, tmp_path / "rs.dcm")
    _check(tmp_path / "rs.dcm", _labels(), block_image())
    check_standard(tmp_path / "rs.dcm", "RTStructureSet")
    contour = pydicom.dcmread(tmp_path / "rs.dcm").ROIContourSequence[0].ContourSequence[0]
    frame = contour.ContourImageSequence[0].ReferencedFrameNumber - 1
    place = dataset.PerFrameFunctionalGroupsSequence[frame].PlanePositionSequence[0]
    assert float(contour.ContourData[2]) == pytest.approx(float(place.ImagePositionPatient[2]), abs=1e-3)


def test_what_it_says(tmp_path: Path) -> None:
    scan = read_series(tmp_path / "series", block_image())
    assert scan.source
    labels = np.where(block_labels() == 2, 0, block_labels()).astype(np.uint8)
    names = {**NAMES, 3: "größere Milz"}
    write_structures(labels, scan.source, segments_of(names), ALGORITHM, tmp_path / "rs.dcm")
    structures, source = (
        pydicom.dcmread(tmp_path / "rs.dcm"),
        pydicom.dcmread(tmp_path / "series" / "1-000.dcm"),
    )
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "FrameOfReferenceUID", "AccessionNumber"):
        assert structures[keyword].value == source[keyword].value
    assert [roi.ROIName for roi in structures.StructureSetROISequence] == list(names.values())[1:]
    liver, kidneys, *_ = structures.ROIContourSequence
    assert liver.ROIDisplayColor == [0xFF, 0x5A, 0x52]
    assert "ContourSequence" not in kidneys
    observation = structures.RTROIObservationsSequence[0]
    assert observation.RTROIIdentificationCodeSequence[0].CodeValue == "10200004"
    (series,) = (
        structures.ReferencedFrameOfReferenceSequence[0]
        .RTReferencedStudySequence[0]
        .RTReferencedSeriesSequence
    )
    assert series.SeriesInstanceUID == source.SeriesInstanceUID
    assert len(series.ContourImageSequence) == block_image().GetDepth()
    check_standard(tmp_path / "rs.dcm", "RTStructureSet")


def test_a_result(tiny_bundle: Bundle, tmp_path: Path) -> None:
    read_series(tmp_path / "series", turned(DIRECTIONS["feet first"]))
    result = Segmenter(tiny_bundle, device="cpu").segment(tmp_path / "series")
    result.save_rtstruct(tmp_path / "rs.dcm")
    _check(tmp_path / "rs.dcm", np.asarray(result.array), result.image)
    with pytest.raises(OutputError, match=r"rs\.nii has no known extension, expected \.dcm"):
        result.save_rtstruct(tmp_path / "rs.nii")
    with pytest.raises(OutputError, match=r"would be RTSTRUCT, which refers to the slices of a DICOM series"):
        Segmenter(tiny_bundle, device="cpu").segment(block_image()).save_rtstruct(tmp_path / "other.dcm")


def test_a_tilted_series_is_refused(tmp_path: Path) -> None:
    scan = read_series(tmp_path / "series", block_image())
    assert scan.source
    resampled = type(scan.source)(scan.source.frames, resampled=True)
    with pytest.raises(OutputError, match=r"a tilted gantry.*RTSTRUCT cannot refer to those of the series"):
        write_structures(_labels(), resampled, segments_of(NAMES), ALGORITHM, tmp_path / "rs.dcm")
