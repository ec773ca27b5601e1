"""A spacing is assumed where a file has none, and nowhere else, unless the bundle says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from nibabel.spm2analyze import Spm2AnalyzeHeader
from support.nifti import header_of, write, write_pair
from support.scans import block_array, block_image
from support.text_headers import NO_PLACE, write_metaimage, write_nrrd

from efficientscn_trt import Segmenter
from efficientscn_trt.bundle import UnknownSpacing
from efficientscn_trt.io.volume import open_scan
from efficientscn_trt.pipeline.spacing import network_spacing

#: Of the released code, (z, y, x). Source: docs/reference-pipeline.md
SUBSTITUTE = (2.52795318268203, 0.814528640267884, 0.814528640267884)
MILLIMETRE = (1.0, 1.0, 1.0)
LARGE = {**NO_PLACE, "sizes": "57 45 34"}


def _found(volume: Any, by_value: bool = False, **options: Any) -> tuple[Any, list[str]]:
    spacing, warnings = network_spacing(
        open_scan(volume, **options).geometry, UnknownSpacing(by_value=by_value)
    )
    return spacing, [warning.code for warning in warnings]


def _nifti(folder: Path, pixdim: float, **forms: Any) -> Path:
    array = block_array().transpose()
    header = header_of(array, **forms)
    header["pixdim"][1:4] = pixdim
    return write(folder / "ct.nii.gz", array, header)


def _analyze(folder: Path, pixdim: float) -> Path:
    array = block_array().transpose()
    header = header_of(array, kind=Spm2AnalyzeHeader)
    header["pixdim"][1:4] = pixdim
    return write_pair(folder / "ct.hdr", array, header)


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: _analyze(folder, 1),
        lambda folder: _analyze(folder, 0),
        lambda folder: _nifti(folder, 1, qform=None, sform=None),
        lambda folder: _nifti(folder, 0, qform=None, sform=None),
        lambda folder: write_nrrd(folder / "ct.nrrd", LARGE, block_array().tobytes()),
        lambda folder: write_nrrd(
            folder / "ct.nrrd", {**LARGE, "spacings": "NaN NaN NaN"}, block_array().tobytes()
        ),
        lambda folder: write_metaimage(
            folder / "ct.mha", {"DimSize": "57 45 34", "ElementSpacing": None}, block_array().tobytes()
        ),
    ],
)
@pytest.mark.parametrize("by_value", [False, True])
def test_files_without_a_spacing(make: Any, by_value: bool, segmenter: Segmenter, tmp_path: Path) -> None:
    path = make(tmp_path)
    assert _found(path, by_value) == (SUBSTITUTE, ["spacing-assumed"])
    result = segmenter.segment(path)
    message = next(warning.message for warning in result.warnings if warning.code == "spacing-assumed")
    assert message == (
        "The file does not say its spacing, so 0.8145 × 0.8145 × 2.528 mm was assumed for the segmentation "
        "and for volumes; save the scan with its spacing. The label map has the spacing 1 × 1 × 1 mm."
    )
    known = segmenter.segment(block_array(), spacing=SUBSTITUTE[::-1])
    np.testing.assert_array_equal(result.array, known.array)
    assert result.volumes_ml == known.volumes_ml
    assert set(np.unique(known.array)) == {0, 1, 2, 3, 4}


IDENTITY = np.diag([-1, -1, 1, 1.0])
MOVED = IDENTITY + np.array([[0, 0, 0, 25], *[[0] * 4] * 3])


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: _nifti(folder, 1, sform=MOVED, qform=None),
        lambda folder: _nifti(folder, 1, sform=None, qform=MOVED),
        lambda folder: write_nrrd(
            folder / "ct.nrrd",
            {"sizes": "57 45 34", "space directions": "(1,0,0) (0,1,0) (0,0,1)"},
            block_array().tobytes(),
        ),
        lambda folder: write_metaimage(
            folder / "ct.mha", {"DimSize": "57 45 34", "ElementSpacing": "1 1 1"}, block_array().tobytes()
        ),
    ],
)
def test_a_spacing_of_1_mm_is_taken(make: Any, segmenter: Segmenter, tmp_path: Path) -> None:
    """A scan that was resampled."""
    path = make(tmp_path)
    assert _found(path) == (MILLIMETRE, [])
    assert _found(path, by_value=True) == (SUBSTITUTE, ["spacing-assumed"])
    result = segmenter.segment(path)
    assert result.volumes_ml["liver"] == pytest.approx(np.equal(result.array, 1).sum() / 1000)


def test_a_spacing_that_was_never_given(tmp_path: Path) -> None:
    """Taken, but doubtful: these are the defaults of SimpleITK and of nibabel's users."""
    image = sitk.GetImageFromArray(block_array())
    volumes: list[tuple[Any, dict[str, Any]]] = [
        (image, {}),
        (block_array(), {"spacing": MILLIMETRE}),
        (_nifti(tmp_path, 1, sform=IDENTITY, qform=None), {}),
        (_nifti(tmp_path, 1, sform=np.eye(4), qform=None), {}),
    ]
    for volume, options in volumes:
        assert _found(volume, **options) == (MILLIMETRE, ["spacing-doubtful"])
        assert _found(volume, by_value=True, **options) == (SUBSTITUTE, ["spacing-assumed"])
    image.SetOrigin((0, 0, 5))
    assert _found(image) == (MILLIMETRE, [])


def test_the_released_behaviour(tiny_bundle: Any, tmp_path: Path) -> None:
    """A bundle's switch: as in the released code, a spacing of exactly 1 mm counts as unknown."""
    image = block_image()
    image.SetSpacing(MILLIMETRE)
    released = Segmenter(tiny_bundle)
    pipeline = replace(tiny_bundle.manifest.pipeline, unknown_spacing=UnknownSpacing(by_value=True))
    released.bundle = replace(tiny_bundle, manifest=replace(tiny_bundle.manifest, pipeline=pipeline))
    result = released.segment(image)
    (warning,) = result.warnings
    assert warning.message == (
        "The spacing is exactly 1 × 1 × 1 mm, which this bundle takes as unknown, so 0.8145 × 0.8145 × 2.528 "
        "mm was assumed for the segmentation and for volumes; if it is right, use a bundle whose "
        '"unknown_spacing" is not "by_value" (export --parameters). The label map has the spacing 1 × 1 × 1 '
        "mm."
    )
    assert result.image.GetSpacing() == MILLIMETRE
    image.SetSpacing(SUBSTITUTE[::-1])
    known = released.segment(image)
    assert known.warnings == []
    np.testing.assert_array_equal(result.array, known.array)
    assert result.volumes_ml == known.volumes_ml
