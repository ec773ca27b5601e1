"""Read the page about a segmented scan, with Python's own parsers, as a reader without its template does."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder

import numpy as np
import pytest
from matplotlib.image import imread
from matplotlib.path import Path as Polygon


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.builder, self.open = TreeBuilder(), list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.builder.start(tag, {name: value or "" for name, value in attrs})
        if tag == "meta":
            self.builder.end(tag)
        else:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.builder.start(tag, {name: value or "" for name, value in attrs})
        self.builder.end(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"
        self.builder.end(tag)

    def handle_data(self, data: str) -> None:
        if self.open:
            self.builder.data(data)


@dataclass(frozen=True)
class Drawing:
    """A slice on the page: its grey levels [row, column], and its size (height, width) in mm."""

    caption: str
    label: str
    grey: np.ndarray
    size_mm: tuple[float, float]
    element: Element

    @property
    def values(self) -> list[int]:
        """Those of the labels that have a contour."""
        return [int(path.attrib["class"].removeprefix("label-")) for path in self._paths()]

    def mask(self, value: int, shape: tuple[int, int]) -> np.ndarray:
        """The pixels whose centres are in the contour of a label, if there are so many rows and columns."""
        (path,) = (each for each in self._paths() if each.attrib["class"] == f"label-{value}")
        group = self.element.find(".//g[@class='contours']")
        assert group is not None
        place = re.fullmatch(r"scale\((\S+) (\S+)\) translate\((\S+) (\S+)\)", group.attrib["transform"])
        assert place
        scale, shift = np.array(place.groups()[:2], float), np.array(place.groups()[2:], float)
        rows, columns = np.indices(shape)
        centres = np.stack(
            [
                (columns + 0.5) * self.size_mm[1] / shape[1],
                (rows + 0.5) * self.size_mm[0] / shape[0],
            ],
            axis=-1,
        ).reshape(-1, 2)
        inside = np.zeros(len(centres), bool)
        for points in _rings(path.attrib["d"]):
            inside ^= Polygon((points + shift) * scale, closed=False).contains_points(centres)
        return inside.reshape(shape)

    def _paths(self) -> list[Element]:
        return self.element.findall(".//g[@class='contours']/path")


def _rings(data: str) -> Iterator[np.ndarray]:
    """The closed rings of a path of the commands M, l and z, [point, (x, y)]."""
    for first, steps in re.findall(r"M([^l]+)l([^z]+)z", data):
        points = np.array(f"{first} {steps}".split(), float).reshape(-1, 2)
        yield np.cumsum(points, axis=0)


class HtmlPage:
    """The elements of a page; each must be closed where it should be."""

    def __init__(self, path: Path) -> None:
        self.source = path.read_text(encoding="utf-8")
        assert self.source.startswith("<!DOCTYPE html>")
        parser = _Builder()
        parser.feed(self.source)
        parser.close()
        self.root = parser.builder.close()

    @property
    def text(self) -> str:
        """All that is read, without what is in pictures."""
        return _read(self.root)

    def section(self, name: str) -> str:
        """The text of the section with this heading's id."""
        section = self.root.find(f".//section[@aria-labelledby='{name}']")
        assert section is not None
        return _read(section)

    @property
    def organs(self) -> dict[str, dict[str, str]]:
        """The table of organs: cells by the heading of their column, by organ."""
        table = self.root.find(".//table[@class='organs']")
        assert table is not None
        titles = [_text(cell) for cell in table.findall("thead/tr/th[@scope='col']")]
        rows = {}
        for row in table.findall("tbody/tr"):
            head = row.find("th[@scope='row']")
            assert head is not None
            name = _text(head).lstrip("0123456789 ")
            rows[name] = dict(zip(titles[1:], map(_text, row.findall("td")), strict=True))
        return rows

    @property
    def facts(self) -> dict[str, str]:
        """The other tables and the patient's list: values by what is before them."""
        rows = [
            *self.root.findall(".//dl[@class='patient']/div"),
            *(row for table in self.root.findall(".//table[@class='facts']") for row in table.findall("tr")),
        ]
        return {_text(row[0]): _text(row[1]) for row in rows}

    @property
    def drawings(self) -> list[Drawing]:
        """The three planes, and then the strip."""
        return [_drawing(figure) for figure in self.root.iter("figure")]


def _drawing(figure: Element) -> Drawing:
    svg, caption = figure.find("svg"), figure.find("figcaption")
    assert svg is not None
    assert caption is not None
    image = svg.find("image")
    assert image is not None
    left, top, width, height = map(float, svg.attrib["viewbox"].split())
    size = float(image.attrib["height"]), float(image.attrib["width"])
    assert (height + 2 * top, width + 2 * left) == pytest.approx(size, abs=0.02)  # it is in the middle
    kind, data = image.attrib["href"].split(",")
    assert kind == "data:image/png;base64"
    grey = np.rint(255 * imread(io.BytesIO(base64.b64decode(data)), format="png")).astype(np.uint8)
    return Drawing(_text(caption), svg.attrib["aria-label"], grey, size, svg)


def _text(element: Element) -> str:
    return " ".join(" ".join(element.itertext()).split())


def _read(element: Element) -> str:
    """The text of an element without what is in pictures."""
    return " ".join(" ".join(_words(element)).split())


def _words(element: Element) -> Iterator[str]:
    if element.tag in ("style", "svg"):
        return
    yield element.text or ""
    for child in element:
        yield from _words(child)
        yield child.tail or ""
