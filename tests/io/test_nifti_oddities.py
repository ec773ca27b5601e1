"""Odd and damaged NIfTI files are read right or refused in a sentence."""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spm2analyze import Spm2AnalyzeHeader
from support.nifti import block_nifti, header_of, load, noise, write, write_bytes, write_pair
from support.scans import block_array

from efficientscn_trt import InputError, Segmenter
from efficientscn_trt.io.reading import read, read_file
from efficientscn_trt.io.volume import open_scan

SAMPLES = Path(nibabel.__file__).parent / "tests" / "data"


def _nifti(path: Path, **fields: Any) -> Path:
    return write(path, noise(), header_of(noise(), **fields))


def check_voxels(path: Path) -> None:
    image = read(path)
    np.testing.assert_array_equal(image.array.transpose(), noise())
    assert image.warnings == []


@pytest.mark.parametrize("name", ["ct.nii", "ct", "ct.hdr", "ct.img", "ct.nrrd", "ct.dcm"])
@pytest.mark.parametrize("compressed", [False, True])
def test_the_contents_decide_not_the_name(name: str, compressed: bool, tmp_path: Path) -> None:
    path = _nifti(tmp_path / ("ct.nii.gz" if compressed else "ct.nii"))
    check_voxels(path.rename(tmp_path / name))


