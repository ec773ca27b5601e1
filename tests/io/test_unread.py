"""What is known of a scan before its voxels are read, in each form: dtype, place, and memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from support import nifti
from support.dicom import enhanced_ct, write_series
from support.scans import SPACING_XYZ, block_array, block_image
from support.text_headers import write_nrrd

from efficientscn_trt import InputError
from efficientscn_trt.io.unread import Unread
from efficientscn_trt.io.volume import Scan, open_scan

_BUFFERS = 12 << 20  # bytes: streams, headers, and the words of a text
_LARGE = np.tile(block_array(), (4, 4, 4))


def _image(dtype: Any = np.int16, direction: tuple[float, ...] | None = None) -> sitk.Image:
    image = sitk.GetImageFromArray(_LARGE.astype(dtype))
    image.SetSpacing((1.0, 0.9, 1.25))
    image.SetOrigin((-101.25, 33.1, -700.7))
    if direction:
        image.SetDirection(direction)
    return image


def _by_itk(ending: str, dtype: Any = np.int16, compressed: bool = False) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / f"ct{ending}"
        sitk.WriteImage(_image(dtype), str(path), useCompression=compressed)
        return path

    return write


def _sizes(voxels: np.ndarray) -> str:
    return " ".join(map(str, voxels.shape[::-1]))


def _text(folder: Path) -> Path:
    voxels = np.tile(block_array(), (1, 2, 2))  # numbers are parsed word by word
    words = " ".join(map(str, voxels.ravel())).encode()
    return write_nrrd(folder / "ct.nrrd", {"encoding": "text", "sizes": _sizes(voxels)}, words)


def _hex(folder: Path) -> Path:
    return write_nrrd(
        folder / "ct.nrrd", {"encoding": "hex", "sizes": _sizes(_LARGE)}, _LARGE.tobytes().hex().encode()
    )


def _scaled(folder: Path) -> Path:
    stored = (_LARGE + 1024).transpose(2, 1, 0)
    header = nifti.header_of(stored, scl_slope=1.0, scl_inter=-1024.0)
    return nifti.write(folder / "ct.nii.gz", stored, header)


def _tilted(folder: Path) -> Path:
    affine = np.array([[-1, 0, 0, 0], [0, -0.9, -0.3, 0], [0, 0, 1.2, 0], [0, 0, 0, 1.0]])
    import nibabel

    nibabel.save(nibabel.Nifti1Image(_LARGE.transpose(2, 1, 0), affine), folder / "ct.nii")
    return folder / "ct.nii"


def _series(folder: Path) -> Path:
    write_series(_image(), folder / "ct")
    return folder / "ct"


def _multi_frame(folder: Path) -> Path:
    path = folder / "ct.dcm"
    enhanced_ct(_image()).save_as(path)
    return path


_FORMS: dict[str, Callable[[Path], Path]] = {
    "NIfTI": _by_itk(".nii"),
    "NIfTI, compressed": _by_itk(".nii.gz", np.float32),
    "NIfTI of a type that is converted": _by_itk(".nii", np.float64),
    "NIfTI, rescaled": _scaled,
    "NIfTI, tilted": _tilted,
    "NRRD": _by_itk(".nrrd", np.int32, compressed=True),
    "NRRD in text": _text,
    "NRRD in hexadecimal": _hex,
    "MetaImage": _by_itk(".mha", np.uint16),
    "MetaImage of a type that is converted": _by_itk(".mha", np.int64, compressed=True),
    "DICOM": _series,
    "DICOM, multi-frame": _multi_frame,
}


def _opened(volume: Any, **options: Any) -> tuple[Unread, Scan, int]:
    """What was known, the scan, and the most that NumPy and Python took meanwhile."""
    seen: list[Unread] = []
    tracemalloc.start()
    try:
        scan = open_scan(volume, threads=1, admit=seen.append, values=False, **options)
        return seen[0], scan, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("form", _FORMS)
def test_a_file(form: str, tmp_path: Path) -> None:
    path = _FORMS[form](tmp_path)
    open_scan(path, values=False)  # imports what it needs
    unread, scan, taken = _opened(path)
    assert unread.geometry.size == scan.geometry.size == scan.array.shape[::-1]
    np.testing.assert_allclose(unread.geometry.spacing, scan.geometry.spacing)
    assert (unread.dtype, unread.held) == (scan.array.dtype, scan.array.nbytes)
    assert (unread.kept > 0) == (form == "NIfTI, tilted")  # the library that resamples
    assert unread.held <= unread.reading
    if form != "NIfTI, tilted":  # which ITK resamples, in memory of its own
        assert taken <= unread.reading + _BUFFERS


@pytest.mark.parametrize(("dtype", "native"), [("i2", "i2"), ("f4", "f4"), ("f8", "f4"), (">i2", "i2")])
def test_an_array_of_the_callers(dtype: str, native: str) -> None:
    array = _LARGE.astype(dtype)
    unread, scan, taken = _opened(array, spacing=SPACING_XYZ[::-1])
    assert unread.kept == array.nbytes
    assert unread.held == unread.reading == (0 if dtype == native else scan.array.nbytes)
    assert taken <= unread.reading + _BUFFERS


def test_an_image_of_the_callers() -> None:
    unread, _, taken = _opened(_image())
    assert (unread.kept, unread.held, unread.reading) == (_LARGE.nbytes, 0, 0)
    assert taken <= _BUFFERS


@pytest.mark.parametrize("form", _FORMS)
def test_what_is_refused_is_not_read(form: str, tmp_path: Path) -> None:
    path = _FORMS[form](tmp_path)
    open_scan(path, values=False)
    largest = 0

    def refuse(scan: Unread) -> None:
        nonlocal largest
        largest = tracemalloc.get_traced_memory()[1]
        raise InputError("It is too large.")

    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="too large"):
            open_scan(path, threads=1, admit=refuse)
    finally:
        tracemalloc.stop()
    assert largest < _BUFFERS


def test_a_place_that_cannot_be_is_refused_first() -> None:
    image = block_image()
    image.SetSpacing((900.0, 900.0, 900.0))
    with pytest.raises(InputError, match="expected 10 to 5000 mm"):
        open_scan(image, admit=lambda scan: pytest.fail("it was admitted"))
