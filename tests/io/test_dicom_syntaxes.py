"""Every transfer syntax that docs/reading.md lists is read, and what is cut short is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import SimpleITK as sitk
from pydicom import Dataset, uid
from pydicom.encaps import encapsulate, encapsulate_extended
from support.dicom import ct_slice, enhanced_ct, set_compressed, set_hu
from support.scans import block_array, block_image

from efficientscn_trt import InputError
from efficientscn_trt.io.dicom.codecs import DECODERS
from efficientscn_trt.io.reading import read

# Noise, so that a wrong decoder cannot be right by chance, in the 12 bits of a scanner.
NOISE = np.random.default_rng(0).integers(-30, 30, block_array().shape, np.int16)
HU = np.clip(block_array() + NOISE, -1024, 3071)
STORED = (HU + 1024).astype(np.uint16)

Encoder = Callable[[np.ndarray], Any]


def _jpeg(**options: Any) -> Encoder:
    return lambda pixels: imagecodecs.jpeg8_encode(pixels, bitspersample=12, **options)


def _jpeg_2000(**options: Any) -> Encoder:
    return lambda pixels: imagecodecs.jpeg2k_encode(pixels, codecformat="J2K", bitspersample=12, **options)


def _high_throughput(pixels: np.ndarray) -> Any:
    if not hasattr(imagecodecs, "htj2k_encode"):
        pytest.skip("this version of imagecodecs does not encode High-Throughput JPEG 2000")
    return imagecodecs.htj2k_encode(pixels, reversible=True)


#: By transfer syntax: an encoder, and the largest error in HU.
ENCODERS: dict[str, tuple[Encoder, int]] = {
    uid.JPEGExtended12Bit: (_jpeg(level=100), 4),
    uid.JPEGLossless: (_jpeg(lossless=True, predictor=4), 0),
    uid.JPEGLosslessSV1: (_jpeg(lossless=True, predictor=1), 0),
    uid.JPEGLSLossless: (imagecodecs.jpegls_encode, 0),
    uid.JPEGLSNearLossless: (lambda pixels: imagecodecs.jpegls_encode(pixels, level=2), 2),
    uid.JPEG2000Lossless: (_jpeg_2000(level=0, reversible=True), 0),
    uid.JPEG2000: (_jpeg_2000(level=90, reversible=False), 4),
    uid.HTJ2KLossless: (_high_throughput, 0),
    uid.HTJ2KLosslessRPCL: (_high_throughput, 0),
    uid.HTJ2K: (_high_throughput, 0),
}


def _compressed(number: int, syntax: str, encoded: list[Any]) -> Dataset:
    dataset = ct_slice(block_image(), number)
    set_hu(dataset, HU[number], intercept=-1024, dtype=np.uint16, bits=12)
    set_compressed(dataset, syntax, encapsulate(encoded))
    return dataset


def _write(folder: Path, syntax: str, encode: Encoder) -> None:
    for number in range(len(HU)):
        _compressed(number, syntax, [encode(STORED[number])]).save_as(folder / f"{number:03d}.dcm")


@pytest.mark.parametrize("syntax", ENCODERS)
def test_compressed(syntax: str, tmp_path: Path) -> None:
    encode, tolerance = ENCODERS[syntax]
    _write(tmp_path, syntax, encode)
    scan = read(tmp_path)
    assert np.abs(scan.array - HU).max() <= tolerance
    assert scan.array.dtype == np.int16 and scan.warnings == []


@pytest.mark.parametrize("syntax", [uid.JPEGLossless, uid.JPEGLosslessSV1, uid.JPEGLSLossless, uid.JPEG2000])
def test_compressed_as_simpleitk_reads_it(syntax: str, tmp_path: Path) -> None:
    """SimpleITK decodes with GDCM."""
    _write(tmp_path, syntax, ENCODERS[syntax][0])
    array = read(tmp_path).array
    for number in (0, 9):
        expected = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / f"{number:03d}.dcm")))[0]
        assert np.abs(array[number] - expected).max() <= (1 if syntax == uid.JPEG2000 else 0)


def test_run_length_encoding(tmp_path: Path) -> None:
    """pydicom encodes it."""
    for number in range(len(HU)):
        dataset = ct_slice(block_image(), number)
        set_hu(dataset, HU[number], intercept=-1024, dtype=np.uint16, bits=12)
        dataset.compress(uid.RLELossless, encoding_plugin="pydicom", generate_instance_uid=False)
        dataset.save_as(tmp_path / f"{number:03d}.dcm")
    np.testing.assert_array_equal(read(tmp_path).array, HU)


def test_eight_bits_of_jpeg(tmp_path: Path) -> None:
    hu = HU // 20 * 20
    for number in range(len(HU)):
        dataset = ct_slice(block_image(), number)
        set_hu(dataset, hu[number], 20, -1040, dtype=np.uint8)
        pixels = np.frombuffer(dataset.PixelData, np.uint8, hu[number].size).reshape(hu[number].shape)
        encoded: Any = imagecodecs.jpeg8_encode(pixels.copy(), level=100)
        set_compressed(dataset, uid.JPEGBaseline8Bit, encapsulate([encoded]))
        dataset.save_as(tmp_path / f"{number:03d}.dcm")
    assert np.abs(read(tmp_path).array - hu).max() <= 2 * 20


def test_signed_values_in_an_unsigned_codestream(tmp_path: Path) -> None:
    """As some encoders of JPEG 2000 store them: the header says signed, the codestream unsigned."""
    for number in range(len(HU)):
        dataset = ct_slice(block_image(), number)
        set_hu(dataset, HU[number], bits=13)
        words = HU[number].astype(np.uint16) & 0x1FFF
        encoded: Any = imagecodecs.jpeg2k_encode(
            words, level=0, codecformat="J2K", reversible=True, bitspersample=13
        )
        set_compressed(dataset, uid.JPEG2000Lossless, encapsulate([encoded]))
        dataset.save_as(tmp_path / f"{number:03d}.dcm")
    scan = read(tmp_path)
    np.testing.assert_array_equal(scan.array, HU)


@pytest.mark.parametrize("signed", [False, True])
def test_lossy_compression_beyond_the_bits_stored(signed: bool, tmp_path: Path) -> None:
    """Values that overshoot 12 bits in a codestream of 16 do not wrap round, here as in GDCM."""
    hu = HU.copy()
    hu[:, 20:30, 20:30] = 3071 if not signed else 2047
    hu[:, :8] = -1024 if not signed else -2048
    intercept, kind = (0, np.int16) if signed else (-1024, np.uint16)
    for number in range(len(hu)):
        dataset = ct_slice(block_image(), number)
        set_hu(dataset, hu[number], intercept=intercept, dtype=kind, bits=12)
        words = np.ascontiguousarray(hu[number] - intercept).astype(kind)
        encoded: Any = imagecodecs.jpeg2k_encode(words, level=72, codecformat="J2K", reversible=False)
        set_compressed(dataset, uid.JPEG2000, encapsulate([encoded]))
        dataset.save_as(tmp_path / f"{number:03d}.dcm")
    scan = read(tmp_path)
    assert np.abs(scan.array - hu).max() < 200
    assert scan.array.max() > hu.max() or scan.array.min() < hu.min()
    assert scan.array.dtype == np.int16 and "unused-bits" not in [w.code for w in scan.warnings]
    for number in (0, 9):
        expected = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / f"{number:03d}.dcm")))[0]
        assert np.abs(scan.array[number] - expected).max() <= 1


@pytest.mark.parametrize("reversible", [True, False])
def test_a_signed_codestream_without_negative_values(reversible: bool, tmp_path: Path) -> None:
    """Values beyond the bits stored are no negative values without their sign."""
    for number in range(len(HU)):
        stored = np.full(HU[number].shape, 1000, np.int16)
        stored[:, 8 : 8 + number] = 2047
        dataset = ct_slice(block_image(), number)
        set_hu(dataset, stored - 1024, intercept=-1024, bits=12)
        encoded: Any = imagecodecs.jpeg2k_encode(
            stored, level=0 if reversible else 75, codecformat="J2K", reversible=reversible
        )
        set_compressed(dataset, uid.JPEG2000, encapsulate([encoded]))
        dataset.save_as(tmp_path / f"{number:03d}.dcm")
    array = read(tmp_path).array
    assert array.min() > -200 and array.max() >= 1023
    for number in (0, 9, 20):
        expected = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / f"{number:03d}.dcm")))[0]
        assert np.abs(array[number] - expected).max() <= 1


@pytest.mark.parametrize("run_length", [True, False])
@pytest.mark.parametrize(("signed", "high_bit"), [(True, 11), (True, 15), (False, 15), (False, 13)])
def test_values_anywhere_in_the_word(signed: bool, high_bit: int, run_length: bool, tmp_path: Path) -> None:
    """12 bits that end at the high bit, with zeros around them: no other bits."""
    hu = HU.clip(-1024, 2047)
    for number in range(len(hu)):
        dataset = ct_slice(block_image(), number)
        stored = hu[number] if signed else hu[number] + 1024
        words = (stored.astype(np.int64) & 0xFFF) << (high_bit - 11)
        set_hu(dataset, words, dtype=np.uint16)
        dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 12, high_bit, int(signed)
        dataset.RescaleIntercept = "0" if signed else "-1024"
        if run_length:
            dataset.compress(uid.RLELossless, encoding_plugin="pydicom", generate_instance_uid=False)
        dataset.save_as(tmp_path / f"{number:03d}.dcm")
    scan = read(tmp_path)
    np.testing.assert_array_equal(scan.array, hu)
    assert scan.warnings == []


def test_other_bits_in_a_lossless_codestream(tmp_path: Path) -> None:
    """Bits beyond those that the header counts: ignored and warned of, as elsewhere."""
    for number in range(len(HU)):
        words = STORED[number] | (0x8000 if number == 7 else 0)
        _compressed(number, uid.JPEGLSLossless, [imagecodecs.jpegls_encode(words)]).save_as(
            tmp_path / f"{number:03d}.dcm"
        )
    scan = read(tmp_path)
    np.testing.assert_array_equal(scan.array, HU)
    (warning,) = scan.warnings
    assert warning.code == "unused-bits" and "007.dcm" in warning.message


@pytest.mark.parametrize("table", ["basic", "extended", "none"])
@pytest.mark.parametrize("fragments", [1, 3])
def test_compressed_frames_of_enhanced_ct(table: str, fragments: int, tmp_path: Path) -> None:
    if table == "extended" and fragments > 1:
        pytest.skip("an extended offset table is for one fragment per frame")
    dataset = enhanced_ct(block_image())
    frames: list[Any] = [imagecodecs.jpegls_encode(HU[number].astype(np.uint16)) for number in range(len(HU))]
    if table == "extended":
        data, dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = encapsulate_extended(frames)
    else:
        data = encapsulate(frames, fragments_per_frame=fragments, has_bot=table == "basic")
    set_compressed(dataset, uid.JPEGLSLossless, data)
    dataset.save_as(tmp_path / "ct.dcm")
    np.testing.assert_array_equal(read(tmp_path / "ct.dcm").array, HU)


def test_fewer_compressed_frames_than_announced(tmp_path: Path) -> None:
    dataset = enhanced_ct(block_image())
    frames: list[Any] = [
        imagecodecs.jpegls_encode(HU[number].astype(np.uint16)) for number in range(len(HU) - 1)
    ]
    set_compressed(dataset, uid.JPEGLSLossless, encapsulate(frames))
    dataset.save_as(tmp_path / "ct.dcm")
    with pytest.raises(InputError, match=r"The pixels of .*ct\.dcm are missing, cut short or damaged"):
        read(tmp_path / "ct.dcm")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.95])
@pytest.mark.parametrize("syntax", [*ENCODERS, uid.RLELossless])
def test_compressed_pixels_that_are_cut_short(syntax: str, share: float, tmp_path: Path) -> None:
    """The codestream ends early, in a file that is well formed."""
    for number in range(len(HU)):
        if syntax == uid.RLELossless:
            dataset = ct_slice(block_image(), number)
            set_hu(dataset, HU[number], intercept=-1024, dtype=np.uint16, bits=12)
            dataset.compress(uid.RLELossless, encoding_plugin="pydicom", generate_instance_uid=False)
            encoded = dataset.PixelData[16:-8]  # without its item tags
        else:
            encoded = ENCODERS[syntax][0](STORED[number])
            dataset = _compressed(number, syntax, [encoded])
        if number == 7:
            set_compressed(dataset, syntax, encapsulate([encoded[: int(share * len(encoded))]]))
        dataset.save_as(tmp_path / f"{number:03d}.dcm")
    with pytest.raises(
        InputError, match=r"The pixels of .*007\.dcm are missing, cut short or damaged"
    ) as caught:
        read(tmp_path)
    assert "\n" not in str(caught.value)


def test_an_image_of_another_size(tmp_path: Path) -> None:
    for number in range(len(HU)):
        encoded: Any = imagecodecs.jpegls_encode(STORED[number][:-1] if number == 7 else STORED[number])
        _compressed(number, uid.JPEGLSLossless, [encoded]).save_as(tmp_path / f"{number:03d}.dcm")
    with pytest.raises(InputError, match=r"007\.dcm .*\(they decode to 57 × 44 pixels\)"):
        read(tmp_path)


def test_a_transfer_syntax_that_is_not_supported(tmp_path: Path) -> None:
    for number in range(len(HU)):
        _compressed(number, uid.MPEG2MPML, [b"\0" * 100]).save_as(tmp_path / f"{number:03d}.dcm")
    with pytest.raises(InputError, match=r"has the transfer syntax MPEG2 .*, which is not supported; export"):
        read(tmp_path)


@pytest.mark.parametrize(
    "syntax",
    [
        uid.ImplicitVRLittleEndian,
        uid.ExplicitVRLittleEndian,
        uid.ExplicitVRBigEndian,
        uid.DeflatedExplicitVRLittleEndian,
    ],
)
@pytest.mark.parametrize("kind", ["int16", "uint8"])
def test_uncompressed(syntax: str, kind: str, tmp_path: Path) -> None:
    hu = HU if kind == "int16" else HU // 20 * 20
    for number in range(len(HU)):
        dataset = ct_slice(block_image(), number)
        slope, intercept = (1, 0) if kind == "int16" else (20, -1040)
        set_hu(dataset, hu[number], slope, intercept, dtype=np.dtype(kind))
        big = syntax == uid.ExplicitVRBigEndian
        if big:
            dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").byteswap().tobytes()
        dataset.file_meta.TransferSyntaxUID = uid.UID(syntax)
        dataset.save_as(
            tmp_path / f"{number:03d}.dcm",
            implicit_vr=syntax == uid.ImplicitVRLittleEndian,
            little_endian=not big,
        )
    np.testing.assert_array_equal(read(tmp_path).array, hu)


@pytest.mark.parametrize("implicit", [True, False])
@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize("meta", [True, False])
def test_without_preamble(implicit: bool, little: bool, meta: bool, tmp_path: Path) -> None:
    """Files as they left a network: the data set alone, or behind its meta header."""
    if implicit and not little:
        pytest.skip("DICOM has no implicit big endian")
    for number in range(len(HU)):
        dataset = ct_slice(block_image(), number)
        set_hu(dataset, HU[number])
        if not little:
            dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").byteswap().tobytes()
        dataset.file_meta.TransferSyntaxUID = (
            uid.ImplicitVRLittleEndian
            if implicit
            else uid.ExplicitVRLittleEndian
            if little
            else uid.ExplicitVRBigEndian
        )
        if not meta:
            del dataset.file_meta
        dataset.preamble = None
        dataset.save_as(
            tmp_path / f"{number:03d}", implicit_vr=implicit, little_endian=little, enforce_file_format=False
        )
    np.testing.assert_array_equal(read(tmp_path).array, HU)


def test_the_page_lists_every_transfer_syntax() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reading.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"`(1\.2\.840\.10008\.1\.2[.\d]*)`", page))
    native = {
        uid.ImplicitVRLittleEndian,
        uid.ExplicitVRLittleEndian,
        uid.ExplicitVRBigEndian,
        uid.DeflatedExplicitVRLittleEndian,
    }
    assert listed == {str(syntax) for syntax in {*DECODERS, *native}}
