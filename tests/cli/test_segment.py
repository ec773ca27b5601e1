"""`segment`: what it writes, prints and warns about."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from support.dicom import complete, write_series
from support.scans import BLOCKS, block_array, block_image, block_labels

from efficientscn_trt.bundle import Bundle

from .conftest import Run


def test_writes_labels_preview_and_report(run_process: Run, tiny_bundle: Bundle, scan_file: Path) -> None:
    folder = scan_file.parent
    names = ("labels.nii.gz", "preview.png", "report.json", "organs.csv")
    labels, preview, report, table = (folder / name for name in names)
    done = run_process(
        "segment",
        scan_file,
        *("-o", labels, "--preview", preview, "--json", report, "--statistics", table),
        *("--bundle", tiny_bundle.path),
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "Liver" in done.stdout
    assert "251 ml" in done.stdout
    assert "Total" in done.stdout
    assert "\nReview: yes\n  " in done.stdout

    image, scan = sitk.ReadImage(str(labels)), block_image()
    assert image.GetPixelID() == sitk.sitkUInt8
    assert image.GetSize() == scan.GetSize()
    assert image.GetSpacing() == pytest.approx(scan.GetSpacing())
    assert (sitk.GetArrayViewFromImage(image) == block_labels()).mean() > 0.98
    assert preview.read_bytes().startswith(b"\x89PNG")

    document = json.loads(report.read_text())
    assert document["volumes_ml"]["liver"] == pytest.approx(250.88, rel=0.1)
    assert document["labels"]["4"] == "pancreas"
    assert list(document["seconds"])[:2] == ["networks", "read"]
    assert {"writing", "preview"} <= set(document["seconds"])
    assert document["device"] == "cpu"
    assert document["peak_host_memory_bytes"] > 0
    assert document["estimated_host_memory_bytes"] > 0
    assert np.shape(document["box"]["voxels"]) == (3, 2)
    assert sorted(path.name for path in folder.iterdir()) == [
        "ct.nii.gz",
        "labels.nii.gz",
        "organs.csv",
        "preview.png",
        "report.json",
    ]
    with table.open(newline="") as stream:
        rows = {row["organ"]: row for row in csv.DictReader(stream)}
    assert list(rows) == list(document["statistics"])
    for name, numbers in document["statistics"].items():
        assert float(rows[name]["ml"]) == pytest.approx(numbers["ml"], abs=0.01)
        assert float(rows[name]["median_hu"]) == pytest.approx(numbers["median_hu"], abs=0.01)
        assert float(rows[name]["centre_y_mm"]) == pytest.approx(numbers["centre_mm"][1], abs=0.001)
        assert rows[name]["pieces"] == str(numbers["pieces"])
    assert float(rows["liver"]["confidence"]) == pytest.approx(
        document["statistics"]["liver"]["confidence"], abs=0.001
    )
    assert document["review"]["needed"]
    reasons = {(each["code"], each["organ"]): each["message"] for each in document["review"]["reasons"]}
    assert reasons["volume", "liver"].startswith("The volume of the liver is 251 ml, expected 735 to 2275 ml")
    assert f"\n  {reasons['volume', 'liver']}\n" in done.stdout
    start, stop = zip(*document["statistics"]["liver"]["box_voxels"], strict=True)
    assert np.abs(np.subtract((start, stop), BLOCKS[1])).max() <= 1


@pytest.mark.parametrize(
    ("size", "code"), [("4G", 0), ("1.5TiB", 0), ("100m", 3), ("64 MB", 3), ("0.001G", 3)]
)
def test_max_memory(
    size: str, code: int, run_process: Run, tiny_bundle: Bundle, scan_file: Path, tmp_path: Path
) -> None:
    labels = tmp_path / "labels.nii.gz"
    options = ("-o", labels, "--bundle", tiny_bundle.path, "--max-memory", size, "-q")
    done = run_process("segment", scan_file, *options)
    assert (done.returncode, labels.exists()) == (code, not code)
    if code:
        assert done.stderr.startswith(f"Error: {scan_file} (57 × 45 × 34 voxels) needs at least 0.")


@pytest.mark.parametrize("size", ["", "4", "4GG", "-4G", "0G", "0.0000001K", "nanG", "9999999G", "4 bytes"])
def test_what_is_no_amount_of_memory(size: str, run_process: Run, scan_file: Path, tmp_path: Path) -> None:
    done = run_process("segment", scan_file, "-o", tmp_path / "labels.nii.gz", "--max-memory", size)
    assert done.returncode == 2
    assert "is no amount of memory, expected such as 4G or 512M" in done.stderr


def test_quiet_prints_nothing(run_process: Run, tiny_bundle: Bundle, scan_file: Path, tmp_path: Path) -> None:
    labels = tmp_path / "l.mha"
    done = run_process("segment", scan_file, "-o", labels, "-q", EFFICIENTSCN_BUNDLE=str(tiny_bundle.path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert labels.is_file()


def test_an_unknown_spacing_is_warned_of(run: Run, tiny_bundle: Bundle, tmp_path: Path) -> None:
    header = "NRRD0001\ntype: short\ndimension: 3\nsizes: 57 45 34\nendian: little\nencoding: raw\n\n"
    (tmp_path / "ct.nrrd").write_bytes(header.encode() + block_array().tobytes())
    done = run("segment", tmp_path / "ct.nrrd", "-o", tmp_path / "l.nrrd", "--bundle", tiny_bundle.path)
    assert done.returncode == 0
    assert "Warning: The file does not say its spacing, so 0.8145" in done.stderr
    assert sitk.ReadImage(str(tmp_path / "l.nrrd")).GetSpacing() == (1, 1, 1)


def test_all_air_is_warned_of(run: Run, tiny_bundle: Bundle, tmp_path: Path) -> None:
    image = sitk.Image(40, 30, 20, sitk.sitkInt16) - 1000
    image.SetSpacing((4, 4, 4))
    sitk.WriteImage(image, str(tmp_path / "air.nii"))
    done = run(
        "segment",
        tmp_path / "air.nii",
        *("-o", tmp_path / "labels.nii", "--preview", tmp_path / "preview.png", "--bundle", tiny_bundle.path),
    )
    assert done.returncode == 0
    found = [line for line in done.stderr.splitlines() if line.startswith("Warning: ")]
    assert "nearly all air" in found[0] and found[1].startswith("Warning: No organ was found")
    assert "not found" in done.stdout
    assert not sitk.GetArrayViewFromImage(sitk.ReadImage(str(tmp_path / "labels.nii"))).any()
    assert (tmp_path / "preview.png").is_file()


def test_the_notice_of_the_bundle_is_a_warning(run: Run, scan_file: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    from support.tiny_bundle import write_tiny_bundle

    notice = "These weights know blocks only."
    bundle = write_tiny_bundle(tmp_path / "noted", provenance={"notice": notice})
    done = run("segment", scan_file, "-o", tmp_path / "l.mha", "--quiet", "--bundle", bundle.path)
    assert (done.returncode, done.stderr) == (0, f"Warning: {notice}\n")


def test_some_organs(run_process: Run, tiny_bundle: Bundle, scan_file: Path, tmp_path: Path) -> None:
    out, masks, report = tmp_path / "out.nii.gz", tmp_path / "new" / "masks", tmp_path / "report.json"
    slicer = tmp_path / "out.seg.nrrd"
    done = run_process(
        *("segment", scan_file, "-o", out, "--bundle", tiny_bundle.path, "--organs", "spleen, liver"),
        *("-o", slicer, "--per-organ", masks, "--json", report),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Spleen" in done.stdout
    assert "Kidney" not in done.stdout
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(out)))
    assert set(np.unique(labels)) == {0, 1, 3}
    np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(slicer))), labels)
    assert sorted(path.name for path in masks.iterdir()) == ["liver.nii.gz", "spleen.nii.gz"]
    mask = sitk.GetArrayFromImage(sitk.ReadImage(str(masks / "spleen.nii.gz")))
    np.testing.assert_array_equal(mask, labels == 3)
    document = json.loads(report.read_text())
    assert document["outputs"] == [str(out), str(slicer)]
    assert list(document["statistics"]) == list(document["volumes_ml"]) == ["liver", "spleen"]
    assert document["labels"] == {"0": "background", "1": "liver", "3": "spleen"}


def test_organs_that_are_refused(run_process: Run, tiny_bundle: Bundle, scan_file: Path) -> None:
    out = scan_file.parent / "out.nii.gz"
    for options, code, message in [
        (("--organs", "liver,heart"), 3, "The networks do not label heart, expected some of liver, kidneys"),
        (("--organs", "liver,,spleen"), 2, "A name is empty"),
        (("--per-organ", scan_file), 5, f"The folder {scan_file} cannot be created"),
    ]:
        done = run_process("segment", scan_file, "-o", out, "--bundle", tiny_bundle.path, *options)
        assert done.returncode == code
        assert message in " ".join(done.stderr.split())
        assert not out.exists()


def test_dicom_seg_of_a_series(
    run_process: Run, tiny_bundle: Bundle, scan_file: Path, tmp_path: Path
) -> None:
    write_series(block_image(), tmp_path / "ct", change=lambda _, dataset: complete(dataset))
    out = tmp_path / "seg.dcm"
    options = ("-o", tmp_path / "labels.mha", "-o", out, "--bundle", tiny_bundle.path)
    done = run_process("segment", tmp_path / "ct", *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert [each.SegmentLabel for each in pydicom.dcmread(out).SegmentSequence][:2] == ["liver", "kidneys"]
    others = tmp_path / "rs.dcm", tmp_path / "sr.dcm"
    more = ("--rtstruct", others[0], "--sr", others[1], "--organs", "liver")
    done = run_process("segment", tmp_path / "ct", *options, *more)
    assert (done.returncode, done.stderr) == (0, "")
    assert [pydicom.dcmread(each).Modality for each in (out, *others)] == ["SEG", "RTSTRUCT", "SR"]
    out.unlink()
    write_series(block_image(), tmp_path / "other")
    (tmp_path / "labels.mha").unlink()
    done = run_process("segment", tmp_path / "other", "-o", out, *options[:2], "--bundle", tiny_bundle.path)
    assert done.returncode == 5
    assert "lacks the FrameOfReferenceUID to which DICOM SEG must refer" in " ".join(done.stderr.split())
    assert not out.exists()
    others[1].unlink()
    run_process("segment", tmp_path / "ct", *options)
    done = run_process("segment", tmp_path / "other", *options, *more)  # the SEG is another series'
    assert done.returncode == 5
    assert not others[1].exists()
    out.unlink()
    done = run_process("segment", tmp_path / "ct", *options[:2], *options[4:], *more)
    assert done.returncode == 2
    assert "--sr refers to the label map as DICOM SEG; write that too: -o seg.dcm." in done.stderr
    assert (tmp_path / "labels.mha").exists()  # one output costs no other
    done = run_process("segment", scan_file, *options)
    assert done.returncode == 5
    assert "seg.dcm would be DICOM SEG, which refers to the slices of a DICOM series" in " ".join(
        done.stderr.split()
    )
    assert not out.exists()
