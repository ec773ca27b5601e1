"""NRRD is read as pynrrd and SimpleITK read it, and its label map lies where the scan lies."""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nrrd
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from support.nifti import labels_of
from support.text_headers import VOXELS, assert_same_place, by_sitk, write_nrrd

from efficientscn_trt import InputError
from efficientscn_trt.io.reading import read
from efficientscn_trt.io.volume import open_scan

SPACES = {
    "left-posterior-superior": (1, 1, 1),
    "LPS": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1),
    "RAS": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1),
    "LAS": (1, -1, 1),
}
TYPES = {
    "<i1": "signed char",
    "<u1": "uchar",
    "<i2": "short",
    ">i2": "int16",
    "<u2": "ushort",
    "<i4": "int",
    ">u4": "uint32_t",
    "<i8": "long long",
    "<f4": "float",
    ">f8": "double",
}
ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "raw": bytes,
    "gzip": gzip.compress,
    "gz": gzip.compress,
    "bzip2": bz2.compress,
    "bz2": bz2.compress,
}


def _vectors(matrix: np.ndarray) -> str:
    return " ".join(f"({','.join(map(repr, map(float, row)))})" for row in matrix)


@given(
    space=st.sampled_from([*SPACES]),
    seed=st.integers(0, 2**32 - 1),
    mirrored=st.booleans(),
    origin=st.tuples(*[st.floats(-500, 500)] * 3),
    kind=st.sampled_from([*TYPES]),
    encoding=st.sampled_from([*ENCODERS]),
    detached=st.booleans(),
    skip=st.integers(0, 20),
)
def test_any_header(
    space: str,
    seed: int,
    mirrored: bool,
    origin: tuple[float, float, float],
    kind: str,
    encoding: str,
    detached: bool,
    skip: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder, dtype = tmp_path_factory.mktemp("nrrd"), np.dtype(kind)
    axes = Rotation.random(random_state=seed).as_matrix() * (0.8, 1.1, -2.5 if mirrored else 2.5)
    voxels = (VOXELS % 100).astype(dtype)
    changes: dict[str, Any] = {
        "space": space,
        "space directions": _vectors(axes.T),
        "space origin": _vectors(np.array([origin])),
        "type": TYPES[kind],
        "endian": "big" if kind[0] == ">" else "little",
        "encoding": encoding,
        "byte skip": skip or None,
    }
    content = ENCODERS[encoding](b"x" * skip + voxels.tobytes())
    if detached:
        (folder / "ct.raw").write_bytes(content)
        path = write_nrrd(folder / "ct.nhdr", {**changes, "data file": "ct.raw"}, b"")
    else:
        path = write_nrrd(folder / "ct.nrrd", changes, content)

    image = read(path)
    assert image.warnings == []
    np.testing.assert_array_equal(image.array, voxels)
    header = nrrd.read_header(str(path))
    if encoding == "raw" or not skip:  # pynrrd skips compressed bytes too
        np.testing.assert_array_equal(image.array, nrrd.read(str(path), index_order="C")[0])
    sign = np.array(SPACES[space])
    geometry = image.geometry
    matrix = np.reshape(geometry.direction, (3, 3)) * geometry.spacing
    np.testing.assert_allclose(matrix, sign[:, None] * header["space directions"].T, atol=1e-12)
    np.testing.assert_array_equal(geometry.origin, sign * header["space origin"] + 0.0)

    labels = labels_of(path, folder / "labels.nrrd")
    written = nrrd.read_header(str(labels))
    for name in ("space", "space directions", "space origin"):
        np.testing.assert_array_equal(written[name], header[name])
    if encoding not in ("bzip2", "bz2"):  # which SimpleITK does not read
        np.testing.assert_array_equal(image.array, sitk.GetArrayFromImage(sitk.ReadImage(str(path))))
        assert_same_place(by_sitk(labels), by_sitk(path))
        assert_same_place(by_sitk(labels_of(path, folder / "labels.mha")), by_sitk(path), 1e-12)
        assert_same_place(by_sitk(labels_of(path, folder / "labels.nii")), by_sitk(path), 1e-3)


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


NO_PLACE = {"space": None, "space directions": None, "space origin": None}


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
    assert_same_place(_matrix(image.geometry), by_sitk(path), 1e-12)
    scan = open_scan(path)
    assert [warning.code for warning in scan.warnings] == ["straightened"]
    np.testing.assert_allclose(scan.geometry.spacing, (10, 10, 9))
    np.testing.assert_allclose(scan.geometry.direction, np.eye(3).ravel(), atol=1e-12)


def _matrix(geometry: Any) -> Any:
    return geometry.size, geometry.origin, np.reshape(geometry.direction, (3, 3)) * geometry.spacing


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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"dimension": 4, "sizes": "3 7 5 2", "kinds": "RGB-color domain domain domain"},
            r"has 3 values per voxel",
        ),
        ({"dimension": 4, "sizes": "7 5 3 2", "kinds": None}, r"has 4 dimensions \(7 × 5 × 3 × 2 voxels\)"),
        ({"dimension": 2, "sizes": "7 5", "kinds": None}, r"has 2 dimensions"),
        ({"sizes": "7 5 0"}, r"is empty"),
        ({"sizes": "7 5"}, r"is damaged or no NRRD header \(3 dimensions, but 2 sizes\)"),
        ({"sizes": "7 5 x"}, r"is damaged or no NRRD header"),
        ({"sizes": "-7 -5 6"}, r"is damaged or no NRRD header \(the size -7\)"),
        ({"sizes": "7.9 5 6"}, r"no NRRD header \(the size 7\.9\)"),
        ({"sizes": "7 5 6", "kinds": "domain domain"}, r"no NRRD header \(3 sizes, but 2 kinds\)"),
        ({"space directions": "(1 5,0,0) (0,1,0) (0,0,1)"}, r"is damaged or no NRRD header"),
        ({"space directions": "(1_5,0,0) (0,1,0) (0,0,1)"}, r"is damaged or no NRRD header"),
        ({"space directions": "(٣,0,0) (0,1,0) (0,0,1)"}, r"is damaged or no NRRD header"),
        ({"space origin": "(10 20 30)"}, r"is damaged or no NRRD header"),
        ({"space origin": "(10,20)"}, r"has a space origin of 2 numbers, expected 3"),
        ({"Space": "LPS"}, r"no NRRD header \(it has the field space twice\)"),
        ({**NO_PLACE, "axis mins": "0 0 0", "axis maxs": "9 9 9"}, r"its axes begin, but has no spacings"),
        ({"data file": "x" * 300}, r"The file with voxels .* is not there"),
        ({"data file": f"c%d.raw 1 {'9' * 5000} 1"}, r"The file with voxels .* is not there"),
        (
            {"type": None},
            r"has the type 'none', expected one of signed char, int8, int8_t, uchar, unsigned char, …",
        ),
        ({"type": "block"}, r"has the type 'block', expected"),
        ({"endian": None}, r"has the endian 'none', expected one of little, big"),
        ({"encoding": "zrl"}, r"has the encoding 'zrl', expected one of raw"),
        ({"space directions": "(1,0,0) (0,1,0) none"}, r"along only 2 of 3 axes"),
        ({"space directions": "(1,0) (0,1) (1,1)"}, r"has 3 space directions of 2 numbers, expected 3 of 3"),
        ({"space directions": "(1,0,0) (0,1,0) (1,1,0)"}, r"direction has axes that lean by more than 45°"),
        ({"space directions": "(1,0,0) (0,1,0) (0,0,0)"}, r"has the spacing 1 × 1 × 0 mm"),
        ({"space directions": "(1,0,0) (0,1,0) (0,0,inf)"}, r"has the spacing 1 × 1 × (inf|nan) mm"),
        ({**NO_PLACE, "spacings": "1 1 nan"}, r"has a spacing along only 2 of 3 axes"),
        ({**NO_PLACE, "spacings": "1 1"}, r"has 2 spacings, expected 3"),
        ({**NO_PLACE, "spacings": "1 -1 1"}, r"has the spacing 1 × -1 × 1 mm, expected three positive"),
        ({"line skip": -2}, r"skips -2 lines and 0 bytes"),
        ({"byte skip": -2}, r"skips 0 lines and -2 bytes"),
        ({"encoding": "gzip", "byte skip": -1}, r"skips 0 lines and -1 bytes"),
        ({"data file": "ct.raw"}, r"The file with voxels .*ct\.raw is not there; put it beside its header"),
        ({"data file": "ct%02d.raw 1 4 1"}, r"divides 210 voxels among 4 files, expected as many in each"),
        ({"encoding": "gzip"}, r"is damaged or cut short \(gzip: "),
        ({"encoding": "bzip2"}, r"is damaged or cut short \(bzip2: "),
        ({"encoding": "hex"}, r"is damaged or cut short \(hex: |is cut short"),
        ({"encoding": "ascii"}, r"is damaged or cut short \(text: not all are numbers\)"),
    ],
)
def test_headers_that_are_refused(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = write_nrrd(tmp_path / "ct.nrrd", changes, VOXELS.tobytes() * 3 if "encoding" in changes else None)
    with pytest.raises(InputError, match=message):
        read(path)


def test_an_origin_that_is_not_finite(tmp_path: Path) -> None:
    path = write_nrrd(tmp_path / "ct.nrrd", {"space origin": "(0,nan,0)"})
    with pytest.raises(InputError, match="has NaN or infinity in its origin"):
        open_scan(path)


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_lines_and_cases(ending: bytes, tmp_path: Path) -> None:
    header = (
        b"NRRD0004\n# a comment: of no meaning\nTYPE: Short\nDimension: 3\nspace: LPS\nSizes: 7 5 6\n"
        b"Space Directions: (1.5, 0, 0)  ( 0,2,0) (0,0,3)\nENDIAN: Little\nEncoding: RAW\nkey:=value: 1\n\n"
    ).replace(b"\n", ending)
    (tmp_path / "ct").write_bytes(header + VOXELS.tobytes())
    image = read(tmp_path / "ct")
    np.testing.assert_array_equal(image.array, VOXELS)
    assert image.geometry.spacing == (1.5, 2, 3)


KEYS = {
    "type:": "=CT",
    "spacings:": "=9 9 9",
    "sizes:": "=1",
    "data file:": "=orig.dcm",
    "space:": "=foo",
    "min:": "=abc",
    "DICOM:1:": "=a",
    "DICOM:2:": "=b",
    "a note:": "=one: two \x0c \u2028 \x85 three",
}


def test_keys_are_not_fields(tmp_path: Path) -> None:
    """Also not those that have the name of one, and none has to be understood."""
    path = write_nrrd(tmp_path / "ct.nrrd")
    keys = "".join(f"{name}{value}\n" for name, value in KEYS.items()) * 2
    path.write_bytes(path.read_bytes().replace(b"kinds:", keys.encode() + b"old min: x\nkinds:"))
    image = read(path)
    np.testing.assert_array_equal(image.array, VOXELS)
    assert_same_place(_matrix(image.geometry), by_sitk(write_nrrd(path)))


def test_a_long_header(tmp_path: Path) -> None:
    path = write_nrrd(tmp_path / "ct.nrrd")
    keys = "".join(f"key{number}:={'value ' * 200}\n" for number in range(2000))
    path.write_bytes(path.read_bytes().replace(b"kinds:", keys.encode() + b"kinds:"))
    image = read(path)
    np.testing.assert_array_equal(image.array, VOXELS)
    assert image.warnings == []


def test_a_header_without_an_end(tmp_path: Path) -> None:
    path = tmp_path / "ct.nrrd"
    path.write_bytes(b"NRRD0005\n" + b"x" * (1 << 25))
    with pytest.raises(InputError, match=r"no NRRD header \(no blank line in 16,"):
        read(path)


@pytest.mark.parametrize(
    "directions",
    ["(1.5,0,0)(0,2,0)(0,0,3)", "( 1.5 ,0, 0 )  (0,2,0)\t(0,0 ,3)", "(15e-1,0,0) (0,2.,0) (0,-0,+3)"],
)
def test_vectors(directions: str, tmp_path: Path) -> None:
    geometry = read(write_nrrd(tmp_path / "ct.nrrd", {"space directions": directions})).geometry
    assert geometry.spacing == (1.5, 2, 3)
    assert geometry.direction == (1, 0, 0, 0, 1, 0, 0, 0, 1)


def test_the_first_version(tmp_path: Path) -> None:
    path = write_nrrd(tmp_path / "ct.nrrd")
    path.write_bytes(path.read_bytes().replace(b"NRRD0005", b"NRRD00.01"))
    np.testing.assert_array_equal(read(path).array, VOXELS)


@pytest.mark.parametrize("words", ["1_0 " * 210, "0" * 60000 + " 1" * 209, "1 x " * 105, "1 " * 209])
def test_text_that_is_no_voxels(words: str, tmp_path: Path) -> None:
    path = write_nrrd(tmp_path / "ct.nrrd", {"encoding": "text"}, words.encode())
    with pytest.raises(
        InputError, match=r"is damaged or cut short \(text: not all are numbers\)|is cut short"
    ):
        read(path)


@pytest.mark.parametrize("encoding", ["ascii", "txt", "text", "hex"])
@pytest.mark.parametrize("separator", [" ", "\n", ", "])
def test_voxels_as_text(encoding: str, separator: str, tmp_path: Path) -> None:
    text = separator.join(map(str, VOXELS.ravel()))
    if encoding == "hex":
        text = VOXELS.tobytes().hex(" ", 20)
    path = write_nrrd(tmp_path / "ct.nrrd", {"encoding": encoding}, text.encode())
    np.testing.assert_array_equal(read(path).array, VOXELS)


@pytest.mark.parametrize(
    "name",
    ["LIST\na.raw\nb.raw\nc.raw", "LIST 2\na.raw\nb.raw\nc.raw", "part%d.raw 1 3 1", "part%d.raw 1 3 1 2",
     "part%d.raw 3 1 -1"],
)  # fmt: skip
def test_voxels_in_several_files(name: str, tmp_path: Path) -> None:
    for index, letter in enumerate("abc"):
        part = VOXELS[2 * index : 2 * index + 2]
        for file in (f"{letter}.raw", f"part{index + 1}.raw"):
            (tmp_path / file).write_bytes(b"line\n\xff\n" + gzip.compress(b"xyz" + part.tobytes()))
    path = write_nrrd(tmp_path / "ct.nhdr", {"encoding": "gzip", "line skip": 2, "byte skip": 3}, b"")
    content = path.read_text()
    path.write_text(content.rstrip("\n") + f"\ndata file: {name}\n")
    expected = VOXELS.reshape(3, 2, 5, 7)[::-1].reshape(6, 5, 7) if name.endswith("-1") else VOXELS
    np.testing.assert_array_equal(read(path).array, expected)


def test_voxels_at_the_end_of_a_file(tmp_path: Path) -> None:
    path = write_nrrd(tmp_path / "ct.nrrd", {"byte skip": -1}, b"another header" * 30 + VOXELS.tobytes())
    image = read(path)
    np.testing.assert_array_equal(image.array, VOXELS)
    assert image.warnings == []


def test_a_bit_that_flipped(tmp_path: Path) -> None:
    """Only the checksum shows it."""
    content = bytearray(gzip.compress(VOXELS.tobytes(), compresslevel=0))
    content[len(content) // 2] ^= 4
    path = write_nrrd(tmp_path / "ct.nrrd", {"encoding": "gzip"}, bytes(content))
    with pytest.raises(InputError, match=r"ct\.nrrd is damaged or cut short \(gzip: CRC check failed"):
        read(path)


def test_more_than_the_file_can_hold(tmp_path: Path) -> None:
    path = write_nrrd(tmp_path / "ct.nrrd", {"sizes": "60000 60000 60000", "encoding": "gzip"})
    with pytest.raises(InputError, match=r"is cut short: it has at most [\d,]+ bytes of voxels"):
        read(path)


@given(position=st.integers(0, 260), value=st.binary(min_size=0, max_size=3), keep=st.integers(0, 3))
def test_damage_to_the_header(
    position: int, value: bytes, keep: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No other exception."""
    path = write_nrrd(tmp_path_factory.mktemp("nrrd") / "ct.nrrd")
    content = path.read_bytes()
    path.write_bytes(content[:position] + value + content[position + keep :])
    try:
        read(path)
    except InputError as error:
        assert str(path.parent) in str(error)
