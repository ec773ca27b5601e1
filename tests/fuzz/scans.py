"""What must come of any scan: a refusal in one sentence, or what another reader reads."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from support.nifti import affine_of

from efficientscn_trt import InputError
from efficientscn_trt.io.image import Image
from efficientscn_trt.io.reading import read
from efficientscn_trt.io.shear import is_sheared
from efficientscn_trt.io.signatures import is_zip
from efficientscn_trt.io.volume import Scan, open_scan
from fuzz.files import laid_out, unpacked

LONGEST_SENTENCE = 2000
#: Codes of warnings that other programs may lay the scan elsewhere.
_DOUBTFUL_PLACE = {"forms-differ", "orientation-assumed", "spacing-doubtful", "units-converted"}
#: HU [x, y, z] and the affine from indices to mm in RAS (None: unknown), as another library reads them.
Reading = tuple[np.ndarray, "np.ndarray | None"]


def check_sentence(sentence: str) -> None:
    """One that a terminal can show."""
    assert sentence.strip(), "an empty message"
    assert sentence.isprintable(), f"control characters in {sentence!r}"
    assert len(sentence) < LONGEST_SENTENCE, f"{len(sentence)} characters: {sentence[:300]}"


def opened(path: Path) -> tuple[Image, Scan] | None:
    """What is read of `path`, and what the networks would see. None if it is refused."""
    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always")
        try:
            image = read(path, threads=1)
            scan = open_scan(path, threads=1)
        except InputError as error:
            check_sentence(str(error))
            return None
        finally:
            numeric = [remark.message for remark in remarks if issubclass(remark.category, RuntimeWarning)]
            assert not numeric, numeric
    for warning in scan.warnings:
        check_sentence(warning.message)
    return image, scan


def check_file(data: bytes, name: str, other: Callable[[Path], Reading | None]) -> None:
    """Read `data` as a file called `name`. `other` reads it independently; None if that has no meaning."""
    with tempfile.TemporaryDirectory(prefix="escn-fuzz-") as folder:
        path = laid_out(unpacked(data) if is_zip(data) else {name: data}, Path(folder))
        found = path and opened(path)
        if not path or not found:
            return
        image, _ = found
        expected = other(path)
        if expected is not None:
            hu, affine = expected
            warned = any(warning.code in _DOUBTFUL_PLACE for warning in image.warnings)
            compare(image, hu, None if warned else affine)


def compare(image: Image, hu: np.ndarray, affine: np.ndarray | None) -> None:
    """Raise an AssertionError unless `image` has these HU at this place."""
    np.testing.assert_allclose(image.array.transpose(), hu, rtol=2e-6, atol=1e-3)
    if affine is not None and not is_sheared(image.geometry):
        ours = affine_of(image.geometry)
        tolerance = 1e-4 * max(1.0, float(np.abs(affine).max()))
        np.testing.assert_allclose(ours, affine, rtol=0, atol=tolerance)
