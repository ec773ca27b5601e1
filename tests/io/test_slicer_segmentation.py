"""Segmentations of 3D Slicer, read back by its own reader for Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import slicerio
from support.nifti import affine_of
from support.scans import block_image
from support.text_headers import write_nrrd

from efficientscn_trt import OutputError, Segmenter
from efficientscn_trt.bundle import Bundle
from efficientscn_trt.io.orientation import Geometry
from efficientscn_trt.io.reading import read
from efficientscn_trt.io.writing import check_output, write
from efficientscn_trt.organs.appearance import segments_of

NAMES = {0: "background", 1: "liver", 2: "kidneys", 5: "Leber\\größer | ~ gallbladder"}
DIRECTIONS = [
    (1, 0, 0, 0, 1, 0, 0, 0, 1),
    (0, 0, 1, -1, 0, 0, 0, -1, 0),
    (0.6, -0.8, 0, 0.8, 0.6, 0, 0, 0, 1),
]


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_read_back_by_slicerio(direction: tuple[float, ...], tmp_path: Path) -> None:
    labels = np.random.default_rng(1).choice(np.array([0, 1, 2, 5], np.uint8), (4, 5, 6))
    geometry = Geometry((6, 5, 4), (0.7, 1.1, 2.3), (-10.5, 20.25, 1 / 3), direction)
    path = tmp_path / "labels.seg.nrrd"
    write(labels, geometry, path, segments_of(NAMES))
    found = slicerio.read_segmentation(str(path))
    np.testing.assert_array_equal(found["voxels"].transpose(), labels)
    np.testing.assert_allclose(np.diag([-1, -1, 1, 1]) @ found["ijkToLPS"], affine_of(geometry), atol=1e-12)
    assert found["masterRepresentation"] == "Binary labelmap"
    assert found["containedRepresentationNames"] == ["Binary labelmap"]
    liver, kidneys, other = found["segments"]
    assert [each["labelValue"] for each in found["segments"]] == [1, 2, 5]
    assert (liver["name"], kidneys["name"]) == ("liver", "kidneys")
    np.testing.assert_allclose(liver["color"], np.array([0xFF, 0x5A, 0x52]) / 255, atol=1e-6)
    np.testing.assert_allclose(kidneys["color"], np.array([0x3D, 0xDC, 0x84]) / 255, atol=1e-6)
    assert len({tuple(each["color"]) for each in found["segments"]}) == 3
    assert liver["terminology"]["type"] == ["SCT", "10200004", "Liver"]
    assert kidneys["terminology"]["type"] == ["SCT", "64033007", "Kidney"]
    assert kidneys["terminology"]["typeModifier"] == ["SCT", "51440002", "Right and left"]
    assert other["terminology"]["type"] == ["SCT", "85756007", "Tissue"]
    assert {tuple(each["extent"]) for each in found["segments"]} == {(0, 5, 0, 4, 0, 3)}
    assert len({each["id"] for each in found["segments"]}) == 3


def test_read_back_by_others(tmp_path: Path) -> None:
    labels = np.random.default_rng(1).integers(0, 6, (4, 5, 6), np.uint8)
    geometry = Geometry((6, 5, 4), (0.7, 1.1, 2.3), (-10.5, 20.25, 1 / 3), DIRECTIONS[1])
    path = tmp_path / "labels.seg.nrrd"
    write(labels, geometry, path, segments_of(NAMES))
    image = sitk.ReadImage(str(path))
    np.testing.assert_array_equal(sitk.GetArrayViewFromImage(image), labels)
    assert Geometry.of(image) == geometry
    ours = read(path)
    np.testing.assert_array_equal(ours.array, labels)
    assert ours.geometry == geometry
    assert ours.warnings == []


def test_a_result(tiny_bundle: Bundle, tmp_path: Path) -> None:
    result = Segmenter(tiny_bundle, device="cpu").segment(sitk.DICOMOrient(block_image(), "RIP"))
    result.save(tmp_path / "labels.SEG.nrrd")
    found = slicerio.read_segmentation(str(tmp_path / "labels.SEG.nrrd"))
    assert [each["name"] for each in found["segments"]] == ["liver", "kidneys", "spleen", "pancreas"]
    np.testing.assert_array_equal(found["voxels"].transpose(), result.array)


def test_a_scan_in_nrrd_along_other_axes(tmp_path: Path) -> None:
    """3D Slicer takes no other space than LPS and RAS."""
    scan = read(
        write_nrrd(tmp_path / "ct.nrrd", {"space": "left-anterior-superior", "space origin": "(-40,30,-20)"})
    )
    labels = np.zeros(scan.array.shape, np.uint8)
    write(labels, scan.geometry, tmp_path / "labels.seg.nrrd", segments_of(NAMES))
    found = slicerio.read_segmentation(str(tmp_path / "labels.seg.nrrd"))
    np.testing.assert_allclose(np.diag([-1, -1, 1, 1]) @ found["ijkToLPS"], affine_of(scan.geometry))


def test_a_name_that_is_only_an_extension() -> None:
    with pytest.raises(OutputError, match=r"has no name before its extension; give one, such as labels\.seg"):
        check_output(".seg.nrrd")
