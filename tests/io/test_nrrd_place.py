"""Where NRRD places its volume: units, spacings, spaces, shear, and axes of one entry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.nifti import labels_of
from support.text_headers import NO_PLACE, VOXELS, assert_same_place, by_sitk, place_of, write_nrrd

from efficientscn_trt import InputError
from efficientscn_trt.io.reading import read
from efficientscn_trt.io.volume import open_scan


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("mm", 1),
        ("", 1),
        ("millimeters", 1),
        ("cm", 10),
        ("m", 1000),
        ("um", 1e-3),
        ("µm", 1e-3),
        ("Metre", 1000),
    ],
)
def test_units(unit: str, factor: float, tmp_path: Path) -> None:
    units = " ".join([f'"{unit}"'] * 3)
    path = write_nrrd(tmp_path / "ct.nrrd", {"space units": units})
    image = read(path)
    np.testing.assert_allclose(image.geometry.spacing, np.array([1.5, 2, 3]) * factor)
    np.testing.assert_allclose(image.geometry.origin, np.array([-40, -30, -20]) * factor)
    assert [warning.code for warning in image.warnings] == ([] if factor == 1 else ["units-converted"])
    labels = labels_of(path, tmp_path / "labels.nrrd")
    assert f"space units: {units}\n".encode() in labels.read_bytes()
    assert_same_place(by_sitk(labels), by_sitk(path))  # which ignores units


def test_units_of_some_axes(tmp_path: Path) -> None:
    turned = {"space directions": "(0,0,3) (1.5,0,0) (0,0.2,0)", "space units": '"mm" "cm" "mm"'}
    image = read(write_nrrd(tmp_path / "ct.nrrd", turned))
    assert image.geometry.spacing == (3, 1.5, 2)
    assert image.geometry.origin == (-40, -300, -20)
    (warning,) = image.warnings
    assert "are in mm, cm (space units) and were converted to mm" in warning.message


def test_a_unit_that_is_no_length(tmp_path: Path) -> None:
    path = write_nrrd(tmp_path / "ct.nrrd", {"space units": '"inch" "inch" "inch"'})
    with pytest.raises(
        InputError, match=r"has the space units 'inch', expected a unit of length, such as mm"
    ):
        read(path)


@pytest.mark.parametrize(
    ("changes", "spacing", "origin"),
    [
        ({"spacings": "1.5 2 3"}, (1.5, 2, 3), (0, 0, 0)),
        ({"spacings": "0.15 0.2 0.3", "units": '"cm" "cm" "cm"'}, (1.5, 2, 3), (0, 0, 0)),
        ({"spacings": "1 1 1"}, (1, 1, 1), (0, 0, 0)),
        ({"spacings": "1.5 2 3", "axis mins": "10 20 30"}, (1.5, 2, 3), (10.75, 21, 31.5)),
        (
            {"spacings": "1.5 2 3", "axis mins": "10 20 30", "centerings": "node node node"},
            (1.5, 2, 3),
            (10, 20, 30),
        ),
        (
            {"spacings": "1.5 2 3", "axismins": "10 20 30", "centers": "Node node node"},
            (1.5, 2, 3),
            (10, 20, 30),
        ),
    ],
)
def test_spacings_without_directions(
    changes: dict[str, str], spacing: Any, origin: Any, tmp_path: Path
) -> None:
    path = write_nrrd(tmp_path / "ct.nrrd", {**NO_PLACE, **changes})
    image = read(path)
    np.testing.assert_allclose(image.geometry.spacing, spacing)
    np.testing.assert_allclose(image.geometry.origin, origin)
    assert image.geometry.spacing_known
    assert "orientation-assumed" in [warning.code for warning in image.warnings]
    assert_same_place(by_sitk(labels_of(path, tmp_path / "labels.nrrd")), by_sitk(path))
    if "units" not in changes:
        assert_same_place(by_sitk(labels_of(path, tmp_path / "labels.mha")), by_sitk(path))
    turned = read(path, orientation="RAS")
    assert turned.geometry.direction == (-1, 0, 0, 0, -1, 0, 0, 0, 1)
    assert "orientation-assumed" not in [warning.code for warning in turned.warnings]


@pytest.mark.parametrize(
    "changes",
    [
        NO_PLACE,
        {**NO_PLACE, "spacings": "nan nan nan"},
        {**NO_PLACE, "thicknesses": "nan nan 5"},
        {"space directions": "none none none"},
        {"space directions": None},
    ],
)
def test_no_spacing(changes: dict[str, Any], tmp_path: Path) -> None:
    path = write_nrrd(tmp_path / "ct.nrrd", changes)
    image = read(path)
    assert image.geometry.origin == ((0, 0, 0) if "space" in changes else (-40, -30, -20))
    assert image.geometry.spacing == (1, 1, 1)
    assert not image.geometry.spacing_known
    assert [warning.code for warning in image.warnings] == ["orientation-assumed"]
    for name in ("labels.nrrd", "labels.mha"):
        assert_same_place(by_sitk(labels_of(path, tmp_path / name)), by_sitk(path))


@pytest.mark.parametrize("space", ["scanner-xyz", "3D-right-handed", "3D-left-handed", None])
def test_a_space_that_is_not_the_patient(space: str | None, tmp_path: Path) -> None:
    changes = {"space": space, "space dimension": "3" if space is None else None}
    path = write_nrrd(tmp_path / "ct.nrrd", {**changes, "space directions": "(0,2,0) (1.5,0,0) (0,0,3)"})
    if space is None:  # a space dimension comes before the directions
        content = path.read_bytes().replace(b"space dimension: 3\n", b"")
        path.write_bytes(
            content.replace(b"NRRD0005\n", b"NRRD0005\ndimension: 3\nspace dimension: 3\n").replace(
                b"dimension: 3\nsizes", b"sizes"
            )
        )
    image = read(path)
    assert [warning.code for warning in image.warnings] == ["orientation-assumed"]
    assert image.geometry.spacing == (2, 1.5, 3)
    assert image.geometry.direction == (0, 1, 0, 1, 0, 0, 0, 0, 1)
    assert read(path, orientation="RAS").geometry.direction == (-1, 0, 0, 0, -1, 0, 0, 0, 1)


def test_shear_is_straightened(tmp_path: Path) -> None:
    path = write_nrrd(tmp_path / "ct.nrrd", {"space directions": "(10,0,0) (0,10,0) (0,4,9)"})
    image = read(path)
    assert_same_place(place_of(image.geometry), by_sitk(path), 1e-12)
    scan = open_scan(path, values=False)
    assert [warning.code for warning in scan.warnings] == ["straightened"]
    np.testing.assert_allclose(scan.geometry.spacing, (10, 10, 9))
    np.testing.assert_allclose(scan.geometry.direction, np.eye(3).ravel(), atol=1e-12)


FOUR = {"dimension": 4, "sizes": "7 5 6 1", "space directions": "(1.5,0,0) (0,2,0) (0,0,3) none"}
FIRST = {"sizes": "1 7 5 6", "space directions": "none (1.5,0,0) (0,2,0) (0,0,3)"}
OF_TIME = {
    "space": "LPST",
    "space directions": "(1.5,0,0,0) (0,2,0,0) (0,0,3,0) (0,0,0,1)",
    "space origin": "(-40,-30,-20,0)",
}


@pytest.mark.parametrize(
    "changes",
    [
        {**FOUR, **FIRST, "kinds": "list domain domain domain"},
        {**FOUR, "kinds": "domain domain domain time"},
        {**FOUR, "kinds": None},
        {**FOUR, **OF_TIME, "kinds": "space space space time"},
    ],
)
def test_a_fourth_axis_of_one_entry(changes: dict[str, Any], tmp_path: Path) -> None:
    image = read(write_nrrd(tmp_path / "ct.nrrd", changes))
    np.testing.assert_array_equal(image.array, VOXELS)
    assert image.geometry.spacing == (1.5, 2, 3)
    assert image.geometry.origin == (-40, -30, -20)
    assert image.warnings == []
    labels = labels_of(tmp_path / "ct.nrrd", tmp_path / "labels.nrrd")
    assert_same_place(by_sitk(labels), ((7, 5, 6), (-40, -30, -20), np.diag([1.5, 2, 3])))
