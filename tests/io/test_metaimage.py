"""MetaImage is read as SimpleITK reads it where that is right, and its label map lies where the scan lies."""

from __future__ import annotations

import math
import re
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from support.nifti import labels_of
from support.text_headers import (
    VOXELS,
    assert_read_or_refused,
    assert_same_place,
    by_sitk,
    damaged,
    write_metaimage,
)

from efficientscn_trt import InputError
from efficientscn_trt.io.reading import read
from efficientscn_trt.io.volume import open_scan

TYPES = {
    "i1": "MET_CHAR",
    "u1": "MET_UCHAR",
    "i2": "MET_SHORT",
    "u2": "MET_USHORT",
    "i4": "MET_INT",
    "u4": "MET_ULONG",
    "i8": "MET_LONG_LONG",
    "f4": "MET_FLOAT",
    "f8": "MET_DOUBLE",
}


@given(
    seed=st.integers(0, 2**32 - 1),
    mirrored=st.booleans(),
    origin=st.tuples(*[st.floats(-500, 500, allow_subnormal=False)] * 3),
    kind=st.sampled_from([*TYPES]),
    big=st.booleans(),
    compressed=st.booleans(),
    detached=st.booleans(),
    names=st.sampled_from(
        [("TransformMatrix", "Offset"), ("Rotation", "Position"), ("Orientation", "Origin")]
    ),
)
def test_any_header(
    seed: int,
    mirrored: bool,
    origin: tuple[float, float, float],
    kind: str,
    big: bool,
    compressed: bool,
    detached: bool,
    names: tuple[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("metaimage")
    axes = Rotation.random(random_state=seed).as_matrix() * (1, 1, -1 if mirrored else 1)
    voxels = (VOXELS % 100).astype((">" if big else "<") + kind)
    content = zlib.compress(voxels.tobytes()) if compressed else voxels.tobytes()
    changes: dict[str, Any] = {
        "TransformMatrix": None,
        "Offset": None,
        names[0]: " ".join(map(repr, axes.T.ravel().tolist())),
        names[1]: " ".join(map(repr, origin)),
        "ElementSpacing": "0.8 1.1 2.5",
        "ElementType": TYPES[kind],
        "BinaryDataByteOrderMSB": big,
        "CompressedData": compressed,
        "CompressedDataSize": len(content) if compressed else None,
    }
    if detached:
        (folder / "ct.raw").write_bytes(content)
        path = write_metaimage(folder / "ct.mhd", {**changes, "ElementDataFile": "ct.raw"}, b"")
    else:
        path = write_metaimage(folder / "ct.mha", changes, content)

    image, expected = read(path), sitk.ReadImage(str(path))
    assert image.warnings == []
    np.testing.assert_array_equal(image.array, sitk.GetArrayViewFromImage(expected))
    assert image.geometry.spacing == expected.GetSpacing() == (0.8, 1.1, 2.5)
    assert image.geometry.origin == expected.GetOrigin()
    assert image.geometry.direction == expected.GetDirection()
    for name, tolerance in (("labels.mha", 0), ("labels.nrrd", 1e-12), ("labels.nii.gz", 1e-3)):
        assert_same_place(by_sitk(labels_of(path, folder / name)), by_sitk(path), tolerance)


def test_no_matrix(tmp_path: Path) -> None:
    path = write_metaimage(tmp_path / "ct.mha", {"TransformMatrix": None})
    image = read(path)
    assert [warning.code for warning in image.warnings] == ["orientation-assumed"]
    assert_same_place(by_sitk(labels_of(path, tmp_path / "labels.mha")), by_sitk(path))
    turned = read(path, orientation="RAS")
    assert turned.geometry.direction == (-1, 0, 0, 0, -1, 0, 0, 0, 1)
    assert turned.warnings == []
    with pytest.raises(InputError, match=r"but the header of .*ct\.mha has one; leave it out"):
        read(write_metaimage(path), orientation="RAS")


@pytest.mark.parametrize(
    ("changes", "spacing", "known"),
    [
        ({"ElementSpacing": "1 1 1"}, (1, 1, 1), True),
        ({"ElementSpacing": None}, (1, 1, 1), False),
        ({"ElementSpacing": None, "ElementSize": "2 2 5"}, (2, 2, 5), True),
        ({"TransformMatrix": "2 0 0 0 2 0 0 0 2"}, (3, 4, 6), True),
    ],
)
def test_spacings(changes: dict[str, Any], spacing: Any, known: bool, tmp_path: Path) -> None:
    path = write_metaimage(tmp_path / "ct.mha", changes)
    geometry = read(path).geometry
    assert (geometry.spacing, geometry.spacing_known) == (spacing, known)
    assert_same_place(by_sitk(labels_of(path, tmp_path / "labels.mha")), by_sitk(path))


def test_shear_is_straightened(tmp_path: Path) -> None:
    sheared = f"1 0 0 0 1 0 0 {math.sin(0.4)} {math.cos(0.4)}"
    path = write_metaimage(tmp_path / "ct.mha", {"TransformMatrix": sheared, "ElementSpacing": "5 5 5"})
    scan = open_scan(path, values=False)
    assert [warning.code for warning in scan.warnings] == ["straightened"]
    np.testing.assert_allclose(scan.geometry.spacing, (5, 5, 5 * math.cos(0.4)))
    np.testing.assert_allclose(scan.geometry.direction, np.eye(3).ravel(), atol=1e-12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"NDims": None}, r"is damaged: it lacks NDims; copy or download"),
        ({"NDims": "65536"}, r"announces 65536 dimensions, expected 3"),
        ({"NDims": "-1"}, r"announces -1 dimensions, expected 3"),
        ({"NDims": "3.5"}, r"has NDims = 3\.5, expected whole numbers"),
        ({"NDims": "4"}, r"has DimSize = 7 5 6, expected 4 numbers"),
        ({"DimSize": "7 5 many"}, r"has DimSize = 7 5 many, expected 3 numbers"),
        ({"DimSize": "7 5 -6"}, r"is empty"),
        ({"NDims": 2, "DimSize": "7 30"}, r"has 2 dimensions"),
        ({"ElementNumberOfChannels": 3}, r"has 3 values per voxel"),
        ({"ElementType": "MET_STRING"}, r"has the ElementType MET_STRING, expected one of MET_CHAR"),
        ({"ElementToIntensityFunctionSlope": 2}, r"which other programs ignore, so it is not clear"),
        ({"ElementToIntensityFunctionOffset": -1024}, r"which other programs ignore, so it is not clear"),
        ({"DistanceUnits": "cm"}, r"has DistanceUnits = cm, expected mm"),
        ({"ElementSpacing": "1 1"}, r"has ElementSpacing = 1 1, expected 3 numbers"),
        ({"ElementSpacing": "1 1 0"}, r"has the spacing 1 × 1 × 0 mm"),
        ({"ElementSpacing": "1 1 -1"}, r"has the spacing 1 × 1 × -1 mm"),
        ({"Offset": "0 inf 0"}, r"has Offset = 0 inf 0, expected 3 numbers"),
        ({"Offset": "0 0 0", "Position": "1 0 0"}, r"has different values of Offset and Position"),
        ({"ElementByteOrderMSB": True}, r"different values of BinaryDataByteOrderMSB and Element"),
        ({"Comment": "a\nDimSize = 9 9 9"}, r"has DimSize twice, expected once"),
        ({"Comment": "a\nOffset \r2 = 9 9 9"}, r"it has a byte of 13, which is no text"),
        ({"Comment": "a\nOffset\v = -40 -30 -20"}, r"it has a byte of 11, which is no text"),
        ({"ElementSpacing": "1_0 1 1"}, r"has ElementSpacing = 1_0 1 1, expected 3 numbers"),
        ({"DimSize": "7 5 1e300"}, r"has DimSize = 7 5 1e300, expected whole numbers"),
        ({"ElementDataFile": "x" * 300}, r"The file with voxels .* is not there"),
        ({"TransformMatrix": "1 0 0 0 1 0 1 1 0"}, r"direction has axes that lean by more than 45°"),
        ({"TransformMatrix": "0 0 0 0 0 0 0 0 0"}, r"direction leaves no volume"),
        ({"HeaderSize": 10}, r"has HeaderSize = 10, expected 0"),
        ({"HeaderSize": -2}, r"has HeaderSize = -2, expected 0"),
        ({"HeaderSize": -1, "CompressedData": True}, r"has HeaderSize = -1, expected 0"),
        ({"CompressedData": True}, r"is damaged or cut short \(zlib: "),
        ({"CompressedData": "Truee"}, r"has CompressedData = truee, expected True or False"),
        ({"BinaryData": False}, r"is damaged or cut short \(text: not all are numbers\)"),
        ({"ElementDataFile": "ct.raw"}, r"The file with voxels .*ct\.raw is not there"),
        ({"ElementDataFile": ".."}, r"The file with voxels .* is a folder"),
        ({"ElementDataFile": "ct%02d.raw 1 4 1"}, r"divides 210 voxels among 4 files"),
        ({"ElementType": "MET_INT"}, r"it has 420 bytes of voxels, but its header announces 840"),
        ({"ElementType": "MET_CHAR"}, r"has more voxels than its header describes, expected 210 bytes"),
    ],
)  # fmt: skip
def test_headers_that_are_refused(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = write_metaimage(tmp_path / "ct.mha", changes)
    with pytest.raises(InputError, match=message):
        read(path)


def test_the_size_of_compressed_voxels_need_not_be_there(tmp_path: Path) -> None:
    """SimpleITK then returns what was in its memory."""
    content = zlib.compress(VOXELS.tobytes()) + b"\n"
    path = write_metaimage(tmp_path / "ct.mha", {"CompressedData": True}, content)
    np.testing.assert_array_equal(read(path).array, VOXELS)


@pytest.mark.parametrize("flip", [True, False])
def test_damaged_compressed_voxels(flip: bool, tmp_path: Path) -> None:
    content = bytearray(zlib.compress(VOXELS.tobytes(), 0))
    if flip:
        content[len(content) // 2] ^= 4
    else:
        del content[-8:]
    path = write_metaimage(tmp_path / "ct.mha", {"CompressedData": True}, bytes(content))
    with pytest.raises(InputError, match=r"ct\.mha is damaged or cut short \(zlib: "):
        read(path)


def test_compressed_padding_is_warned_of(tmp_path: Path) -> None:
    content = zlib.compress(VOXELS.tobytes() + b"\0")
    image = read(write_metaimage(tmp_path / "ct.mha", {"CompressedData": True}, content))
    np.testing.assert_array_equal(image.array, VOXELS)
    assert [warning.code for warning in image.warnings] == ["unused-bytes"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no resource limits")
def test_more_compressed_voxels_than_announced_take_no_memory(tmp_path: Path) -> None:
    """At most the voxels themselves and a few MiB."""
    content = zlib.compress(VOXELS.tobytes() + bytes(1 << 30), 9)
    path = write_metaimage(tmp_path / "ct.mha", {"CompressedData": True}, content)
    program = """
import resource, sys
from pathlib import Path
from efficientscn_trt import InputError
from efficientscn_trt.io.reading import read
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (200 << 20),) * 2)
try:
    read(Path(sys.argv[1]))
except InputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    assert "has more voxels than its header describes" in done.stdout


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("equals", [" = ", "=", ": "])
def test_lines(ending: str, equals: str, tmp_path: Path) -> None:
    header = "Comment = CT of 1 = one\nNDims = 3\nDimSize = 7 5 6\nElementType = MET_SHORT\n"
    header += "ElementSpacing = 1.5 2 3\nElementDataFile = LOCAL\n"
    header = header.replace(" = ", equals).replace("\n", ending)
    (tmp_path / "ct").write_bytes(header.encode() + VOXELS.tobytes())
    image = read(tmp_path / "ct")
    np.testing.assert_array_equal(image.array, VOXELS)
    assert image.geometry.spacing == (1.5, 2, 3)


def test_a_last_line_without_an_end(tmp_path: Path) -> None:
    path = write_metaimage(tmp_path / "ct.mhd", {"ElementDataFile": "ct.raw"}, b"")
    path.write_bytes(path.read_bytes().rstrip())
    (tmp_path / "ct.raw").write_bytes(VOXELS.tobytes())
    np.testing.assert_array_equal(read(path).array, VOXELS)


def test_names_of_any_kind(tmp_path: Path) -> None:
    """SimpleITK writes a scan's DICOM elements."""
    image = sitk.GetImageFromArray(VOXELS)
    for name in ("0008|0060", "a/b (c)", "x%", "Räume"):
        image.SetMetaData(name, "CT")
    sitk.WriteImage(image, str(tmp_path / "ct.mha"))
    assert b"0008|0060 = CT" in (tmp_path / "ct.mha").read_bytes()
    np.testing.assert_array_equal(read(tmp_path / "ct.mha").array, VOXELS)


def test_lines_without_a_meaning(tmp_path: Path) -> None:
    path = write_metaimage(tmp_path / "ct.mha", {"Comment": "b\n\n  \n# a = b\n// a = b\nComment = c"})
    path.write_bytes(b"\xef\xbb\xbf\n" + path.read_bytes())
    np.testing.assert_array_equal(read(path).array, VOXELS)


def test_voxels_as_text(tmp_path: Path) -> None:
    text = " ".join(map(str, VOXELS.ravel()))
    path = write_metaimage(tmp_path / "ct.mha", {"BinaryData": False}, text.encode())
    np.testing.assert_array_equal(read(path).array, VOXELS)


@pytest.mark.parametrize(
    "name", ["LIST\na.raw\nb.raw\nc.raw", "LIST 2D\na.raw\nb.raw\nc.raw", "%d.raw 1 3 1"]
)
@pytest.mark.parametrize("skip", [0, 7, -1])
def test_voxels_in_several_files(name: str, skip: int, tmp_path: Path) -> None:
    for index, letter in enumerate("abc"):
        part = b"x" * (13 if skip == -1 else skip) + VOXELS[2 * index : 2 * index + 2].tobytes()
        for file in (f"{letter}.raw", f"{index + 1}.raw"):
            (tmp_path / file).write_bytes(part)
    path = write_metaimage(tmp_path / "ct.mhd", {"HeaderSize": skip, "ElementDataFile": name}, b"")
    np.testing.assert_array_equal(read(path).array, VOXELS)


@pytest.mark.parametrize("name", ["100%% %02d x.raw 1 3 1 2", "100%% %02d x.raw 1 3 1", "%d.raw"])
def test_names_of_a_series(name: str, tmp_path: Path) -> None:
    for index, part in enumerate(VOXELS if name == "%d.raw" else VOXELS.reshape(3, 2, 5, 7)):
        (tmp_path / (name.split(" 1")[0] % (index + 1))).write_bytes(part.tobytes())
    path = write_metaimage(tmp_path / "ct.mhd", {"ElementDataFile": name.replace("%%", "%")}, b"")
    np.testing.assert_array_equal(read(path).array, VOXELS)


def test_a_fourth_axis_of_one_entry(tmp_path: Path) -> None:
    four = {
        "NDims": 4,
        "DimSize": "7 5 6 1",
        "TransformMatrix": " ".join(map(str, np.eye(4).ravel())),
        "Offset": "-40 -30 -20 9",
        "ElementSpacing": "1.5 2 3 1",
    }
    image = read(write_metaimage(tmp_path / "ct.mha", four))
    np.testing.assert_array_equal(image.array, VOXELS)
    assert image.geometry.origin == (-40, -30, -20)
    assert image.geometry.spacing == (1.5, 2, 3)


@given(position=st.integers(0, 300), value=st.binary(min_size=0, max_size=3), lost=st.integers(0, 3))
def test_damage_to_the_header(
    position: int, value: bytes, lost: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = write_metaimage(tmp_path_factory.mktemp("metaimage") / "ct.mha")
    assert_read_or_refused(damaged(path, position, value, lost))


@pytest.mark.parametrize("word", ["99999", "-32769", "0.5", "1e30"])
def test_text_that_does_not_fit_the_type(word: str, tmp_path: Path) -> None:
    text = " ".join([*map(str, VOXELS.ravel()[1:]), word])
    path = write_metaimage(tmp_path / "ct.mha", {"BinaryData": False}, text.encode())
    with pytest.raises(InputError, match=r"has the voxel .* in its text, expected whole numbers of its type"):
        read(path)


@pytest.mark.parametrize("field", ["ElementType", "NDims", "DistanceUnits", "BinaryData", "ElementDataFile"])
def test_a_long_value_is_cut_in_the_message(field: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refusal:
        read(write_metaimage(tmp_path / "ct.mha", {field: "y" * 20_000}))
    assert len(str(refusal.value)) < len(str(tmp_path)) + 1200


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("ElementMax =", 1),
        ("ElementMin = x", 1),
        ("ID = ", 1),
        ("CompressedDataSize =", 1),
        ("ParentID = nan", 1),
        ("CenterOfRotation = 0 0", 3),
        ("SequenceID =", 3),
        ("ElementSize = 1 1", 3),
        ("Color = 1 1 1", 4),
    ],
)
def test_fields_that_would_swallow_the_next_line(line: str, count: int, tmp_path: Path) -> None:
    """SimpleITK reads the missing number from the next line, and so loses the offset."""
    image = sitk.GetImageFromArray(VOXELS)
    image.SetOrigin((10.0, 20.0, 30.0))
    sitk.WriteImage(image, str(tmp_path / "ct.mha"))
    content = (tmp_path / "ct.mha").read_bytes().replace(b"CenterOfRotation = 0 0 0\n", b"")
    (tmp_path / "ct.mha").write_bytes(content.replace(b"Offset", line.encode() + b"\nOffset"))
    with pytest.raises(InputError, match=rf"has {line.split()[0]} = .*, expected {count} number"):
        read(tmp_path / "ct.mha")
    right = re.sub("=.*", "= " + " ".join(["1"] * count), line)
    (tmp_path / "ct.mha").write_bytes(content.replace(b"Offset", right.encode() + b"\nOffset"))
    assert read(tmp_path / "ct.mha").geometry.origin == (10, 20, 30)
    assert sitk.ReadImage(str(tmp_path / "ct.mha")).GetOrigin() == (10, 20, 30)


@pytest.mark.parametrize("name", ["Comment", "Modality", "Unknown"])
def test_words_that_are_left_out(name: str, tmp_path: Path) -> None:
    path = write_metaimage(tmp_path / "ct.mha")
    path.write_bytes(path.read_bytes().replace(b"Offset", f"{name} = \nOffset".encode()))
    assert read(path).geometry.origin == sitk.ReadImage(str(path)).GetOrigin() == (-40, -30, -20)


@pytest.mark.parametrize("place", [b"Offset", b"ElementSpacing", b"TransformMatrix", b"Comment"])
def test_a_header_with_a_byte_of_0(place: bytes, tmp_path: Path) -> None:
    """Programs in C end a name there. With "Offset\\0" they would lay the scan elsewhere than this one."""
    image = sitk.GetImageFromArray(VOXELS)
    image.SetOrigin((10.0, 20.0, 30.0))
    sitk.WriteImage(image, str(tmp_path / "ct.mha"))
    content = (tmp_path / "ct.mha").read_bytes().replace(b"BinaryData =", b"Comment = x\nBinaryData =")
    (tmp_path / "ct.mha").write_bytes(content.replace(place + b" =", place + b"\0 =", 1))
    with pytest.raises(
        InputError,
        match=r"ct\.mha is damaged: it has a byte of 0, which is no text; copy or download it again",
    ):
        read(tmp_path / "ct.mha")