def test_a_name_that_is_no_utf_8(segmenter: Segmenter, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/Gr\xf6\xdfe.nii.gz"))
    result = segmenter.segment(block_nifti(tmp_path / "ct.nii.gz").rename(path))
    result.save(path)
    assert os.listdir(os.fsencode(tmp_path)) == [b"Gr\xf6\xdfe.nii.gz"]
    np.testing.assert_array_equal(read(path).array, result.array)


@pytest.mark.parametrize("given", ["hdr", "img"])
@pytest.mark.parametrize("names", [("ct.hdr", "ct.img"), ("ct.hdr.gz", "ct.img"), ("a.b.HDR", "a.b.IMG.gz")])
def test_a_pair_is_given_by_either_file(given: str, names: tuple[str, str], tmp_path: Path) -> None:
    write_pair(tmp_path / "pair.hdr", noise(), header_of(noise()))
    for old, name in zip(("pair.hdr", "pair.img"), names, strict=True):
        write_bytes(tmp_path / name, (tmp_path / old).read_bytes())
    check_voxels(tmp_path / names[given == "img"])


def test_the_other_half_is_compressed_alike(tmp_path: Path) -> None:
    """If there are two, as in nibabel."""
    for ending, values in (("", noise()), (".gz", noise() + 1)):
        write_pair(tmp_path / f"ct.hdr{ending}", values, header_of(values))
    for ending, values in (("", noise()), (".gz", noise() + 1)):
        for half in ("hdr", "img"):
            image = read(tmp_path / f"ct.{half}{ending}")
            np.testing.assert_array_equal(image.array.transpose(), values)


@pytest.mark.parametrize("ending", [".hdr", ".img"])
def test_a_name_as_long_as_it_may_be(ending: str, tmp_path: Path) -> None:
    check_voxels(_nifti(tmp_path / "ct.nii").rename(tmp_path / ("x" * (255 - len(ending)) + ending)))


@pytest.mark.parametrize("fields", [{"eol_check": (13, 10, 26, 13)}, {"magic": b"n)2"}])
def test_nifti_2_that_was_damaged_on_its_way(fields: dict[str, Any], tmp_path: Path) -> None:
    path = write(tmp_path / "ct.nii", noise(), header_of(noise(), kind=Nifti2Header, **fields))
    with pytest.raises(InputError, match=r"is damaged, or was sent as text \(its magic is b'n.2'\); copy or"):
        read(path)
    check_voxels(write(path, noise(), header_of(noise(), kind=Nifti2Header, eol_check=0)))


@pytest.mark.parametrize("magic", [b"ni2", b"n+3"])
def test_nifti_1_with_another_magic(magic: bytes, tmp_path: Path) -> None:
    content = bytearray(_nifti(tmp_path / "ct.nii").read_bytes())
    content[344:347] = magic
    (tmp_path / "ct.nii").write_bytes(content)
    with pytest.raises(InputError, match="is damaged, or was sent as text"):
        read(tmp_path / "ct.nii")


def test_a_pair_of_which_a_half_is_missing(tmp_path: Path) -> None:
    for kind in (Nifti1Header, Nifti2Header, Spm2AnalyzeHeader):
        path = write_pair(tmp_path / "ct.hdr", noise(), header_of(noise(), kind=kind))
        path.with_suffix(".img").unlink()
        with pytest.raises(
            InputError, match=r"ct\.hdr is the header of a pair, but the file with its voxels"
        ):
            read(path)
    write_pair(tmp_path / "ct.hdr", noise(), header_of(noise())).unlink()
    with pytest.raises(InputError, match=r"ct\.img cannot be read as an image: .* header \(of the same name"):
        read(tmp_path / "ct.img")


@pytest.mark.parametrize(("given", "pipe"), [("ct.hdr", "ct.img"), ("ct.img", "ct.hdr")])
def test_a_pipe_in_a_pair(given: str, pipe: str, tmp_path: Path) -> None:
    write_pair(tmp_path / "ct.hdr", noise(), header_of(noise()))
    (tmp_path / pipe).unlink()
    os.mkfifo(tmp_path / pipe)
    with pytest.raises(
        InputError, match=rf"{pipe}, which belongs to {given}, is a pipe or a device, expected"
    ):
        read(tmp_path / given)


@pytest.mark.parametrize("given", ["ct.hdr", "ct.img"])
@pytest.mark.parametrize("fields", [{}, {"bitpix": 0}, {"dim": (4, 7, 5, 6, 0, 0, 0, 0)}])
def test_either_file_of_a_pair_gets_the_checks(given: str, fields: dict[str, Any], tmp_path: Path) -> None:
    array = noise(dtype=np.float32)
    array[1, 2, 3] = np.nan
    write_pair(tmp_path / "ct.hdr", array, header_of(array, **fields))
    with pytest.raises(InputError, match="has 1 voxel that is NaN or infinite"):
        open_scan(tmp_path / given)
    voxels = tmp_path / "ct.img"
    voxels.write_bytes(voxels.read_bytes()[:-1])
    with pytest.raises(InputError, match=r"ct\.img is cut short: it has 839 bytes of voxels, but its header"):
        open_scan(tmp_path / given)


@pytest.mark.parametrize("kind", [Nifti1Header, Nifti2Header])
def test_a_header_extension_is_passed_over(kind: type[Nifti1Header], tmp_path: Path) -> None:
    images = {Nifti1Header: nibabel.Nifti1Image, Nifti2Header: nibabel.Nifti2Image}
    image = images[kind](noise(), np.diag([-1.5, -2, 3, 1]))
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"x" * 5000))
    for name in ("ct.nii", "ct.nii.gz"):
        image.to_filename(tmp_path / name)
        check_voxels(tmp_path / name)


