"""Nothing of the patient is on a page unless it is asked for, and then no name can break out of its place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import SimpleITK as sitk
from pydicom import Dataset
from support.dicom import complete, ct_slice, write_series
from support.nifti import block_nifti
from support.scans import block_image

from efficientscn_trt import OutputError, ScanWarning, Segmentation, Segmenter

from .conftest import Report

MARKER = "Mustermann"

#: What no page may have: the marker, and the parts of UIDs, dates and numbers of `support.dicom`.
SECRETS = (MARKER, "2.826.0.1.3680043", "1950-01-01", "19500101", "2020-01-01", "20200101", "ACC-4711-77")


def _marked(number: int, dataset: Dataset) -> None:
    """A slice whose header has the marker wherever a person may write."""
    complete(dataset)
    dataset.PatientName, dataset.PatientID = f"{MARKER}^Erika", f"{MARKER}-17"
    dataset.AccessionNumber, dataset.StudyDescription = "ACC-4711-77", f"CT of {MARKER}"
    dataset.SeriesDescription, dataset.RescaleType = f"Venous {MARKER}", MARKER[:9]
    dataset.InstitutionName, dataset.PatientComments = MARKER, MARKER


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """A DICOM series that provokes warnings, each of which names the patient."""
    folder = tmp_path / f"{MARKER} Erika"
    write_series(block_image(), folder, change=_marked)
    (folder / f"{MARKER}.dcm").write_bytes(b"no DICOM at all")  # damaged
    copy = ct_slice(block_image(), 5)  # a duplicate
    _marked(5, copy)
    copy.save_as(folder / f"{MARKER}-copy.dcm")
    other = ct_slice(block_image(), 3, series=2)  # a series that is no volume
    _marked(3, other)
    other.save_as(folder / f"{MARKER}-other.dcm")
    localizer = ct_slice(block_image(), 7)
    _marked(7, localizer)
    localizer.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    localizer.save_as(folder / f"{MARKER}-localizer.dcm")
    return folder


def test_a_dicom_page_names_nobody(segmenter: Segmenter, report: Report, series: Path) -> None:
    result = segmenter.segment(series)
    codes = {warning.code for warning in result.warnings}
    assert codes >= {
        *("damaged-files", "duplicates-left-out", "localizers-left-out"),
        *("series-left-out", "rescale-type"),
    }
    assert all(MARKER in warning.message for warning in result.warnings)
    page = report(result)
    for secret in SECRETS:
        assert secret.casefold() not in page.source.casefold()
    assert all(f"({code})" in page.section("warnings") for code in codes)


def test_with_patient_it_does(segmenter: Segmenter, report: Report, series: Path) -> None:
    page = report(segmenter.segment(series), with_patient=True)
    facts = page.facts
    assert facts["Name"] == f"{MARKER}, Erika"
    assert facts["Patient ID"] == f"{MARKER}-17"
    assert (facts["Born"], facts["Sex"], facts["Study date"]) == ("1950-01-01", "F", "2020-01-01")
    assert (facts["Study"], facts["Accession number"]) == (f"CT of {MARKER}", "ACC-4711-77")
    assert facts["Series UID"] == "1.2.826.0.1.3680043.2.1125.9.1"
    assert facts["File or folder"] == str(series)
    assert f"{MARKER}.dcm; copy them again." in page.section("warnings")
    assert page.root.find(".//title") is not None
    assert MARKER not in page.source[: page.source.index("<body>")]


@pytest.mark.parametrize("name", [f"{MARKER}.nii.gz", f"{MARKER}.nrrd", f"{MARKER}.mha"])
def test_a_files_name_is_not_on_its_page(
    name: str, segmenter: Segmenter, report: Report, tmp_path: Path
) -> None:
    folder = tmp_path / MARKER
    folder.mkdir()
    path = folder / name
    if name.endswith(".nii.gz"):
        block_nifti(path, qform=None, sform=None)
    else:
        sitk.WriteImage(block_image(), str(path))
    result = segmenter.segment(path)
    if name.endswith(".nii.gz"):
        assert [warning.code for warning in result.warnings] == ["orientation-assumed"]
    assert MARKER not in report(result).source
    assert report(result, with_patient=True).facts["File or folder"] == str(path)


def test_a_list_of_files_has_its_folder(segmenter: Segmenter, report: Report, series: Path) -> None:
    result = segmenter.segment(sorted(series.glob("1-*.dcm")))
    assert MARKER not in report(result).source
    assert report(result, with_patient=True).facts["File or folder"] == str(series)


def test_a_warning_of_an_unknown_kind_is_not_shown(result: Segmentation, report: Report) -> None:
    odd = replace(result, warnings=[ScanWarning("from-a-plugin", f"{MARKER} is odd.")])
    page = report(odd)
    assert MARKER not in page.source
    assert "from-a-plugin" in page.section("warnings")
    assert "from-a-plugin" in page.section("review")
    assert f"{MARKER} is odd." in report(odd, with_patient=True).section("warnings")


HOSTILE = [
    "<script>alert(1)</script>",
    "</title></style><img src=x onerror=alert(1)>",
    '" onload="alert(1)',
    "{{ 7 * 7 }}{% include 'page.css' %}",
    "&lt;b&gt; & &#x202e;",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_text(name: str, segmenter: Segmenter, report: Report, tmp_path: Path) -> None:
    def named(number: int, dataset: Dataset) -> None:
        complete(dataset)
        dataset.PatientName = name

    write_series(block_image(), tmp_path / "series", change=named)
    result = segmenter.segment(tmp_path / "series")
    plain = report(result)
    page = report(replace(result, warnings=[ScanWarning("odd", name)]), with_patient=True)
    assert page.facts["Name"] == name
    assert f"{' '.join(name.split())} (odd)" in page.section("warnings")
    # The same elements as without it, and those of the patient's table, the reasons and the warning.
    kinds, others = ({element.tag for element in each.root.iter()} for each in (page, plain))
    assert kinds <= others | {"ul", "li", "p", "span", "dl", "dt", "dd"}
    assert not [name for element in page.root.iter() for name in element.attrib if name.startswith("on")]


def test_signs_that_mislead_are_dropped(segmenter: Segmenter, report: Report, tmp_path: Path) -> None:
    """Overrides of the writing direction, and control characters; letters of any script stay."""
    names = {"\u202eenaJ^ydoboN\u202c": "enaJ, ydoboN", "לוי^דנה": "לוי, דנה", "Doe\a^Al": "Doe, Al"}
    for number, (name, shown) in enumerate(names.items()):

        def named(_: int, dataset: Dataset, name: str = name) -> None:
            complete(dataset)
            dataset.SpecificCharacterSet, dataset.PatientName = "ISO_IR 192", name

        write_series(block_image(), tmp_path / str(number), change=named)
        page = report(segmenter.segment(tmp_path / str(number)), with_patient=True)
        assert page.facts["Name"] == shown
        assert not {"\u202e", "\u202c", "\a"} & set(page.source)


def test_a_path_that_is_no_utf_8(segmenter: Segmenter, report: Report, tmp_path: Path) -> None:
    path = tmp_path / "n\udce4me.nii.gz"
    sitk.WriteImage(block_image(), str(tmp_path / "ct.nii.gz"))
    (tmp_path / "ct.nii.gz").rename(path)
    result = segmenter.segment(path)
    shown = report(result, with_patient=True).facts["File or folder"]
    assert shown.endswith("n\N{REPLACEMENT CHARACTER}me.nii.gz")


def test_a_series_that_went_away(segmenter: Segmenter, tmp_path: Path, report: Report) -> None:
    write_series(block_image(), tmp_path / "series", change=lambda _, dataset: complete(dataset))
    result = segmenter.segment(tmp_path / "series")
    for file in (tmp_path / "series").iterdir():
        file.unlink()
    assert report(result).facts["Read from"] == "DICOM series of 34 slices"
    with pytest.raises(OutputError, match="The page cannot name the patient, because"):
        result.report(tmp_path / "named.html", with_patient=True)
    assert not (tmp_path / "named.html").exists()
