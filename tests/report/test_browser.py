"""The page in a browser, on a phone and on paper. axe-core finds no fault in how accessible it is."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.chromium import Chromium
from support.dicom import complete, write_series
from support.html_page import HtmlPage
from support.scans import block_image

from efficientscn_trt import Segmentation, Segmenter
from efficientscn_trt.organs.appearance import segments_of

DESKTOP, PHONE = 1200, 360
A4_POINTS = (595.3, 841.9)  # 210 × 297 mm


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Chromium:
    return Chromium(tmp_path_factory.mktemp("chromium"))


@pytest.fixture(scope="module")
def page(result: Segmentation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    result.report(path)
    return path


@pytest.fixture(scope="module")
def full_page(segmenter: Segmenter, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One with all its parts: patient, reasons, warnings, and long words."""
    folder = tmp_path_factory.mktemp("full-page")

    def named(number: int, dataset: Any) -> None:
        complete(dataset)
        dataset.RescaleType = "OTHER"
        dataset.StudyDescription = "W" * 64

    write_series(block_image(), folder / ("very-long-name" * 8), change=named)
    path = folder / "report.html"
    segmenter.segment(folder / ("very-long-name" * 8)).report(path, with_patient=True)
    return path


def test_a_browser_shows_the_text(chromium: Chromium, page: Path) -> None:
    shown = chromium.evaluate(page, "document.body.innerText", DESKTOP)
    assert " ".join(HtmlPage(page).text.split()[-5:]) in " ".join(shown.split())
    for words in ("Organs in an abdominal CT", "Review: yes", "Right kidney", "Axial slice", "Provenance"):
        assert words in shown


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_a_browser_shows_the_pictures(chromium: Chromium, page: Path, width: int) -> None:
    """The screenshot has each organ's colour, and the grey of the body, in places of some size."""
    pixels = chromium.screenshot(page, width, 1500)
    assert pixels.shape == (1500, width, 3)
    names = dict(enumerate(("background", "liver", "kidneys", "spleen", "pancreas")))
    for colour in (segment.colour for segment in segments_of(names)):
        wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        assert (np.abs(pixels - wanted).max(axis=-1) < 0.03).sum() > 100, colour
    soft_tissue = (160 / 400) * np.ones(3)  # 0 HU
    assert (np.abs(pixels - soft_tissue).max(axis=-1) < 0.02).mean() > 0.02
    assert (pixels.min(axis=-1) > 0.99).mean() > 0.2  # paper
    assert np.abs(pixels[:, -8:] - 1).max() < 0.01  # nothing is cut off on the right


@pytest.mark.parametrize("width", [DESKTOP, 700, PHONE])
def test_nothing_is_wider_than_the_window(chromium: Chromium, full_page: Path, width: int) -> None:
    size = (
        "[innerWidth, document.documentElement.scrollWidth, document.querySelectorAll('svg')[0].clientWidth]"
    )
    window, content, picture = chromium.evaluate(full_page, size, width)
    assert window == width
    assert content == width
    assert picture > (0.8 * width if width == PHONE else 0.2 * width)


def test_the_planes_have_one_scale(chromium: Chromium, page: Path) -> None:
    sizes = chromium.evaluate(
        page,
        "[...document.querySelectorAll('.planes svg')].map(e => e.clientWidth / e.viewBox.baseVal.width)",
        DESKTOP,
    )
    assert sizes == pytest.approx([sizes[0]] * 3, rel=0.02)


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_axe_finds_no_violation(chromium: Chromium, full_page: Path, width: int) -> None:
    pytest.importorskip("axe_core_python")
    axe = files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    found = chromium.evaluate(full_page, "axe.run()", width, axe)
    assert len(found["passes"]) > 20
    assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []


def test_it_prints_on_a4(chromium: Chromium, full_page: Path) -> None:
    pdf = chromium.pdf(full_page)
    boxes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", pdf)
    assert 1 <= len(boxes) <= 3
    for width, height in boxes:
        assert (float(width), float(height)) == pytest.approx(A4_POINTS, abs=1)


def test_no_script_of_a_name_runs(chromium: Chromium, result: Segmentation, tmp_path: Path) -> None:
    """Even if markup got in, the page lets no script run."""
    path = tmp_path / "report.html"
    result.report(path)
    source = path.read_text(encoding="utf-8")
    broken = "<script>document.title = 'ran'</script><img src='x' onerror=\"document.title = 'ran'\">"
    path.write_text(source.replace("<main>", f"<main>{broken}"), encoding="utf-8")
    assert "<title>Organs in an abdominal CT</title>" in chromium.dom(path)