def test_gzip_of_several_members(tmp_path: Path) -> None:
    content = _nifti(tmp_path / "ct.nii").read_bytes()
    path = tmp_path / "members.nii.gz"
    path.write_bytes(gzip.compress(content[:400]) + gzip.compress(content[400:]))
    check_voxels(path)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no dimensions": ({"dim": 0}, r"The header of .* announces 0 dimensions, expected 3; save it again"),
    "many dimensions": ({"dim": (9, 7, 5, 6, 1, 1, 1, 1)}, r"announces .* dimensions, expected 3"),
    "a slice": ({"dim": (2, 7, 5, 1, 1, 1, 1, 1)}, r"has 2 dimensions \(7 × 5 voxels\), expected 3"),
    "one slice": ({"dim": (3, 7, 30, 1, 1, 1, 1, 1)}, r"has 7 × 30 × 1 voxels, expected at least 2 along"),
    "no voxels": ({"dim": (3, 7, 0, 6, 1, 1, 1, 1)}, r"is empty \(7 × 0 × 6 voxels\)"),
    "a negative size": ({"dim": (3, 7, -5, 6, 1, 1, 1, 1)}, r"is empty \(7 × -5 × 6 voxels\)"),
    "phases": ({"dim": (4, 7, 5, 3, 2, 1, 1, 1)}, r"has 4 dimensions \(7 × 5 × 3 × 2 voxels\)"),
    "a vector": ({"dim": (5, 7, 5, 2, 1, 3, 1, 1)}, r"has 3 values per voxel \(colour or vector image\)"),
    "colour": ({"datatype": 128}, r"has 3 values per voxel"),
    "colour with alpha": ({"datatype": 2304}, r"has 4 values per voxel"),
    "complex": ({"datatype": 32}, r"voxels of the NIfTI data type 32 \(complex64\), expected whole numbers"),
    "bits": ({"datatype": 1}, r"voxels of the NIfTI data type 1 \("),
    "128 bits": ({"datatype": 1536}, r"voxels of the NIfTI data type 1536 \("),
    "no type": ({"datatype": 0}, r"voxels of the NIfTI data type 0 \("),
    "unknown type": ({"datatype": 777}, r"voxels of the NIfTI data type 777 \("),
    "offset 0": ({"vox_offset": 0}, r"voxels begin at byte 0, expected a whole number of 352 or more"),
    "offset in the header": (
        {"vox_offset": 348},
        r"voxels begin at byte 348, expected a whole number of 352 or more",
    ),
    "offset before the file": ({"vox_offset": -16}, r"voxels begin at byte -16, expected"),
    "offset NaN": ({"vox_offset": np.nan}, r"voxels begin at byte nan, expected"),
    "offset infinite": ({"vox_offset": np.inf}, r"voxels begin at byte inf, expected"),
    "offset between bytes": ({"vox_offset": 352.5}, r"voxels begin at byte 352\.5, expected"),
    "offset behind the file": ({"vox_offset": 1e30}, r"is cut short: it has (at most )?0 bytes of voxels"),
    "intercept NaN": ({"scl_inter": np.nan}, r"the rescale slope 1 and the intercept nan, expected numbers"),
    "too many voxels": (
        {"dim": (3, 32767, 32767, 32767, 1, 1, 1, 1)},
        r"is cut short: it has (at most )?[\d,]+ bytes of voxels, but its header announces 70,362,301,",
    ),
    "too few voxels": (
        {"dim": (3, 7, 5, 3, 1, 1, 1, 1)},
        r"has more voxels than its header describes, expected 210 bytes; its size or data type must be wrong",
    ),
    "another type": ({"datatype": 2}, r"has more voxels than its header describes, expected 210 bytes"),
}


@pytest.mark.parametrize("name", ["ct.nii", "ct.nii.gz"])
@pytest.mark.parametrize("case", REFUSED)
def test_a_header_that_is_refused(case: str, name: str, tmp_path: Path) -> None:
    fields, message = REFUSED[case]
    with pytest.raises(InputError, match=message) as caught:
        read(_nifti(tmp_path / name, **fields))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("length", [0, 3, 200, 347, 348, 352, 500])
@pytest.mark.parametrize("name", ["ct.nii", "ct.nii.gz"])
def test_a_file_that_breaks_off(name: str, length: int, tmp_path: Path) -> None:
    content = _nifti(tmp_path / "whole.nii").read_bytes()[:length]
    with pytest.raises(InputError, match=r"cut short|cannot be read as an image"):
        read(write_bytes(tmp_path / name, content))


