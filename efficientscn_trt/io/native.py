"""The dtypes of voxels that the core reads in place, and the conversion of all others."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from .intensities import check_possible

NATIVE = frozenset({"int16", "uint8", "uint16", "int32", "float32"})
_CONVERTED = {
    "bool": "uint8",
    "int8": "int16",
    "uint32": "int32",
    "int64": "int32",
    "uint64": "int32",
    "float16": "float32",
    "float64": "float32",
}


def native_dtype(dtype: np.dtype) -> np.dtype | None:
    """The dtype in which the core reads voxels of `dtype`, None if there is none."""
    name = dtype.name if dtype.name in NATIVE else _CONVERTED.get(dtype.name)
    return np.dtype(name) if name else None


def to_native(array: np.ndarray, name: str) -> np.ndarray:
    """`array` itself if it is aligned and the core reads its dtype, else one converted copy.

    `name` is what a message calls it. Raises InputError.
    """
    target = native_dtype(array.dtype)
    if target is None:
        raise InputError(
            f"{name} has voxels of the type {array.dtype}, expected whole numbers or floats (HU)."
        )
    if array.dtype.kind in "iu" and target.kind == "i":
        # Checked before the conversion, which would wrap such values around into possible ones.
        check_possible(name, float(array.min()), float(array.max()))
    with np.errstate(over="ignore", invalid="ignore"):  # beyond float32 counts as infinite
        return array.astype(target, copy=not array.flags.aligned)
