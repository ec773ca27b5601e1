"""pydicom's own sample files are read right or refused in a sentence."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from support.dicom import SAMPLES

from efficientscn_trt import InputError
from efficientscn_trt.io.dicom.files import Instance, read_headers
from efficientscn_trt.io.dicom.frames import frames_of
from efficientscn_trt.io.dicom.pixels import read_pixels
from efficientscn_trt.io.dicom.stored import StoredPixels
from efficientscn_trt.io.reading import read

FILES = sorted(str(path.relative_to(SAMPLES)) for path in SAMPLES.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", FILES)
def test_each_sample_alone(name: str) -> None:
    """None is a whole scan, so each is refused."""
    with warnings.catch_warnings(), pytest.raises(InputError) as caught:
        warnings.simplefilter("ignore")  # pydicom's, of what is odd in its samples
        read(SAMPLES / name)
    assert "\n" not in str(caught.value)


def _grey() -> list[str]:
    """The samples with one value per pixel that pydicom decodes itself."""
    names = []
    for name in FILES:
        try:
            dataset = dcmread(SAMPLES / name)
            whole = dataset.SamplesPerPixel == 1 and dataset.BitsAllocated in (8, 16, 32)
            if whole and dataset.pixel_array.ndim in (2, 3):
                names.append(name)
        except Exception:  # no image, or one that pydicom does not read
            continue
    return names


@pytest.mark.parametrize("name", _grey())
def test_pixels_are_those_that_pydicom_reads(name: str) -> None:
    dataset = dcmread(SAMPLES / name)
    (instance,) = read_headers([SAMPLES / name]).instances
    pixels, _ = read_pixels(StoredPixels.of(_frames(instance)), threads=1)
    slope, intercept = float(dataset.get("RescaleSlope", 1)), float(dataset.get("RescaleIntercept", 0))
    expected = np.atleast_3d(dataset.pixel_array.astype(np.float64)) * slope + intercept
    np.testing.assert_allclose(pixels, expected.reshape(pixels.shape), rtol=1e-6)


def _frames(instance: Instance) -> list:
    """Also those of a file that does not describe each."""
    try:
        return frames_of(instance)
    except InputError:
        from dataclasses import replace

        count, instance.header.NumberOfFrames = int(instance.header.NumberOfFrames), 1
        (frame,) = frames_of(instance)
        instance.header.NumberOfFrames = count
        return [replace(frame, index=index) for index in range(count)]


@pytest.mark.parametrize("name", ["DICOMDIR", "DICOMDIR-implicit"])
def test_a_dicomdir_without_its_study(name: str, tmp_path: Path) -> None:
    shutil.copy(SAMPLES / "dicomdirtests" / name, tmp_path)
    with pytest.raises(
        InputError, match=rf"{name} is a DICOMDIR, a list of \d+ images, but not the images; give"
    ):
        read(tmp_path / name)


def test_the_study_of_a_dicomdir() -> None:
    """A study with CT series, by pydicom: they are too short to be one scan, or are several."""
    with pytest.raises(InputError, match="has 2 CT series"):
        read(SAMPLES / "dicomdirtests" / "DICOMDIR")
