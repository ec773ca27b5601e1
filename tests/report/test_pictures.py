"""The pictures of a page: contours are those of the label map, and lie where the scan has the organ."""

from __future__ import annotations

import re

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from support.html_page import Drawing
from support.scans import SPACING_XYZ, block_image, block_labels
from support.tiny_bundle import LABEL_HU

from efficientscn_trt import Segmentation, Segmenter
from efficientscn_trt.io.contours import rings
from efficientscn_trt.page.picture import picture_of
from efficientscn_trt.page.planes import views
from efficientscn_trt.page.window import grey

from .conftest import Report

#: Soft tissue, −160 to 240 HU, as 0 to 255.
GREY = {value: round((min(hu, 240) + 160) * 255 / 400) for value, hu in enumerate(LABEL_HU)}


def _slice(caption: str, labels: np.ndarray) -> np.ndarray:
    """The slice of `labels` [z, y, x] along LPS axes that a caption names, as a radiologist sees it."""
    found = re.fullmatch(r"(Axial|Coronal|Sagittal) slice (\d+) of (\d+)", caption)
    assert found
    axis, index = ("Axial", "Coronal", "Sagittal").index(found[1]), int(found[2]) - 1
    assert labels.shape[axis] == int(found[3])
    plane = labels.take(index, axis)
    return plane if axis == 0 else plane[::-1]


def _trimmed(mask: np.ndarray) -> np.ndarray:
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _check(drawing: Drawing, labels: np.ndarray) -> None:
    """Each contour has the pixels of its label, and these have the grey of its HU."""
    plane = _slice(drawing.caption, labels)
    assert drawing.values == [value for value in (1, 2, 3, 4) if (plane == value).any()]
    for value in drawing.values:
        mask = drawing.mask(value, drawing.grey.shape)
        np.testing.assert_array_equal(_trimmed(mask), _trimmed(plane == value))
        assert set(drawing.grey[mask].tolist()) == {GREY[value]}


def test_contours_are_those_of_the_label_map(result: Segmentation, report: Report) -> None:
    drawings = report(result).drawings
    assert [drawing.caption.split()[0] for drawing in drawings[:3]] == ["Axial", "Coronal", "Sagittal"]
    np.testing.assert_array_equal(result.array, block_labels())
    for drawing in drawings:
        _check(drawing, block_labels())


def test_the_strip_is_spread_over_the_organs(result: Segmentation, report: Report) -> None:
    slices = [int(drawing.caption.split()[2]) - 1 for drawing in report(result).drawings[3:]]
    occupied = np.flatnonzero(block_labels().any(axis=(1, 2)))
    assert len(slices) == 8
    assert slices == sorted(set(slices))
    assert slices[0] - occupied[0] < 3
    assert occupied[-1] - slices[-1] < 3
    assert np.ptp(np.diff(slices)) <= 1


@pytest.mark.parametrize("code", ["RAS", "LPI", "SAL", "PIR"])
def test_every_orientation_gives_the_same_pictures(
    code: str, segmenter: Segmenter, result: Segmentation, report: Report
) -> None:
    expected = report(result)
    turned = report(segmenter.segment(sitk.DICOMOrient(block_image(), code)))
    assert turned.facts["Axes x, y, z"] == code
    for one, other in zip(turned.drawings, expected.drawings, strict=True):
        _check(one, block_labels())
        np.testing.assert_array_equal(one.grey, other.grey)


def test_an_oblique_scan_says_so(segmenter: Segmenter, report: Report) -> None:
    image, angle = block_image(), np.radians(20)
    image.SetDirection((np.cos(angle), -np.sin(angle), 0, np.sin(angle), np.cos(angle), 0, 0, 0, 1))
    page = report(segmenter.segment(image))
    assert page.facts["Axes x, y, z"] == "LPS, oblique by up to 20.0°"
    for drawing in page.drawings:
        _check(drawing, block_labels())