@pytest.mark.parametrize("where", [5, 15, 0.1, 0.5, 0.9, -12, -6, -1])
def test_a_gzip_file_that_is_damaged_or_breaks_off(where: float, tmp_path: Path) -> None:
    """Also where the header is whole, and where only the checksum or the length at the end tells."""
    content = bytearray(_nifti(tmp_path / "ct.nii.gz").read_bytes())
    place = int(where * len(content)) if isinstance(where, float) else where % len(content)
    (tmp_path / "short.nii.gz").write_bytes(content[:place])
    content[place] ^= 0x10
    (tmp_path / "other.nii.gz").write_bytes(content)
    with pytest.raises(InputError):
        read(tmp_path / "short.nii.gz")
    if place > 9:  # the header of gzip has no checksum
        with pytest.raises(InputError, match=r"damaged or cut short \(gzip: "):
            read(tmp_path / "other.nii.gz")


def test_a_small_file_that_announces_gigabytes(tmp_path: Path) -> None:
    """Its memory is not taken: what a gzip file of its size can hold is known."""
    path = _nifti(tmp_path / "ct.nii.gz", dim=(3, 2000, 2000, 2000, 1, 1, 1, 1))
    program = (
        "import resource, sys\nfrom pathlib import Path\nfrom efficientscn_trt.io.nifti import read_nifti\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\nread_nifti(Path(sys.argv[1]))"
    )
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=False)
    assert "InputError" in done.stderr
    assert "is cut short: it has at most" in done.stderr


@pytest.mark.parametrize("name", ["ct.nii", "ct.nii.gz"])
def test_a_little_behind_the_voxels_is_padding(name: str, tmp_path: Path) -> None:
    content = _nifti(tmp_path / "whole.nii").read_bytes()
    image = read(write_bytes(tmp_path / name, content + bytes(40)))
    np.testing.assert_array_equal(image.array.transpose(), noise())
    assert [(warning.code, warning.message) for warning in image.warnings] == [
        (
            "unused-bytes",
            f"{tmp_path / name} has more voxels than its header describes (40 bytes of padding, or a wrong "
            "header), which were ignored.",
        )
    ]


def test_a_volume_of_a_series_of_one(tmp_path: Path) -> None:
    for dim in ((4, 7, 5, 6, 1, 1, 1, 1), (7, 7, 5, 6, 1, 1, 1, 1), (4, 7, 5, 6, 0, 1, 1, 1)):
        check_voxels(_nifti(tmp_path / "ct.nii", dim=dim))


def test_the_size_of_the_header_does_not_matter(tmp_path: Path) -> None:
    for size in (0, 347, 540, -1):
        check_voxels(_nifti(tmp_path / "ct.nii", sizeof_hdr=size))


@pytest.mark.filterwarnings("error")
def test_odd_numbers_leave_no_warnings_of_numpy(tmp_path: Path) -> None:
    signalling = np.frombuffer(b"\x01\x00\xa0\x7f", "<f4")[0]
    odd: list[dict[str, Any]] = [
        {"qoffset_x": signalling},
        {"pixdim": (1, 1.5, np.inf, 3, 1, 1, 1, 1)},
        {"srow_x": 3e38},
    ]
    for fields in odd:
        for form in ({}, {"qform": None}, {"sform": None}):
            with contextlib.suppress(InputError):
                read(_nifti(tmp_path / "ct.nii", **fields, **form))
    array = noise(dtype=np.float64)
    array[1, 2, 3], array[2, 2, 2] = np.frombuffer(b"\x01\0\0\0\0\0\xf4\x7f", "<f8")[0], 1e300
    for slope in (1, 2):
        with pytest.raises(InputError, match="has 2 voxels that are NaN or infinite"):
            open_scan(write(tmp_path / "ct.nii", array, header_of(array, scl_slope=slope)))


