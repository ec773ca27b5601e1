"""The picture: its slices, their orientation, and that it can always be drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from support.scans import BLOCKS, block_image, block_labels

from efficientscn_trt import OutputError
from efficientscn_trt.io.orientation import Geometry
from efficientscn_trt.organs import ScanRegion
from efficientscn_trt.organs.appearance import segments_of
from efficientscn_trt.page.planes import best_slices, organ_box, views
from efficientscn_trt.page.wording import format_ml
from efficientscn_trt.report.preview import draw, note_for, write
from efficientscn_trt.result import RegionOfInterest, Segmentation

HEAD, LEGEND = 120, 200  # rows of pixels above and below the slices
NAMES = {0: "background", 1: "liver", 2: "kidneys", 3: "spleen", 4: "pancreas"}


def _segmentation(
    labels: sitk.Image, names: dict[int, str] = NAMES, scan: sitk.Image | None = None
) -> Segmentation:
    """`labels` with a region that is the whole `scan`, by default of nothing but zeros."""
    array, geometry = sitk.GetArrayFromImage(labels), Geometry.of(labels)
    hu = np.zeros(array.shape, np.int16) if scan is None else sitk.GetArrayFromImage(scan)
    voxel_ml = float(np.prod(labels.GetSpacing())) / 1000
    return Segmentation(
        array=array,
        geometry=geometry,
        label_names=names,
        volumes_ml={
            name: np.count_nonzero(array == value) * voxel_ml for value, name in names.items() if value
        },
        box=RegionOfInterest((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (slice(0, 1), slice(0, 1), slice(0, 1))),
        device="cpu",
        precision="fp32",
        seconds={},
        peak_host_memory=0,
        region=ScanRegion.of(geometry.lps_view(hu), (0, 0, 0), geometry.lps_size),
    )


def _labels(array: np.ndarray | None = None) -> sitk.Image:
    image = sitk.GetImageFromArray(block_labels() if array is None else array)
    if array is None:
        image.CopyInformation(block_image())
    return image


def test_planes_lie_as_a_radiologist_expects() -> None:
    """Voxels at the patient's right, anterior and superior end, seen along LPS axes."""
    labels = np.zeros((9, 10, 11), np.uint8)
    labels[4, 5, :] = labels[4, :, 5] = labels[:, 5, 5] = 1
    scan = np.zeros(labels.shape)
    right, anterior, superior = 1, 2, 3
    scan[4, 5, 0], scan[4, 0, 5], scan[-1, 5, 5] = right, anterior, superior

    axial, coronal, sagittal = views(scan, labels, (3.0, 2.0, 1.0)).planes

    assert axial.scan[5, 0] == coronal.scan[4, 0] == right
    assert axial.scan[0, 5] == sagittal.scan[4, 0] == anterior
    assert coronal.scan[0, 5] == sagittal.scan[0, 5] == superior
    assert [plane.marks for plane in (axial, coronal, sagittal)] == [
        tuple("RLAP"),
        tuple("RLSI"),
        tuple("APSI"),
    ]
    assert [plane.size_mm for plane in (axial, coronal, sagittal)] == [(20, 11), (27, 11), (27, 20)]
    assert [plane.cut for plane in (axial, coronal, sagittal)] == [(5, 5), (5, 4), (5, 4)]


@pytest.mark.parametrize("orientation", ["RAS", "LPI", "SAL", "PIR"])
def test_every_orientation_gives_the_same_picture(orientation: str) -> None:
    pictures = []
    for code in ("LPS", orientation):
        scan, labels = (sitk.DICOMOrient(image, code) for image in (block_image(), _labels()))
        pixels = draw(_segmentation(labels, scan=scan), title="", note="").pixels
        pictures.append(pixels[HEAD:])
    first, second = pictures
    np.testing.assert_array_equal(first, second)


def test_slices_show_as_many_organs_as_they_can() -> None:
    labels = block_labels()
    z, _, _ = best_slices(labels, organ_box(labels))
    most = max(len(np.unique(section)) for section in labels)
    assert len(np.unique(labels[z])) == most
    start, stop = (np.array(corner) for corner in zip(*BLOCKS.values(), strict=True))
    box = organ_box(labels)
    assert box is not None
    assert [(part.start, part.stop) for part in box] == list(
        zip(start.min(axis=0).tolist(), stop.max(axis=0).tolist(), strict=True)
    )


def test_without_organs_the_middle_is_shown() -> None:
    nothing = np.zeros((8, 10, 13), np.uint8)
    assert organ_box(nothing) is None
    assert best_slices(nothing, None) == (4, 5, 6)
    assert views(nothing, nothing, (1.0, 1.0, 1.0)).planes[0].labels.shape == (10, 13)


def test_only_the_surroundings_of_the_organs_are_shown() -> None:
    labels = np.zeros((300, 40, 400), np.uint8)
    labels[150:160, 18:22, 200:210] = 1
    axial, coronal, _ = views(np.zeros(labels.shape), labels, (2.0, 5.0, 1.0)).planes
    assert axial.labels.shape == (14 + 4 + 14, 70 + 10 + 70)
    assert coronal.labels.shape == (35 + 10 + 35, 150)