def test_a_pixel_is_as_large_as_its_spacing(result: Segmentation, report: Report) -> None:
    x, y, z = SPACING_XYZ
    spacings = {"Axial": (y, x), "Coronal": (z, x), "Sagittal": (z, y)}
    for drawing in report(result).drawings:
        rows, columns = drawing.grey.shape
        mm = drawing.size_mm[0] / rows, drawing.size_mm[1] / columns
        assert mm == pytest.approx(spacings[drawing.caption.split()[0]], abs=1e-3)


def test_directions_and_scale(result: Segmentation, report: Report) -> None:
    expected = {"Axial": "RLAP", "Coronal": "RLSI", "Sagittal": "APSI"}
    for drawing in report(result).drawings:
        texts = drawing.element.findall("g[@class='marks']/text")
        left, right, top, bottom = (
            (float(text.attrib["x"]), float(text.attrib["y"]), text.text) for text in texts
        )
        assert (
            "".join(str(each[2]) for each in (left, right, top, bottom))
            == expected[drawing.caption.split()[0]]
        )
        assert left[0] < top[0] < right[0]
        assert top[1] < left[1] < bottom[1]
        bar = drawing.element.find("g[@class='bar']")
        assert bar is not None
        (length,) = re.findall(r"h(\d+)v", bar[0].attrib["d"])
        assert bar[1].text == f"{length} mm"
        assert int(length) < drawing.size_mm[1] / 2


def test_numbers_are_in_their_organs(result: Segmentation, report: Report) -> None:
    for drawing in report(result).drawings:
        rows, columns = drawing.grey.shape
        texts = drawing.element.findall("g[@class='numbers']/text")
        assert [text.attrib["class"] for text in texts] == [f"label-{text.text}" for text in texts]
        assert {int(str(text.text)) for text in texts} == set(drawing.values)
        for text in texts:
            column = int(float(text.attrib["x"]) / drawing.size_mm[1] * columns)
            row = int(float(text.attrib["y"]) / drawing.size_mm[0] * rows)
            assert drawing.mask(int(str(text.text)), (rows, columns))[row, column]


@pytest.mark.parametrize("shape", [(2, 30, 40), (30, 2, 40), (2, 2, 2), (400, 20, 20), (3, 300, 4)])
@pytest.mark.parametrize("organs", [False, True])
def test_any_shape_can_be_shown(shape: tuple[int, int, int], organs: bool) -> None:
    labels = np.zeros(shape, np.uint8)
    if organs:
        labels[-1, -1, :] = 4
    shown = views(np.zeros(shape, np.int16), labels, (1.0, 1.0, 1.0), 8)
    assert [plane.name for plane in shown.planes] == ["Axial", "Coronal", "Sagittal"]
    assert len(shown.strip) == (1 if organs else min(8, shape[0]))
    for plane in (*shown.planes, *shown.strip):
        picture = picture_of(plane, 0, 999, {4: "liver"})
        assert (picture.height, picture.width) == plane.size_mm
        assert [contour.value for contour in picture.contours] == ([4] if organs else [])


@given(st.data())
def test_an_outline_has_exactly_its_pixels(data: st.DataObject) -> None:
    """Of any mask, with holes and corners that touch, by another library's even-odd rule."""
    from matplotlib.path import Path as Polygon

    rows, columns = (data.draw(st.integers(1, 9)) for _ in range(2))
    bits = data.draw(st.lists(st.booleans(), min_size=rows * columns, max_size=rows * columns))
    mask = np.array(bits).reshape(rows, columns)
    centres = np.stack(list(np.indices(mask.shape))[::-1], axis=-1).reshape(-1, 2)
    inside = np.zeros(len(centres), bool)
    for piece in rings(mask):
        for ring in piece:
            inside ^= Polygon(np.concatenate([ring, ring[:1]])).contains_points(centres)
    np.testing.assert_array_equal(inside.reshape(mask.shape), mask)


def test_the_window_is_that_of_soft_tissue() -> None:
    hu = np.array([-3000, -160, 40, 240, 3000], np.int16)
    assert grey(hu).tolist() == [0, 0, 128, 255, 255]
    assert grey(hu.astype(np.float32)).tolist() == [0, 0, 128, 255, 255]
