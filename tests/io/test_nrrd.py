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
from support.text_headers import (
    NO_PLACE,
    VOXELS,
    assert_read_or_refused,
    assert_same_place,
    by_sitk,
    damaged,
    place_of,
    write_nrrd,
)

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


@pytest.mark.parametrize("origin", ["1e300", "-2e6", "1e17"])
def test_an_origin_that_is_far_off(origin: str, tmp_path: Path) -> None:
    path = write_nrrd(tmp_path / "ct.nrrd", {"space origin": f"(0,{origin},0)"})
    with pytest.raises(InputError, match=r"has the origin 0 × .* × 0 mm, expected at most 1e\+06 mm along"):
        open_scan(path)


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
    assert_same_place(place_of(image.geometry), by_sitk(write_nrrd(path)))


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


@given(position=st.integers(0, 260), value=st.binary(min_size=0, max_size=3), lost=st.integers(0, 3))
def test_damage_to_the_header(
    position: int, value: bytes, lost: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = write_nrrd(tmp_path_factory.mktemp("nrrd") / "ct.nrrd")
    assert_read_or_refused(damaged(path, position, value, lost))


@pytest.mark.parametrize(
    "field", ["type", "dimension", "encoding", "endian", "sizes", "space units", "kinds"]
)
def test_a_long_value_is_cut_in_the_message(field: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refusal:
        read(write_nrrd(tmp_path / "ct.nrrd", {field: "3" * 20_000}))
    assert len(str(refusal.value)) < len(str(tmp_path)) + 800


def test_a_header_with_a_byte_of_0(tmp_path: Path) -> None:
    """Programs in C end a name there, and would lay the scan elsewhere than this one."""
    image = sitk.GetImageFromArray(VOXELS)
    image.SetOrigin((10.0, 20.0, 30.0))
    sitk.WriteImage(image, str(tmp_path / "ct.nrrd"))
    content = (tmp_path / "ct.nrrd").read_bytes()
    assert b"space origin:" in content
    (tmp_path / "ct.nrrd").write_bytes(content.replace(b"space origin:", b"space origin\0:"))
    with pytest.raises(InputError, match=r"is damaged or no NRRD header \(it has a byte of 0\)"):
        read(tmp_path / "ct.nrrd")


def test_a_field_whose_name_is_not_ascii(tmp_path: Path) -> None:
    """pynrrd leaves such bytes out, and would lay the scan elsewhere than this one."""
    sitk.WriteImage(sitk.GetImageFromArray(VOXELS), str(tmp_path / "ct.nrrd"))
    content = (tmp_path / "ct.nrrd").read_bytes()
    for name in (b"byte sk\xffip: -1", "bytë skip: -1".encode()):
        (tmp_path / "ct.nrrd").write_bytes(content.replace(b"\nendian:", b"\n" + name + b"\nendian:"))
        with pytest.raises(InputError, match=r"\(the name of the field in line \d+ is not ASCII\)"):
            read(tmp_path / "ct.nrrd")
    (tmp_path / "ct.nrrd").write_bytes(
        content.replace(b"\nendian:", "\n# Ä\nÄ:=Ö\ncontent: Bäuche\nendian:".encode())
    )
    np.testing.assert_array_equal(read(tmp_path / "ct.nrrd").array, VOXELS)
