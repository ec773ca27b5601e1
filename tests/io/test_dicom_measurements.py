"""Structured reports, read back by dcmqi and pydicom, and judged by dciodvfy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from support.dicom import complete, turned, write_series
from support.dicom_validity import check_standard
from support.scans import block_image

from efficientscn_trt import OutputError, Segmentation, Segmenter
from efficientscn_trt.bundle import Bundle

pytest.importorskip("highdicom")

_FEET_FIRST = (-1, 0, 0, 0, 1, 0, 0, 0, -1)


@pytest.fixture
def result(tiny_bundle: Bundle, tmp_path: Path) -> Segmentation:
    """Of a series; without a spleen."""
    image = turned(_FEET_FIRST)
    image[38:50, 10:22, 16:28] = 0
    write_series(image, tmp_path / "series", change=lambda _, dataset: complete(dataset))
    found = Segmenter(tiny_bundle, device="cpu").segment(tmp_path / "series")
    assert found.volumes_ml["spleen"] == 0
    found.save(tmp_path / "seg.dcm")
    return found


def _by_dcmqi(path: Path, tmp_path: Path) -> dict[str, dict[str, Any]]:
    """The measurements of each organ, by what they are of."""
    command = [str(Path(sys.executable).with_name("tid1500reader")), "--inputDICOM", str(path)]
    done = subprocess.run([*command, "--outputMetadata", str(tmp_path / "sr.json")], capture_output=True)
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "sr.json").read_text())
    return {group["TrackingIdentifier"]: group for group in document["Measurements"]}


def test_numbers_are_those_of_the_result(result: Segmentation, tmp_path: Path) -> None:
    result.save_sr(tmp_path / "sr.dcm", tmp_path / "seg.dcm")
    check_standard(tmp_path / "sr.dcm", "EnhancedSR")
    seg = pydicom.dcmread(tmp_path / "seg.dcm")
    groups = _by_dcmqi(tmp_path / "sr.dcm", tmp_path)
    assert list(groups) == ["liver", "kidneys", "pancreas"]
    for name, group in groups.items():
        statistics = result.statistics[name]
        assert statistics.hu
        assert group["segmentationSOPInstanceUID"] == seg.SOPInstanceUID
        number = group["ReferencedSegment"]
        assert seg.SegmentSequence[number - 1].SegmentLabel == name
        found = {
            (
                item["quantity"]["CodeMeaning"],
                item.get("derivationModifier", {}).get("CodeMeaning"),
                item["units"]["CodeValue"],
            ): float(item["value"])
            for item in group["measurementItems"]
        }
        assert found == {
            ("Volume", None, "ml"): pytest.approx(statistics.ml),
            ("Attenuation Coefficient", "Mean", "[hnsf'U]"): pytest.approx(statistics.hu.mean),
            ("Attenuation Coefficient", "Standard Deviation", "[hnsf'U]"): pytest.approx(statistics.hu.sd),
        }
    assert groups["liver"]["Finding"]["CodeValue"] == "10200004"


def test_what_it_says(result: Segmentation, tmp_path: Path) -> None:
    result.save_sr(tmp_path / "sr.dcm", tmp_path / "seg.dcm")
    report, source = pydicom.dcmread(tmp_path / "sr.dcm"), pydicom.dcmread(tmp_path / "series" / "1-000.dcm")
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "AccessionNumber"):
        assert report[keyword].value == source[keyword].value
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    assert report.Modality == "SR"


def test_some_organs(result: Segmentation, tmp_path: Path) -> None:
    some = result.only("pancreas", "spleen")
    some.save(tmp_path / "some.dcm")
    some.save_sr(tmp_path / "sr.dcm", tmp_path / "some.dcm")
    (group,) = _by_dcmqi(tmp_path / "sr.dcm", tmp_path).values()
    assert (group["TrackingIdentifier"], group["ReferencedSegment"]) == ("pancreas", 2)


def test_no_organ_at_all(result: Segmentation, tmp_path: Path) -> None:
    spleen = result.only("spleen")
    assert not np.asarray(spleen.array).any()
    spleen.save(tmp_path / "none.dcm")
    with pytest.raises(OutputError, match=r"No organ was found, so there is nothing to report in DICOM SR"):
        spleen.save_sr(tmp_path / "sr.dcm", tmp_path / "none.dcm")
    assert not (tmp_path / "sr.dcm").exists()


def test_other_files_for_the_seg_are_refused(
    result: Segmentation, tiny_bundle: Bundle, tmp_path: Path
) -> None:
    result.only("liver").save(tmp_path / "liver.dcm")
    for name in ("liver.dcm", "series/1-000.dcm", "none.dcm"):
        with pytest.raises(OutputError, match=rf"{name} is no DICOM SEG.*write it first"):
            result.save_sr(tmp_path / "sr.dcm", tmp_path / name)
    scan = Segmenter(tiny_bundle, device="cpu").segment(block_image())
    with pytest.raises(OutputError, match=r"would be DICOM SR, which refers to the slices of a DICOM"):
        scan.save_sr(tmp_path / "sr.dcm", tmp_path / "seg.dcm")
    assert not (tmp_path / "sr.dcm").exists()