def test_what_only_itk_takes_for_nifti_is_refused(tmp_path: Path) -> None:
    """ITK's reader checks less. None of its guesses gets past ours."""
    content = bytearray(_nifti(tmp_path / "ct.nii").read_bytes())
    content[344:348] = b"n+9\0"
    content[:4] = bytes(4)
    (tmp_path / "odd.nii").write_bytes(content)
    with pytest.raises(InputError, match=r"odd\.nii"):
        read(tmp_path / "odd.nii")


def test_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pair(tmp_path / "ct.hdr", noise(), header_of(noise()))
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).suffix != ".img")
    with pytest.raises(InputError, match=r"ct\.img cannot be read: permission denied"):
        read(tmp_path / "ct.hdr")


def test_the_values_are_those_of_any_reader(segmenter: Segmenter, tmp_path: Path) -> None:
    """The labels of one scan in five forms are the same."""
    path = block_nifti(tmp_path / "ct.nii")
    expected = segmenter.segment(path).array
    array = block_array().transpose()
    for kind in (Nifti1Header, Nifti2Header):
        for endianness in "<>":
            shifted = (array + 1024).astype(np.uint16)
            header = header_of(shifted, kind=kind, endianness=endianness, scl_inter=-1024)
            other = write(tmp_path / "other.nii.gz", shifted, header)
            np.testing.assert_array_equal(segmenter.segment(other).array, expected)


@pytest.mark.parametrize(
    "name", sorted(str(path.relative_to(SAMPLES)) for path in SAMPLES.rglob("*") if path.is_file())
)
def test_samples_of_nibabel(name: str, tmp_path: Path) -> None:
    """Each is refused, or each of its voxels lies where nibabel lays it."""
    shutil.copytree(SAMPLES, tmp_path / "data", ignore=shutil.ignore_patterns("*.py*", "*.m", "__pycache__"))
    path = tmp_path / "data" / name
    if not path.is_file():
        pytest.skip("a program, no image")
    try:
        image = read_file(path)
    except InputError as error:
        assert "\n" not in str(error)
        return
    loaded = load(path)
    indices = np.indices(image.geometry.size).reshape(3, -1)
    matrix = np.reshape(image.geometry.direction, (3, 3)) * image.geometry.spacing
    lps = matrix @ indices + np.reshape(image.geometry.origin, (3, 1))
    theirs = nibabel.affines.apply_affine(np.linalg.inv(loaded.affine), (lps.T * (-1, -1, 1)))
    np.testing.assert_allclose(theirs, theirs.round(), atol=0.01)
    values = np.squeeze(loaded.dataobj)[tuple(theirs.round().astype(int).T)]
    np.testing.assert_allclose(image.array[tuple(indices[::-1])], values, rtol=1e-6)


def test_enough_samples_are_read() -> None:
    read_alone = []
    for path in SAMPLES.iterdir():
        try:
            read_file(path)
        except (InputError, IsADirectoryError):
            continue
        read_alone.append(path.name)
    assert {"anatomical.nii", "standard.nii.gz", "resampled_anat_moved.nii"} <= set(read_alone)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("limits", [(np.inf, np.inf), (np.inf, 0), (3e38, -3e38), (np.nan, 0)])
def test_analyze_with_absurd_limits(limits: tuple[float, float], tmp_path: Path) -> None:
    """Its slope may come from the difference of two fields."""
    fields: dict[str, Any] = {
        "cal_max": limits[0],
        "cal_min": limits[1],
        "glmax": 2**31 - 1,
        "glmin": -(2**31),
    }
    array = noise()
    path = write_pair(tmp_path / "ct.hdr", array, header_of(array, kind=Spm2AnalyzeHeader, **fields))
    np.testing.assert_array_equal(read(path).array.transpose(), array)


@pytest.mark.parametrize("place", [4, 6, 7])
def test_a_negative_size_of_a_dimension(place: int, tmp_path: Path) -> None:
    array = noise()
    header = header_of(array)
    header["dim"][[0, place]] = place, -1
    with pytest.raises(InputError, match=f"has {place} dimensions"):
        read(write(tmp_path / "ct.nii", array, header))
