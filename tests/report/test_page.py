"""The page about a segmented scan: what it says, and that it says what the result has."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from nibabel.spm2analyze import Spm2AnalyzeHeader
from support.dicom import complete, write_series
from support.html_page import HtmlPage
from support.nifti import header_of, write_pair
from support.scans import BLOCKS, SPACING_XYZ, block_array, block_image, block_labels
from support.tiny_bundle import LABEL_HU, write_tiny_bundle

from efficientscn_trt import OutputError, ScanWarning, Segmentation, Segmenter
from efficientscn_trt.io.orientation import Geometry
from efficientscn_trt.organs import ScanRegion
from efficientscn_trt.organs.adult_volumes import ADULT_VOLUMES

from .conftest import Report


def test_it_is_one_file_that_loads_nothing(result: Segmentation, report: Report) -> None:
    page = report(result)
    assert page.root.find(".//script") is None
    assert page.root.find(".//link") is None
    for element in page.root.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on"), (element.tag, name)
            if name in ("src", "href", "data", "srcset", "poster", "action"):
                assert value.startswith("data:image/png;base64,")
    assert not re.search(r"url\(|@import", page.source)
    policy = page.root.find(".//meta[@http-equiv='Content-Security-Policy']")
    assert policy is not None
    assert policy.attrib["content"].startswith("default-src 'none';")


def test_its_structure_is_that_of_a_document(result: Segmentation, report: Report) -> None:
    page = report(result)
    assert page.root.attrib["lang"] == "en"
    headings = [each for each in page.root.iter() if re.fullmatch(r"h\d", each.tag)]
    assert [each.tag for each in headings] == ["h1"] + ["h2"] * 5
    names = [section.attrib["aria-labelledby"] for section in page.root.iter("section")]
    assert names == ["review", "pictures", "organs", "warnings", "provenance"]
    for table in page.root.iter("table"):
        assert (table[0].tag, bool(table[0].text)) == ("caption", True)
        assert all(cell.attrib["scope"] in ("row", "col") for cell in table.iter("th"))
    for svg in page.root.iter("svg"):
        assert svg.attrib["role"] == "img"
        assert "with the contours of" in svg.attrib["aria-label"]


def test_the_table_has_the_statistics(result: Segmentation, report: Report) -> None:
    rows = report(result).organs
    assert list(rows) == ["Liver", "Kidneys", "Right kidney", "Left kidney", "Spleen", "Pancreas"]
    voxel_ml = float(np.prod(SPACING_XYZ)) / 1000
    labels, hu = block_labels(), block_array()
    for value, name in enumerate(("Liver", "Kidneys", "Spleen", "Pancreas"), 1):
        row = rows[name]
        assert float(row["Volume"].removesuffix(" ml")) == pytest.approx(
            (labels == value).sum() * voxel_ml, abs=0.5
        )
        mean, sd = row["HU, mean ± SD"].split(" ± ")
        assert (float(mean), float(sd)) == (LABEL_HU[value], round(float(hu[labels == value].std(ddof=1))))
        assert row["HU, 5 % / median / 95 %"] == " / ".join([f"{LABEL_HU[value]:.0f}"] * 3)
        assert (row["Pieces"], row["Borders touched"]) == ("1", "none")
        sure = result.statistics[name.lower()].confidence
        assert sure
        assert row["Confidence"] == f"{sure.mean:.2f}"
        assert row["Uncertain boundary"] == f"{100 * sure.uncertain_boundary:.0f}%"
    assert rows["Left kidney"]["Confidence"] == rows["Left kidney"]["Uncertain boundary"] == "–"


def test_pieces_borders_and_negative_hu(segmenter: Segmenter, report: Report) -> None:
    array = block_array()
    array[:6, 8:24, 6:20] = LABEL_HU[1]  # the liver reaches the lowest slice
    image = sitk.GetImageFromArray(array)
    image.CopyInformation(block_image())
    result = segmenter.segment(image)
    liver = result.statistics["liver"]
    assert liver.hu
    fat = replace(liver.hu, p5=-98.4, mean=-0.3)
    changed = replace(liver, hu=fat, ml=100.0, pieces_ml=(69.24, 30.76))
    row = report(replace(result, statistics={**result.statistics, "liver": changed})).organs["Liver"]
    assert row["HU, 5 % / median / 95 %"] == "−98 / 100 / 100"
    assert row["HU, mean ± SD"].startswith("0 ± ")
    assert row["Borders touched"] == "inferior"
    assert row["Pieces"] == "2 (largest 69.2%)"


@pytest.mark.parametrize("warning", [None, ScanWarning("unequal-slices", "x", "The slices are unequal.")])
def test_the_verdict(result: Segmentation, report: Report, warning: ScanWarning | None) -> None:
    def adult(name: str) -> float:
        return (ADULT_VOLUMES[name].low + ADULT_VOLUMES[name].high) / 2 if name in ADULT_VOLUMES else 300.0

    statistics = {
        name: replace(each, ml=adult(name), pieces_ml=(adult(name),))
        for name, each in result.statistics.items()
    }
    page = report(replace(result, statistics=statistics, warnings=[warning] if warning else []))
    if warning:
        assert page.section("review").startswith("Review: yes A person should look")
        assert "The slices are unequal." in page.section("review")
        assert "The slices are unequal. (unequal-slices)" in page.section("warnings")
    else:
        assert page.section("review").startswith("Review: no No rule was broken.")
        assert "None." in page.section("warnings")
    assert not re.search(r"\bcorrect\b", page.text)


def test_each_reason_is_at_the_top(result: Segmentation, report: Report) -> None:
    assert result.review
    assert len(result.review.reasons) > 2
    page = report(result)
    for reason in result.review.reasons:
        assert reason.message in page.section("review")


def test_where_it_comes_from(result: Segmentation, report: Report) -> None:
    facts = report(result).facts
    assert facts["Size"] == "57 × 45 × 34 voxels"
    assert facts["Spacing"] == "4 × 3.5 × 5 mm"
    assert facts["Axes x, y, z"] == "LPS"
    assert facts["Read from"] == "SimpleITK image"
    assert result.bundle
    assert facts["Bundle"] == "thresholds"
    assert facts["Bundle, SHA-256"].startswith(result.bundle.version)
    assert facts["Device, precision"] == f"{result.device}, {result.precision}"
    for part in (version("efficientscn-trt"), f"OpenVINO {version('openvino')}", "Python 3."):
        assert part in facts["Versions"]
    assert facts["Seconds"].startswith(f"{sum(result.seconds.values()):.2f} (read ")
    assert facts["Peak memory"].startswith(f"{result.peak_host_memory / 2**30:.2f} GiB (estimated: ")


def test_what_the_scan_was_read_from(segmenter: Segmenter, report: Report, tmp_path: Path) -> None:
    write_series(block_image(), tmp_path / "series", change=lambda _, dataset: complete(dataset))
    for name in ("ct.nii.gz", "ct.nrrd", "ct.mha"):
        sitk.WriteImage(block_image(), str(tmp_path / name))
    found = {
        name: report(segmenter.segment(tmp_path / name)).facts["Read from"]
        for name in ("series", "ct.nii.gz", "ct.nrrd", "ct.mha")
    }
    assert found == {
        "series": "DICOM series of 34 slices",
        "ct.nii.gz": "NIfTI",
        "ct.nrrd": "NRRD",
        "ct.mha": "MetaImage",
    }
    block = block_array().transpose()
    pair = write_pair(tmp_path / "ct.hdr", block, header_of(block, kind=Spm2AnalyzeHeader))
    assert report(segmenter.segment(pair)).facts["Read from"] == "Analyze"
    array = segmenter.segment(block_array(), spacing=SPACING_XYZ)
    assert report(array).facts["Read from"] == "NumPy array"


def test_the_bundle_has_its_say_at_the_foot(report: Report, tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path / "noted", provenance={"notice": "These weights know phantoms only."})
    page = report(Segmenter(bundle).segment(block_image()))
    footer = page.root.find(".//footer/p")
    assert footer is not None
    assert footer.text == "These weights know phantoms only. For research; not a medical device."
    assert "phantoms" not in page.section("warnings") + page.section("review")


def test_a_scan_without_organs_shows_its_middle(segmenter: Segmenter, report: Report) -> None:
    array = block_array()
    array[array > 0] = 0
    image = sitk.GetImageFromArray(array)
    image.CopyInformation(block_image())
    page = report(segmenter.segment(image))
    assert "No organ was found. The middle slices are shown." in page.section("pictures")
    assert "The networks found no liver." in page.section("review")
    captions = [drawing.caption for drawing in page.drawings]
    assert captions[:3] == ["Axial slice 18 of 34", "Coronal slice 23 of 45", "Sagittal slice 29 of 57"]
    assert len(captions) == 3 + 8
    assert page.drawings[0].label.endswith("with no organ")
    assert page.organs["Liver"]["Volume"] == "not found"
    assert set(list(page.organs["Liver"].values())[1:]) == {"–"}


def test_a_region_without_voxels_has_no_picture(result: Segmentation, report: Report) -> None:
    nothing = ScanRegion(np.zeros((0, 5, 5), np.int16), (0, 0, 0), 0.0)
    page = report(replace(result, region=nothing))
    assert "There is no picture, because" in page.section("pictures")
    assert page.drawings == []


def test_other_labels_have_a_number_a_name_and_a_colour(report: Report, tmp_path: Path) -> None:
    labels = ("background", "aorta", "left_lung", "<b>gall & bladder</b>", "pancreas")
    page = report(Segmenter(write_tiny_bundle(tmp_path / "others", labels=labels)).segment(block_image()))
    names = ["Aorta", "Left lung", "<b>gall & bladder</b>", "Pancreas"]
    legend = page.root.find(".//ul[@class='legend']")
    assert legend is not None
    assert [" ".join(" ".join(item.itertext()).split()) for item in legend] == [
        f"{value} {name}" for value, name in enumerate(names, 1)
    ]
    assert list(page.organs) == names
    assert page.root.find(".//b") is None
    rules = dict(re.findall(r"\.(label-\d) \{ --colour: (#\w+); \}", page.source))
    assert list(rules) == [f"label-{value}" for value in (1, 2, 3, 4)]
    assert len(set(rules.values())) == 4


def test_some_organs_only(result: Segmentation, report: Report) -> None:
    page = report(result.only("spleen", "liver"))
    assert list(page.organs) == ["Liver", "Spleen"]
    assert {value for drawing in page.drawings for value in drawing.values} == {1, 3}
    assert len(BLOCKS) == 4


def test_it_stays_small(result: Segmentation, tmp_path: Path) -> None:
    """Even of noise, which no format makes smaller, in a scan of usual size."""
    shape = (120, 512, 512)
    noise = np.random.default_rng(0).integers(-160, 240, shape, np.int16)
    labels = np.zeros(shape, np.uint8)
    labels[20:100, 100:400, 100:400] = 1
    scan = replace(
        result,
        array=labels,
        geometry=Geometry((512, 512, 120), (0.7, 0.7, 2.5)),
        region=ScanRegion(noise, (0, 0, 0), 256.0),
    )
    scan.report(tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size < 2e6


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("page.pdf", r"page\.pdf has no known extension for a page, expected \.html or \.htm\."),
        ("page", "has no known extension for a page"),
        ("no/page.html", "there is no folder"),
    ],
)
def test_names_that_are_refused(result: Segmentation, tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(OutputError, match=message):
        result.report(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_result_that_is_on_the_gpu_has_no_pictures(result: Segmentation, tmp_path: Path) -> None:
    there = replace(result, region=None, statistics={})
    with pytest.raises(
        OutputError, match="kept on the GPU, or because they were let go; segment without keep"
    ):
        there.report(tmp_path / "page.html")


def test_a_page_replaces_a_page(result: Segmentation, tmp_path: Path) -> None:
    path = tmp_path / "PAGE.HTM"
    path.write_text("old")
    result.report(str(path))
    assert [file.name for file in tmp_path.iterdir()] == ["PAGE.HTM"]
    assert HtmlPage(path).organs
