"""DICOM SEG, read back by pydicom, highdicom and dcmqi, and judged by dciodvfy."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom import Dataset
from pydicom.uid import generate_uid
from support.dicom import only, read_enhanced, read_series, turned
from support.dicom_validity import check_standard
from support.scans import SPACING_XYZ, block_array, block_image, block_labels

from efficientscn_trt import OutputError, Segmenter
from efficientscn_trt.bundle import Bundle
from efficientscn_trt.io.image import Image
from efficientscn_trt.io.reading import read
from efficientscn_trt.io.segments import Algorithm
from efficientscn_trt.organs.appearance import segments_of

highdicom = pytest.importorskip("highdicom")

from efficientscn_trt.io.dicom.measurements import Measurements, write_measurements  # noqa: E402
from efficientscn_trt.io.dicom.segmentation import write_segmentation  # noqa: E402
from efficientscn_trt.io.dicom.structures import write_structures  # noqa: E402

NAMES = {0: "background", 1: "liver", 2: "kidneys", 3: "spleen", 4: "pancreas"}
ALGORITHM = Algorithm("paper's networks", "0123456789abcdef")
_TILT = np.cos(0.3), np.sin(0.3)
#: Directions of rows, columns and slices, as the columns of a matrix.
DIRECTIONS = {
    "head first": (1, 0, 0, 0, 1, 0, 0, 0, 1),
    "feet first": (-1, 0, 0, 0, 1, 0, 0, 0, -1),
    "prone": (-1, 0, 0, 0, -1, 0, 0, 0, 1),
    "coronal": (1, 0, 0, 0, 0, 1, 0, -1, 0),
    "oblique": (_TILT[0], -_TILT[1], 0, _TILT[1], _TILT[0], 0, 0, 0, 1),
}


def _write(scan: Image, path: Path, labels: np.ndarray | None = None) -> Path:
    assert scan.source
    labels = _labels(scan) if labels is None else labels
    write_segmentation(labels, scan.geometry, scan.source, segments_of(NAMES), ALGORITHM, path)
    return path


def _labels(scan: Image) -> np.ndarray:
    """Blocks, and noise between them; no kidneys."""
    labels = block_labels()
    labels[::5, ::7, ::9] = np.random.default_rng(2).choice([0, 1, 3, 4], labels[::5, ::7, ::9].shape)
    labels[labels == 2] = 0
    assert labels.shape == scan.array.shape
    return labels


def _points(image: sitk.Image, mask: np.ndarray) -> np.ndarray:
    """Where the voxels of a mask are, in mm and in order."""
    origin, spacing = np.array(image.GetOrigin()), np.array(image.GetSpacing())
    points = origin + (np.argwhere(mask)[:, ::-1] * spacing) @ np.reshape(image.GetDirection(), (3, 3)).T
    return points[np.lexsort(points.round(2).T)]


def _check_labels(path: Path, labels: np.ndarray, image: sitk.Image, tmp_path: Path) -> None:
    """pydicom, highdicom and dcmqi find the labels where they are in `image`."""
    seg = pydicom.dcmread(path)
    planes = np.reshape(seg.pixel_array, (-1, *labels.shape[1:]))
    found = np.zeros_like(labels)
    for plane, group in zip(planes, seg.PerFrameFunctionalGroupsSequence, strict=True):
        position = group.PlanePositionSequence[0].ImagePositionPatient
        index = image.TransformPhysicalPointToContinuousIndex([float(each) for each in position])
        np.testing.assert_allclose(index, (0, 0, round(index[2])), atol=1e-3)
        (reference,) = group.DerivationImageSequence[0].SourceImageSequence
        assert reference.ReferencedSOPInstanceUID
        found[round(index[2])][plane == 1] = group.SegmentIdentificationSequence[0].ReferencedSegmentNumber
    np.testing.assert_array_equal(found, labels)
    volume = highdicom.seg.segread(path).get_volume(combine_segments=True)
    whole = np.argwhere(volume.array)
    points = (volume.affine @ np.c_[whole, np.ones(len(whole))].T)[:3].T
    order = np.lexsort(points.round(2).T)
    np.testing.assert_allclose(points[order], _points(image, labels > 0), atol=1e-3)
    folder = tmp_path / "dcmqi"
    folder.mkdir()
    command = [str(Path(sys.executable).with_name("segimage2itkimage")), "--mergeSegments", "-t", "nrrd"]
    done = subprocess.run(
        [*command, "--outputDirectory", str(folder), "--inputDICOM", str(path)], capture_output=True
    )
    assert done.returncode == 0, done.stderr
    (merged,) = folder.glob("*.nrrd")
    back = sitk.ReadImage(str(merged))
    for value in np.unique(labels)[1:]:
        mask = sitk.GetArrayViewFromImage(back) == value
        np.testing.assert_allclose(_points(back, mask), _points(image, labels == value), atol=1e-3)


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS)
def test_series(direction: tuple[float, ...], tmp_path: Path) -> None:
    image = turned(direction)
    scan = read_series(tmp_path / "series", image)
    assert scan.source
    # In the order of the slices along the normal, whatever that of the files is.
    first = pydicom.dcmread(scan.source.frames[0].path)
    assert [float(each) for each in first.ImagePositionPatient] == pytest.approx(scan.geometry.origin)
    path = _write(scan, tmp_path / "seg.dcm")
    ours = sitk.GetImageFromArray(_labels(scan))
    scan.geometry.put_on(ours)
    _check_labels(path, _labels(scan), ours, tmp_path)
    check_standard(path, "Segmentation")


def test_enhanced_ct_with_frames_in_any_order(tmp_path: Path) -> None:
    scan, dataset = read_enhanced(tmp_path / "enhanced.dcm")
    np.testing.assert_array_equal(scan.array, block_array())
    path = _write(scan, tmp_path / "seg.dcm")
    _check_labels(path, _labels(scan), block_image(), tmp_path)
    seg = pydicom.dcmread(path)
    for group in seg.PerFrameFunctionalGroupsSequence:
        (reference,) = group.DerivationImageSequence[0].SourceImageSequence
        place = dataset.PerFrameFunctionalGroupsSequence[reference.ReferencedFrameNumber - 1]
        assert (
            group.PlanePositionSequence[0].ImagePositionPatient
            == place.PlanePositionSequence[0].ImagePositionPatient
        )
    check_standard(path, "Segmentation")


def test_a_zip_archive(tmp_path: Path) -> None:
    read_series(tmp_path / "series", block_image())
    with zipfile.ZipFile(tmp_path / "series.zip", "w") as archive:
        for file in (tmp_path / "series").iterdir():
            archive.write(file, f"study/{file.name}")
    shutil.rmtree(tmp_path / "series")
    scan = read(tmp_path / "series.zip")
    path = _write(scan, tmp_path / "seg.dcm")
    _check_labels(path, _labels(scan), block_image(), tmp_path)


def test_what_it_says(tmp_path: Path) -> None:
    scan = read_series(tmp_path / "series", block_image())
    seg = pydicom.dcmread(_write(scan, tmp_path / "seg.dcm"))
    source = pydicom.dcmread(tmp_path / "series" / "1-000.dcm")
    assert (seg.Modality, seg.SegmentationType) == ("SEG", "BINARY")
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "FrameOfReferenceUID", "AccessionNumber"):
        assert seg[keyword].value == source[keyword].value
    assert seg.SeriesInstanceUID != source.SeriesInstanceUID
    referenced = {
        each.ReferencedSOPInstanceUID
        for series in seg.ReferencedSeriesSequence
        for each in series.ReferencedInstanceSequence
    }
    assert len(referenced) == block_image().GetDepth()
    assert [each.SegmentLabel for each in seg.SegmentSequence] == ["liver", "kidneys", "spleen", "pancreas"]
    liver, kidneys, *_ = seg.SegmentSequence
    assert liver.SegmentAlgorithmType == "AUTOMATIC"
    (algorithm,) = liver.SegmentationAlgorithmIdentificationSequence
    assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == (ALGORITHM.name, ALGORITHM.version)
    (category,), (kind,) = (
        liver.SegmentedPropertyCategoryCodeSequence,
        liver.SegmentedPropertyTypeCodeSequence,
    )
    assert (category.CodingSchemeDesignator, category.CodeValue) == ("SCT", "123037004")
    assert (kind.CodingSchemeDesignator, kind.CodeValue, kind.CodeMeaning) == ("SCT", "10200004", "Liver")
    (kind,) = kidneys.SegmentedPropertyTypeCodeSequence
    assert kind.SegmentedPropertyTypeModifierCodeSequence[0].CodeValue == "51440002"
    # #ff5a52 in CIELab (D65): L 62.2, a 62.2, b 38.6; DICOM stores L·655.35, (a + 128)·257, (b + 128)·257.
    np.testing.assert_allclose(
        liver.RecommendedDisplayCIELabValue,
        np.array([62.2, 62.2 + 128, 38.6 + 128]) * (655.35, 257, 257),
        rtol=0.03,
    )


def test_a_result(tiny_bundle: Bundle, tmp_path: Path) -> None:
    read_series(tmp_path / "series", turned(DIRECTIONS["feet first"]))
    result = Segmenter(tiny_bundle, device="cpu").segment(tmp_path / "series")
    result.save(tmp_path / "seg.DCM")
    _check_labels(tmp_path / "seg.DCM", np.asarray(result.array), result.image, tmp_path)
    some = result.only("spleen", "liver")
    some.save(tmp_path / "some.dcm")
    seg = pydicom.dcmread(tmp_path / "some.dcm")
    assert [(each.SegmentNumber, each.SegmentLabel) for each in seg.SegmentSequence] == [
        (1, "liver"),
        (2, "spleen"),
    ]
    assert (
        seg.SegmentSequence[0].SegmentationAlgorithmIdentificationSequence[0].AlgorithmName
        == tiny_bundle.manifest.name
    )
    result.save_mask("spleen", tmp_path / "spleen.dcm")
    assert int(pydicom.dcmread(tmp_path / "spleen.dcm").pixel_array.sum()) == np.count_nonzero(
        result.array == 3
    )


def test_no_organ_at_all(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    scan = read_series(tmp_path / "series", block_image())
    path = _write(scan, tmp_path / "seg.dcm", np.zeros(scan.array.shape, np.uint8))
    assert not pydicom.dcmread(path).pixel_array.any()
    assert not caplog.records
    check_standard(path, "Segmentation")


def test_a_label_that_is_not_ascii(tmp_path: Path) -> None:
    scan = read_series(tmp_path / "series", block_image())
    assert scan.source
    names = {0: "background", 1: "Leber und größere Gefäße"}
    labels = (_labels(scan) == 1).astype(np.uint8)
    path = tmp_path / "seg.dcm"
    write_segmentation(labels, scan.geometry, scan.source, segments_of(names), ALGORITHM, path)
    seg = pydicom.dcmread(tmp_path / "seg.dcm")
    assert seg.SegmentSequence[0].SegmentLabel == names[1]
    assert seg.PatientName == "Nobody^Jane"
    check_standard(tmp_path / "seg.dcm", "Segmentation")


@pytest.mark.parametrize(
    ("character_set", "patient"),
    [
        ("ISO_IR 100", "Müller^Jörg"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("ISO_IR 192", "Γιάννης^Ж"),
        ("ISO_IR 999", "Nobody^Jane"),  # there is no such one
    ],
)
@pytest.mark.parametrize("name", ["liver", "größere Leber"])
@pytest.mark.filterwarnings("ignore:Unknown encoding")
def test_names_of_patients(character_set: str | list[str], patient: str, name: str, tmp_path: Path) -> None:
    def spoil(_: int, dataset: Dataset) -> None:
        dataset.SpecificCharacterSet, dataset.PatientName = character_set, patient

    scan = read_series(tmp_path / "series", block_image(), spoil)
    assert scan.source
    labels, segments = (_labels(scan) == 1).astype(np.uint8), segments_of({0: "background", 1: name})
    paths = tmp_path / "seg.dcm", tmp_path / "rs.dcm", tmp_path / "sr.dcm"
    write_segmentation(labels, scan.geometry, scan.source, segments, ALGORITHM, paths[0])
    write_structures(labels, scan.source, segments, ALGORITHM, paths[1])
    write_measurements({1: Measurements(1.0)}, scan.source, segments, ALGORITHM, paths[0], paths[2])
    seg, structures, report = map(pydicom.dcmread, paths)
    assert seg.PatientName == structures.PatientName == report.PatientName == patient
    assert seg.SegmentSequence[0].SegmentLabel == structures.StructureSetROISequence[0].ROIName == name
    for path, kind in zip(paths, ("Segmentation", "RTStructureSet", "EnhancedSR"), strict=True):
        check_standard(path, kind)


def _tilted(_: int, dataset: Dataset) -> None:
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 0.9659258, 0.2588190]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            _tilted,
            r"slices of the series lean \(a tilted gantry\), so .* cannot refer to those of the series",
        ),
        (lambda _, dataset: dataset.pop("FrameOfReferenceUID"), r"lacks the FrameOfReferenceUID to which"),
        (lambda _, dataset: setattr(dataset, "StudyInstanceUID", ""), r"lacks the StudyInstanceUID to which"),
        (
            only(3, lambda dataset: setattr(dataset, "FrameOfReferenceUID", generate_uid())),
            r"The slices of the series are in several frames of reference, but DICOM SEG has one",
        ),
    ],
)
def test_series_that_are_refused(
    spoil: Callable[[int, Dataset], object], message: str, tmp_path: Path
) -> None:
    scan = read_series(tmp_path / "series", block_image(), spoil)
    with pytest.raises(OutputError, match=message):
        _write(scan, tmp_path / "seg.dcm", np.zeros(scan.array.shape, np.uint8))
    assert not (tmp_path / "seg.dcm").exists()


def test_a_series_that_changed(tmp_path: Path) -> None:
    scan = read_series(tmp_path / "series", block_image())
    other = pydicom.dcmread(tmp_path / "series" / "1-003.dcm")
    other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    other.save_as(tmp_path / "series" / "1-003.dcm")
    with pytest.raises(OutputError, match=r"1-003\.dcm changed after the scan was read; segment the series"):
        _write(scan, tmp_path / "seg.dcm")
    (tmp_path / "series" / "1-003.dcm").unlink()
    with pytest.raises(OutputError, match=r"1-003\.dcm changed after the scan was read"):
        _write(scan, tmp_path / "seg.dcm")


def test_a_scan_that_is_no_dicom(tiny_bundle: Bundle, tmp_path: Path) -> None:
    result = Segmenter(tiny_bundle, device="cpu").segment(block_array(), spacing=SPACING_XYZ)
    with pytest.raises(
        OutputError, match=r"seg\.dcm would be DICOM SEG, which .* but the scan is none; write"
    ):
        result.save(tmp_path / "seg.dcm")
    assert not list(tmp_path.iterdir())


def test_names_that_dicom_cannot_have(tmp_path: Path) -> None:
    scan = read_series(tmp_path / "series", block_image())
    assert scan.source
    for name in ("x" * 65, "a\\b"):
        with pytest.raises(OutputError, match=r"The label .* cannot be one in DICOM, expected at most 64"):
            write_segmentation(
                _labels(scan),
                scan.geometry,
                scan.source,
                segments_of({1: name}),
                ALGORITHM,
                tmp_path / "seg.dcm",
            )


def test_a_real_series(shared: Path, tmp_path: Path) -> None:
    scan = read(shared / "data" / "dicom" / "series")
    truth = sitk.ReadImage(str(shared / "data" / "dicom" / "seg.nii.gz"))
    own = sitk.GetImageFromArray(scan.array)
    scan.geometry.put_on(own)
    labels = sitk.Resample(truth, own, sitk.Transform(), sitk.sitkNearestNeighbor)
    array = sitk.GetArrayFromImage(labels).astype(np.uint8)
    assert array.any()
    path = _write(scan, tmp_path / "seg.dcm", array)
    _check_labels(path, array, labels, tmp_path)
    check_standard(path, "Segmentation")
