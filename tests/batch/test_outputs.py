"""Names of outputs: none replaces another, and what was changed since is noticed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from efficientscn_trt import OutputError
from efficientscn_trt.batch.entry import Entry
from efficientscn_trt.batch.outputs import Naming, Written, check_apart


def test_names() -> None:
    assert Naming().outputs("a/b").names == ["a/b/labels.nii.gz"]
    naming = Naming("{id}_{kind}", ".mha", preview=True, document=True, page=True)
    assert naming.outputs("a").names == ["a_labels.mha", "a_preview.png", "a_report.json", "a_report.html"]
    assert Naming("seg/{id}", preview=True).outputs("{kind}").names == ["seg/{kind}.nii.gz", "seg/{kind}.png"]


@pytest.mark.parametrize(
    "pattern",
    ["", "labels", "{kind}", "{id", "{id}}", "{id}{0}", "{id}{x}", "../{id}", "/{id}", "{id!r}", "{id:>9}"],
)
def test_patterns_that_are_refused(pattern: str) -> None:
    with pytest.raises(OutputError, match=r"names no files in the output folder, expected one with \{id\}"):
        Naming(pattern)
    with pytest.raises(OutputError, match="expected one of"):
        Naming(extension=".png")


@pytest.mark.parametrize(
    ("pattern", "ids", "clash"),
    [
        ("{id}", ["a", "b"], None),
        ("{id}", ["a", "A"], "A.nii.gz"),
        ("{id}", ["a", "a.nii.gz/b"], "a.nii.gz"),
        ("{id}/{kind}", ["a", "a/labels.nii.gz"], "a/labels.nii.gz"),
    ],
)
def test_outputs_that_would_replace_each_other(pattern: str, ids: list[str], clash: str | None) -> None:
    entries = [Entry(each, Path("x")) for each in ids]
    if clash is None:
        check_apart(entries, Naming(pattern), Path("none"))
        return
    with pytest.raises(OutputError, match=f"would both write {clash}"):
        check_apart(entries, Naming(pattern), Path("none"))


def test_an_output_that_would_replace_a_scan(tmp_path: Path) -> None:
    (tmp_path / "a.nii.gz").touch()
    os.link(tmp_path / "a.nii.gz", tmp_path / "other.nii.gz")
    check_apart([Entry("b", tmp_path / "a.nii.gz")], Naming("{id}"), tmp_path)
    for name in ("a", "other"):
        with pytest.raises(
            OutputError, match=rf"{name}\.nii\.gz is a scan, .*a\.nii\.gz; give another folder"
        ):
            check_apart([Entry(name, tmp_path / "a.nii.gz")], Naming("{id}"), tmp_path)


def test_a_mask_has_a_file_of_its_own() -> None:
    naming = Naming("{id}_{kind}", masks=("liver", "spleen"))
    assert naming.outputs("a").names == ["a_labels.nii.gz", "a_liver.nii.gz", "a_spleen.nii.gz"]
    for pattern, masks, message in [
        ("{id}", ("liver",), r"Several outputs of a scan would be id\.nii\.gz; give a pattern with \{kind\}"),
        ("{id}_{kind}", ("labels",), r"Several outputs of a scan would be id_labels\.nii\.gz"),
        ("{id}_{kind}", ("a/b",), r"The label a/b cannot be the name of a file"),
    ]:
        with pytest.raises(OutputError, match=message):
            Naming(pattern, masks=masks)


def test_dicom_outputs() -> None:
    naming = Naming("{id}_{kind}", ".dcm", rtstruct=True, sr=True)
    assert naming.outputs("a").names == ["a_labels.dcm", "a_rtstruct.dcm", "a_sr.dcm"]
    with pytest.raises(OutputError, match=r"Several outputs of a scan would be id\.dcm"):
        Naming("{id}", ".dcm", rtstruct=True)
    with pytest.raises(OutputError, match=r"DICOM SR refers to .* but its format is \.nii\.gz; choose \.dcm"):
        Naming(sr=True)


def test_what_was_written_is_compared(tmp_path: Path) -> None:
    file = tmp_path / "a" / "labels"
    file.parent.mkdir()
    file.write_bytes(b"abc")
    written = Written.of(tmp_path, "a/labels")
    # SHA-256 of "abc", of FIPS 180-2
    assert written.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert written.is_intact(tmp_path)
    os.utime(file, ns=(0, 0))
    assert written.is_intact(tmp_path)
    file.write_bytes(b"abd")
    assert not written.is_intact(tmp_path)
    file.unlink()
    assert not written.is_intact(tmp_path)
