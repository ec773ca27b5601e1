"""What was found in the wild and by trying: headers that lie, files that do not belong, values that break."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import SimpleITK as sitk
from pydicom import Dataset, uid
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.encaps import encapsulate
from pydicom.tag import Tag
from support.dicom import ct_slice, enhanced_ct, only, set_compressed, set_hu, set_pixels, write_series
from support.scans import block_array, block_image

from efficientscn_trt import InputError
from efficientscn_trt.io.dicom.files import read_headers
from efficientscn_trt.io.reading import read

HU = block_array()


def put(dataset: Dataset, keyword: str, content: bytes) -> None:
    """Write an element with these bytes, whatever its type allows."""
    tag = Tag(tag_for_keyword(keyword) or 0)
    content += b" " * (len(content) % 2)
    element = RawDataElement(tag, dictionary_VR(tag), len(content), content, 0, False, True)
    dataset._dict[tag] = element  # pydicom would check it otherwise


def in_all(*changes: tuple[str, bytes]) -> Callable[[int, Dataset], None]:
    def change(number: int, dataset: Dataset) -> None:
        set_hu(dataset, HU[number], intercept=-1024, dtype=np.uint16)
        for keyword, content in changes:
            put(dataset, keyword, content)

    return change


def codes(folder: Path) -> list[str]:
    scan = read(folder)
    np.testing.assert_array_equal(scan.array, HU)
    return [warning.code for warning in scan.warnings]


@pytest.mark.parametrize(
    "content", [b"-1024,0", b"-1024\\-1000", b"(-1024)", b"-1024 HU", b"nan", b"\xe2\x88\x921024", b"x"]
)
@pytest.mark.parametrize("keyword", ["RescaleIntercept", "RescaleSlope"])
def test_a_rescale_that_cannot_be_understood(keyword: str, content: bytes, tmp_path: Path) -> None:
    """It is not the same as none."""
    write_series(block_image(), tmp_path, change=in_all((keyword, content)))
    with pytest.raises(InputError, match=r"1-000\.dcm lacks a usable rescale slope or intercept, so its HU"):
        read(tmp_path)


@pytest.mark.parametrize("keyword", ["RescaleIntercept", "RescaleSlope"])
def test_half_a_rescale(keyword: str, tmp_path: Path) -> None:
    write_series(block_image(), tmp_path, change=in_all((keyword, b"")))
    with pytest.raises(InputError, match="lacks a usable rescale slope or intercept"):
        read(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\2\0", b"\0\0\1\0"])
def test_no_sign(content: bytes, tmp_path: Path) -> None:
    write_series(block_image(), tmp_path, change=in_all(("PixelRepresentation", content)))
    with pytest.raises(InputError, match=r"pixel representation .* 0 \(unsigned\) or 1 \(signed\)"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("keyword", "content"),
    [
        ("PhotometricInterpretation", b"monochrome2"),
        ("ImagePositionPatient", b""),
        ("NumberOfFrames", b"1\\1"),
        ("SOPInstanceUID", b"1.2.3\\1.2.4"),
        ("RescaleType", b"hu"),
        ("RescaleType", b"HOUNSFIELD"),
        ("SeriesDescription", b"\x1b[31m\r\nred"),
        ("AcquisitionNumber", b"many"),
    ],
)
def test_values_that_do_not_matter(keyword: str, content: bytes, tmp_path: Path) -> None:
    def change(number: int, dataset: Dataset) -> None:
        if keyword == "ImagePositionPatient":
            content_here = "\\".join(map(str, dataset.ImagePositionPatient)).encode() + b"\\"
        else:
            content_here = content
        in_all((keyword, content_here))(number, dataset)

    write_series(block_image(), tmp_path, change=change)
    assert codes(tmp_path) == []


def _fewer_rows(dataset: Dataset) -> None:
    dataset.Rows = 20


def _narrower(dataset: Dataset) -> None:
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_fewer_rows, r"they have 5,130 bytes, but their header describes 2,280"),
        (_narrower, r"they have 5,130 bytes, but their header describes 2,565"),
    ],
)
def test_a_header_that_describes_other_pixels(
    spoil: Callable[[Dataset], None], message: str, tmp_path: Path
) -> None:
    write_series(block_image(), tmp_path, change=lambda number, dataset: spoil(dataset))
    with pytest.raises(InputError, match=message):
        read(tmp_path)


def test_compressed_pixels_that_call_themselves_uncompressed(tmp_path: Path) -> None:
    def change(number: int, dataset: Dataset) -> None:
        encoded = bytes(imagecodecs.jpegls_encode(HU[number].astype(np.uint16)))
        set_compressed(dataset, uid.JPEGLSLossless, encapsulate([encoded]))

    write_series(block_image(), tmp_path, change=change)
    for path in tmp_path.iterdir():
        content, written = path.read_bytes(), uid.JPEGLSLossless.encode()
        path.write_bytes(
            content.replace(written, uid.ExplicitVRLittleEndian.encode().ljust(len(written), b"\0"))
        )
    with pytest.raises(
        InputError, match="they are compressed, but the transfer syntax says that they are not"
    ):
        read(tmp_path)


@pytest.mark.parametrize(("extra", "expected"), [(1, []), (2, ["unused-bytes"]), (400, ["unused-bytes"])])
def test_bytes_behind_the_pixels(extra: int, expected: Sequence[str], tmp_path: Path) -> None:
    """One byte makes an odd length even, as DICOM wants it."""

    def change(number: int, dataset: Dataset) -> None:
        if extra == 1:
            set_hu(dataset, HU[number] // 20 * 20, 20, -1000, dtype=np.uint8)
        else:
            dataset.PixelData += b"\0" * extra

    write_series(block_image(), tmp_path, change=change)
    assert [warning.code for warning in read(tmp_path).warnings] == expected


@pytest.mark.parametrize("count", [20, 40])
def test_enhanced_ct_with_another_number_of_frames(count: int, tmp_path: Path) -> None:
    dataset = enhanced_ct(block_image())
    dataset.NumberOfFrames = count
    dataset.save_as(tmp_path / "ct.dcm")
    with pytest.raises(InputError, match=rf"ct\.dcm has {count} frames, but describes 34"):
        read(tmp_path / "ct.dcm")


def test_a_rescale_behind_the_pixels(tmp_path: Path) -> None:
    write_series(block_image(), tmp_path, change=in_all())
    path = tmp_path / "1-003.dcm"
    content = path.read_bytes()
    start = content.index(b"\x28\0\x52\x10DS")
    length = 8 + struct.unpack_from("<H", content, start + 6)[0]
    path.write_bytes(content[:start] + content[start + length :] + content[start : start + length])
    with pytest.raises(InputError, match=r"1-003\.dcm .*(elements of the header come after|lacks a usable)"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("second", "expected"), [(1.002, []), (1.02, ["unequal-slices"]), (1.09, ["unequal-slices"])]
)
def test_a_distance_that_drifts(second: float, expected: Sequence[str], tmp_path: Path) -> None:
    """Neighbours are at most 0.09 mm further apart than others, but that displaces the middle by 4.5 mm."""
    image = sitk.Image(4, 4, 201, sitk.sitkInt16)

    def change(number: int, dataset: Dataset) -> None:
        dataset.ImagePositionPatient = [0, 0, f"{min(number, 100) + second * max(number - 100, 0):.6f}"]

    write_series(image, tmp_path, change=change)
    assert [warning.code for warning in read(tmp_path).warnings] == expected


def test_a_distance_that_drifts_too_far(tmp_path: Path) -> None:
    image = sitk.Image(4, 4, 401, sitk.sitkInt16)

    def change(number: int, dataset: Dataset) -> None:
        dataset.ImagePositionPatient = [0, 0, f"{min(number, 200) + 1.09 * max(number - 200, 0):.6f}"]

    write_series(image, tmp_path, change=change)
    with pytest.raises(InputError, match=r"are 1 to 1\.09 mm apart, expected equal distances: .* up to 9 mm"):
        read(tmp_path)


@pytest.mark.parametrize(("sideways", "expected"), [(0.1, []), (0.5, ["crooked-slices"])])
def test_a_slice_beside_the_others(sideways: float, expected: Sequence[str], tmp_path: Path) -> None:
    def change(number: int, dataset: Dataset) -> None:
        if number == 15:
            dataset.ImagePositionPatient[0] += sideways

    write_series(block_image(), tmp_path, change=change)
    assert codes(tmp_path) == expected


def test_two_acquisitions_in_turn(tmp_path: Path) -> None:
    def change(number: int, dataset: Dataset) -> None:
        dataset.AcquisitionNumber = 1 + number % 2

    write_series(block_image(), tmp_path, change=change)
    assert codes(tmp_path) == ["mixed-acquisitions"]


@pytest.mark.parametrize("acquisition", [lambda number: number, lambda number: number // 17])
def test_acquisitions_one_after_the_other(acquisition: Callable[[int], int], tmp_path: Path) -> None:
    def change(number: int, dataset: Dataset) -> None:
        dataset.AcquisitionNumber = acquisition(number)

    write_series(block_image(), tmp_path, change=change)
    assert codes(tmp_path) == []


def test_two_frames_of_reference(tmp_path: Path) -> None:
    def change(number: int, dataset: Dataset) -> None:
        dataset.FrameOfReferenceUID = f"1.2.{1 + number // 17}"

    write_series(block_image(), tmp_path, change=change)
    assert codes(tmp_path) == ["frames-of-reference"]


@pytest.mark.parametrize("keyword", ["PatientID", "StudyInstanceUID"])
def test_two_patients_in_one_series(keyword: str, tmp_path: Path) -> None:
    def change(number: int, dataset: Dataset) -> None:
        setattr(dataset, keyword, f"1.2.{1 + number // 17}")

    write_series(block_image(), tmp_path, change=change)
    with pytest.raises(InputError, match="has 2 CT series, expected one"):
        read(tmp_path)
    with pytest.raises(InputError, match=r"has 2 series .*, of several studies or patients; give"):
        read(tmp_path, series="1.2.826.0.1.3680043.2.1125.9.1")


def test_half_of_a_divided_scan(tmp_path: Path) -> None:
    dataset = enhanced_ct(block_image())
    dataset.ConcatenationUID, dataset.InConcatenationTotalNumber = "1.2.3", 2
    dataset.save_as(tmp_path / "ct.dcm")
    (warning,) = read(tmp_path).warnings
    assert warning.code == "missing-files" and "are 1 of 2 files of the scan" in warning.message


def test_a_picture_in_the_series(tmp_path: Path) -> None:
    write_series(block_image(), tmp_path)
    dataset = ct_slice(block_image(), 0)
    dataset.SOPInstanceUID, dataset.SamplesPerPixel, dataset.PhotometricInterpretation = "1.2.3", 3, "RGB"
    dataset.save_as(tmp_path / "picture.dcm")
    assert codes(tmp_path) == ["files-left-out"]


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_broken_file_of_another_modality(share: float, tmp_path: Path) -> None:
    write_series(block_image(), tmp_path)
    plan = Dataset()
    plan.update(ct_slice(block_image(), 0))
    plan.file_meta, plan.preamble = ct_slice(block_image(), 0).file_meta, b"\0" * 128
    plan.SOPClassUID = plan.file_meta.MediaStorageSOPClassUID = uid.RTStructureSetStorage
    plan.Modality, plan.ROIContourSequence = "RTSTRUCT", [Dataset() for _ in range(50)]
    for item in plan.ROIContourSequence:
        item.ROIDisplayColor = [1, 2, 3]
    plan["ROIContourSequence"].is_undefined_length = True
    del plan.PixelData
    path = tmp_path / "structures.dcm"
    plan.save_as(path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    assert set(codes(tmp_path)) <= {"damaged-files"}


def test_raw_data_and_reports_of_ct(tmp_path: Path) -> None:
    """They are CT by their modality, and have no image to lack."""
    write_series(block_image(), tmp_path)
    for name, kind in (("raw", uid.RawDataStorage), ("state", uid.GrayscaleSoftcopyPresentationStateStorage)):
        dataset = ct_slice(block_image(), 0, series=5)
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = kind
        del dataset.Rows, dataset.Columns, dataset.PixelData
        dataset.save_as(tmp_path / f"{name}.dcm")
    assert codes(tmp_path) == []


def test_members_of_one_name_in_a_zip_archive(tmp_path: Path) -> None:
    write_series(block_image(), tmp_path / "series")
    with (
        zipfile.ZipFile(tmp_path / "study.zip", "w") as archive,
        pytest.warns(UserWarning, match="Duplicate"),
    ):
        for path in (tmp_path / "series").iterdir():
            archive.write(path, "slice.dcm")
    assert codes(tmp_path / "study.zip") == []


@pytest.mark.parametrize("word", [0, 1, 2])
@pytest.mark.parametrize("number", [0, 3, 65, 1 << 31, (1 << 32) - 1])
def test_a_run_length_header_that_lies(word: int, number: int, tmp_path: Path) -> None:
    """Its decoder would read beyond the data, up to a segmentation fault."""

    def change(index: int, dataset: Dataset) -> None:
        set_hu(dataset, HU[index])
        dataset.compress(uid.RLELossless, encoding_plugin="pydicom", generate_instance_uid=False)
        if index == 5:
            frame = bytearray(dataset.PixelData[16:-8])
            struct.pack_into("<I", frame, 4 * word, number)
            dataset.PixelData = encapsulate([bytes(frame)])

    write_series(block_image(), tmp_path, change=change)
    with pytest.raises(InputError, match=r"1-005\.dcm are missing, cut short or damaged"):
        read(tmp_path)


def test_a_jpeg_2000_codestream_with_the_other_sign(tmp_path: Path) -> None:
    def change(number: int, dataset: Dataset) -> None:
        set_pixels(dataset, HU[number].astype(np.uint16))
        encoded = imagecodecs.jpeg2k_encode(HU[number], level=0, codecformat="J2K", reversible=True)
        set_compressed(dataset, uid.JPEG2000Lossless, encapsulate([bytes(encoded)]))

    write_series(block_image(), tmp_path, change=change)
    with pytest.raises(InputError, match="says that values are unsigned, but some are negative"):
        read(tmp_path)


def test_signed_values_of_twelve_bits_in_jpeg_ls(tmp_path: Path) -> None:
    def change(number: int, dataset: Dataset) -> None:
        set_hu(dataset, HU[number], bits=12)
        encoded = imagecodecs.jpegls_encode(HU[number].astype(np.uint16) & 0xFFF)
        set_compressed(dataset, uid.JPEGLSLossless, encapsulate([bytes(encoded)]))

    write_series(block_image(), tmp_path, change=change)
    assert codes(tmp_path) == []


def test_an_offset_table_of_fragments(tmp_path: Path) -> None:
    """One frame in three fragments, each with an offset."""

    def change(number: int, dataset: Dataset) -> None:
        set_hu(dataset, HU[number])
        encoded = bytes(imagecodecs.jpegls_encode(HU[number].astype(np.uint16)))
        third = len(encoded) // 6 * 2
        parts = [encoded[:third], encoded[third : 2 * third], encoded[2 * third :]]
        set_compressed(dataset, uid.JPEGLSLossless, encapsulate(parts))  # as if these were three frames

    write_series(block_image(), tmp_path, change=change)
    assert codes(tmp_path) == []


def test_large_private_elements_are_not_kept(tmp_path: Path) -> None:
    dataset = ct_slice(block_image(), 0)
    dataset.private_block(0x29, "SCANNER", create=True).add_new(0x10, "OB", b"\0" * 1_000_000)
    dataset.save_as(tmp_path / "ct.dcm")
    (instance,) = read_headers([tmp_path / "ct.dcm"]).instances
    assert not any(tag.is_private for tag in instance.header)


@pytest.mark.parametrize("keyword", ["ImageType", "FrameOfReferenceUID", "SeriesDescription", "Modality"])
@pytest.mark.parametrize(
    "content",
    [
        b"\xfe\xff\x00\xe0\x10\0\0\0\x28\0\x10\0UI\x06\0\\AXIAL\0\0",  # a number of an impossible length
        b"\xfe\xff\x00\xe0\x0a\0\0\0\x38\x29\x30\x30\x02\0\0\0ab",  # an element that is not known
        b"\xff\xff",
    ],
)
@pytest.mark.filterwarnings("ignore:VR lookup failed")
def test_a_sequence_or_number_where_text_should_be(keyword: str, content: bytes, tmp_path: Path) -> None:
    def change(number: int, dataset: Dataset) -> None:
        tag = Tag(tag_for_keyword(keyword) or 0)
        kind = "SQ" if len(content) > 2 else "US"
        dataset._dict[tag] = RawDataElement(tag, kind, len(content), content, 0, False, True)

    write_series(block_image(), tmp_path, change=change)
    np.testing.assert_array_equal(read(tmp_path).array, HU)


def test_long_texts_are_cut_in_messages(tmp_path: Path) -> None:
    write_series(block_image(), tmp_path, change=in_all(("Modality", b"CT" * 20_000), ("Rows", b"")))
    with pytest.raises(InputError, match=r"only (CT){50,}C?… without pixels") as refusal:
        read(tmp_path)
    assert len(str(refusal.value)) < len(str(tmp_path)) + 400


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("keyword", "content", "message"),
    [
        ("PixelSpacing", b"1e-300\\1.5", "has the spacing .* expected at least 0.001 mm"),
        ("PixelSpacing", b"1e300\\1e300", "has a longest side of"),
        ("ImagePositionPatient", b"1e300\\0\\0", "has the origin"),
        ("ImageOrientationPatient", b"1e300\\0\\0\\0\\1e300\\0", "expected two perpendicular directions"),
    ],
)
def test_an_absurd_place(keyword: str, content: bytes, message: str, tmp_path: Path) -> None:
    """It is refused before anything is computed from it."""

    def change(number: int, dataset: Dataset) -> None:
        depth = str(3 * number).encode()
        put(dataset, keyword, content[:-1] + depth if keyword == "ImagePositionPatient" else content)

    write_series(block_image(), tmp_path, change=change)
    with pytest.raises(InputError, match=message):
        read(tmp_path)


@pytest.mark.filterwarnings("error")
def test_one_absurd_position(tmp_path: Path) -> None:
    """Also one that is not the first."""
    spoil = only(3, lambda dataset: put(dataset, "ImagePositionPatient", b"1e300\\0\\9"))
    write_series(block_image(), tmp_path, change=spoil)
    with pytest.raises(InputError, match=r"1-003\.dcm has the origin 1e\+300"):
        read(tmp_path)
