"""The HU of NIfTI and Analyze files are those that nibabel reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spm2analyze import Spm2AnalyzeHeader
from support.nifti import header_of, load, noise, write, write_pair

from efficientscn_trt.io.reading import read

DTYPES = [np.dtype(f"{kind}{size}") for kind in "iu" for size in (1, 2, 4, 8)] + [
    np.dtype("f4"),
    np.dtype("f8"),
]
NAMES = ["ct.nii", "ct.nii.gz", "ct.hdr", "CT.HDR", "ct.hdr.gz"]


@given(
    dtype=st.sampled_from(DTYPES),
    kind=st.sampled_from([Nifti1Header, Nifti2Header]),
    endianness=st.sampled_from("<>"),
    name=st.sampled_from(NAMES),
    slope=st.sampled_from([0.0, 1.0, 1.0, 2.0, 0.37, -1.0, float("nan"), float("inf")]),
    intercept=st.sampled_from([0.0, 0.0, -1024.0, 0.5]),
    bitpix=st.sampled_from([None, 0, 7, 64]),
    sizeof=st.sampled_from([None, 0, 1]),
    trailing=st.sampled_from([(1, 1, 1, 1), (0, 0, 0, 0)]),
)
def test_any_type_order_and_scale(
    dtype: np.dtype,
    kind: type[Nifti1Header],
    endianness: str,
    name: str,
    slope: float,
    intercept: float,
    bitpix: int | None,
    sizeof: int | None,
    trailing: tuple[int, ...],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path, array = tmp_path_factory.mktemp("nifti") / name, noise(dtype=dtype)
    fields: dict[str, Any] = {"scl_slope": slope, "scl_inter": intercept}
    fields |= {} if bitpix is None else {"bitpix": bitpix}
    fields |= {} if sizeof is None or kind is Nifti2Header else {"sizeof_hdr": sizeof}
    header = header_of(array, kind=kind, endianness=endianness, **fields)
    header["dim"][4:] = trailing
    (write_pair if "hdr" in name.lower() else write)(path, array, header)
    scan = read(path)
    expected = np.asarray(load(path).dataobj)
    np.testing.assert_allclose(scan.array.transpose(), expected, rtol=1e-6, atol=1e-6)
    if scan.array.dtype.kind in "iu":
        np.testing.assert_array_equal(scan.array.transpose(), expected)
    assert scan.array.dtype.isnative
    assert scan.warnings == []


@pytest.mark.parametrize(
    ("stored", "slope", "intercept", "becomes"),
    [
        ("int16", 1, 0, "int16"),
        ("uint8", 2, -1024, "int16"),
        ("int8", 1, 1000, "int16"),
        ("uint8", 256, 0, "uint16"),
        ("uint16", 1, -1024, "int32"),
        ("int16", 0.5, 0, "float32"),
        ("int32", 1, -1024, "float32"),
        ("float64", 1, -1024, "float32"),
    ],
)
def test_the_type_holds_all_that_can_be_stored(
    stored: str, slope: float, intercept: float, becomes: str, tmp_path: Path
) -> None:
    array = noise(dtype=stored)
    scan = read(write(tmp_path / "ct.nii", array, header_of(array, scl_slope=slope, scl_inter=intercept)))
    assert scan.array.dtype == becomes
    np.testing.assert_array_equal(scan.array.transpose(), array * np.float64(slope) + intercept)


@pytest.mark.parametrize("slope", [0.0, float("nan")])
def test_an_intercept_without_a_slope_counts_for_nothing(slope: float, tmp_path: Path) -> None:
    """As the standard says: if the slope is 0, there is no scaling."""
    array = noise()
    scan = read(write(tmp_path / "ct.nii", array, header_of(array, scl_slope=slope, scl_inter=-1024)))
    np.testing.assert_array_equal(scan.array.transpose(), array)
    assert scan.array.dtype == np.int16


@pytest.mark.parametrize("endianness", "<>")
@pytest.mark.parametrize("name", ["ct.hdr", "ct.img", "ct.img.gz", "CT.IMG"])
def test_analyze(name: str, endianness: str, tmp_path: Path) -> None:
    array = noise()
    header = header_of(array, kind=Spm2AnalyzeHeader, endianness=endianness, scl_slope=2)
    hdr = tmp_path / name.replace("img", "hdr").replace("IMG", "HDR")
    write_pair(hdr, array, header)
    scan = read(tmp_path / name)
    np.testing.assert_array_equal(scan.array.transpose(), np.asarray(load(hdr).dataobj))
    assert scan.geometry.spacing == (1.5, 2, 3)