@pytest.mark.parametrize("shape", [(2, 30, 40), (30, 2, 40), (2, 2, 2), (400, 20, 20), (3, 300, 4)])
@pytest.mark.parametrize("organs", [False, True])
def test_any_shape_can_be_drawn(shape: tuple[int, int, int], organs: bool, tmp_path: Path) -> None:
    labels = np.zeros(shape, np.uint8)
    if organs:
        labels[-1, -1, :] = 4
    path = tmp_path / "preview.png"
    write(path, _segmentation(_labels(labels)), title="x" * 300, note="n")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [file.name for file in tmp_path.iterdir()] == ["preview.png"]


def test_contours_have_the_papers_colours(tmp_path: Path) -> None:
    from matplotlib.image import imread

    path = tmp_path / "preview.png"
    write(path, _segmentation(_labels(), scan=block_image()), title="", note="")
    pixels = imread(path)[..., :3]
    for segment in segments_of(NAMES):
        wanted = np.array(segment.rgb) / 255
        assert (np.abs(pixels - wanted).max(axis=-1) < 0.02).sum() > 100, segment


def test_the_picture_is_to_scale() -> None:
    """The area of an organ in the axial slice, measured in the picture by its scale bar."""
    labels = np.zeros((8, 160, 200), np.uint8)
    labels[2:6, 40:120, 50:110] = 1
    labels[2:6, 60:90, 70:100] = 0  # a hole, with an island
    labels[2:6, 65:85, 75:95] = 1
    image = _labels(labels)
    image.SetSpacing((1.0, 1.5, 5.0))
    pixels = draw(_segmentation(image), title="", note="").pixels.astype(int)
    pixel_mm = 50 / _longest_run(np.abs(pixels[-60:] - (0x8B, 0x94, 0x9E)).max(axis=-1) < 2)
    axial = pixels[HEAD:-LEGEND, : pixels.shape[1] * 3 // 10]
    line = np.array([0xFF, 0x5A, 0x52])
    filled = np.abs(axial - (102 * 0.84 + line * 0.16)).max(axis=-1) < 3  # 0 HU is 102
    outlined = np.abs(axial - line).max(axis=-1) < 3
    area = (filled.sum() + outlined.sum() / 2) * pixel_mm**2
    assert area == pytest.approx((80 * 60 - 30 * 30 + 20 * 20) * 1.5, rel=0.03)


def _longest_run(mask: np.ndarray) -> int:
    """The most True side by side in a row of `mask`."""
    rows = ("".join("#" if pixel else " " for pixel in row) for row in mask)
    return max(len(run) for row in rows for run in row.split() or [""])


def test_a_region_beside_the_scan_is_black() -> None:
    segmentation = _segmentation(_labels(np.zeros((4, 5, 6), np.uint8)))
    nothing = ScanRegion(np.zeros((0, 5, 6), np.int16), (4, 0, 0), 3.0)
    assert draw(replace(segmentation, region=nothing), title="", note="").pixels.any()


def test_labels_of_other_bundles_get_colours_of_their_own() -> None:
    names = dict(enumerate(["background", "liver", "aorta", *(f"organ {i}" for i in range(20))]))
    segments = segments_of(names)
    assert [segment.value for segment in segments] == list(names)[1:]
    assert segments[0].colour == segments_of(NAMES)[0].colour
    assert len({segment.colour for segment in segments}) == len(segments)
    labels = np.zeros((4, 4, 4), np.uint8)
    labels[1, 1, 1] = 22
    draw(_segmentation(_labels(labels), names), title="", note="")


def test_volumes_read_as_in_a_report() -> None:
    assert [format_ml(value) for value in (0, 0.04, 86.44, 99.96, 1423.4)] == [
        "not found",
        "0.04 ml",
        "86.4 ml",
        "100.0 ml",
        "1423 ml",
    ]


def test_a_picture_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="there is no folder"):
        write(
            tmp_path / "no" / "p.png",
            _segmentation(_labels(np.zeros((4, 4, 4), np.uint8))),
            title="",
            note="",
        )


@pytest.mark.parametrize(
    ("provenance", "note"),
    [
        ({}, "For research; not a medical device."),
        ({"notice": "Knows nothing."}, "Knows nothing. For research; not a medical device."),
        ({"notice": "A demonstration, not a medical device."}, "A demonstration, not a medical device."),
    ],
)
def test_the_note_says_once_that_this_is_no_medical_device(
    tmp_path: Path, provenance: dict[str, str], note: str
) -> None:
    pytest.importorskip("onnx")
    from support.tiny_bundle import write_tiny_bundle

    bundle = write_tiny_bundle(tmp_path / "bundle", provenance=provenance)
    assert note_for(bundle.manifest) == note
