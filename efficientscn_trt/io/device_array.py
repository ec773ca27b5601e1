"""Arrays in GPU memory: those of other libraries, and label maps that stay there.

The protocol is Numba's CUDA Array Interface, versions 2 and 3. PyCUDA, CuPy, Numba and torch implement it.
"""

from __future__ import annotations

import operator
import sys
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from .. import _core
from ..errors import InputError
from ..triples import Size
from .wording import excerpt

MASKED = "The array has a mask, expected one without; fill the voxels that are masked out."

#: The legacy default stream, as a handle for CUDA.
LEGACY_STREAM = 1


@dataclass(frozen=True)
class DeviceArray:
    """An array of another library. `view` has its address, shape, dtype and strides; its voxels must not be
    read through it. `stream` is the stream of the work that fills the array."""

    view: np.ndarray
    stream: int
    owner: object


def is_device_array(value: object) -> bool:
    """Whether `value` says that it is in GPU memory."""
    try:
        return hasattr(value, "__cuda_array_interface__")
    except Exception:  # torch refuses it for a tensor that needs a gradient; `device_array` says why
        return True


def device_array(value: Any) -> DeviceArray:
    """Describe an array of another library, without a copy. Raises InputError."""
    try:
        interface = dict(value.__cuda_array_interface__)
    except Exception as error:
        raise InputError(f"The array does not say where it is on a GPU: {excerpt(str(error))}.") from error
    if interface.get("mask") is not None:
        raise InputError(MASKED)
    try:
        dtype = np.dtype(str(interface["typestr"]))
        address = operator.index(interface["data"][0])
        shape = tuple(map(operator.index, interface["shape"]))
        strides = interface.get("strides")
        if strides is not None:
            strides = tuple(map(operator.index, strides))
        stream = operator.index(interface.get("stream") or 0)
        if address < 1 or not 0 <= stream < 1 << 64:
            raise ValueError(f"data at {address}, stream {stream}")
        if dtype.itemsize and (address % dtype.itemsize or any(s % dtype.itemsize for s in strides or ())):
            raise InputError("The array is not aligned to its data type; pass a copy of it.")
        view = address_view(address, shape, dtype, strides)
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"The array's `__cuda_array_interface__` is not that of an array ({excerpt(repr(error))}); pass "
            "an array of PyCUDA, CuPy, Numba or torch."
        ) from error
    return DeviceArray(view, _stream_of(value, stream), value)


def _stream_of(value: Any, said: int) -> int:
    """The stream of the work that fills `value`; the legacy default stream where the array has `said` 0.

    In the protocol, None means that no wait is needed. But PyCUDA also gives None for arrays that its kernels
    still write on the legacy default stream, and version 2 says nothing. Waiting for an idle stream costs
    nothing, so the legacy default stream is always waited for. It also waits for the per-thread default
    stream, so it is right for 0 as well, which the protocol forbids because 0 could mean either.
    """
    if said:
        return said
    torch = sys.modules.get("torch")  # it implements version 2
    if torch is not None and isinstance(value, torch.Tensor):
        return torch.cuda.current_stream(value.device).cuda_stream or LEGACY_STREAM
    return LEGACY_STREAM


def address_view(
    address: int, shape: tuple[int, ...], dtype: Any, strides: tuple[int, ...] | None = None
) -> np.ndarray:
    """A NumPy array with an address in GPU memory. It may be transposed and flipped, but never read."""

    interface = {
        "version": 3,
        "data": (address, False),
        "shape": tuple(shape),
        "typestr": np.dtype(dtype).str,
        "strides": None if strides is None else tuple(strides),
    }
    return np.asarray(SimpleNamespace(__array_interface__=interface))


def on_host(view: np.ndarray, device: int) -> np.ndarray:
    """A copy of what `view` has in the memory of a GPU, with all that lies between its voxels.

    Nothing may still be writing there.
    """
    if not view.size:
        return np.empty(view.shape, view.dtype)
    spans = [stride * (size - 1) for stride, size in zip(view.strides, view.shape, strict=True)]
    address = view.__array_interface__["data"][0]
    before = -sum(span for span in spans if span < 0)
    after = sum(span for span in spans if span > 0) + view.itemsize
    with _core.CurrentDevice(device):
        memory = _core.read_device(address - before, before + after)
    return np.ndarray(view.shape, view.dtype, memory.data, before, view.strides)


class DeviceLabels:
    """A label map, uint8 [z, y, x], in GPU memory.

    Any library that reads `__cuda_array_interface__` can use it without a copy; `numpy.asarray` copies it to
    the host. The memory is freed with the object.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, shape: Size, device: int) -> None:
        self.shape = shape
        self.device = device
        self._block = _core.DeviceBlock(int(np.prod(shape)), device)

    @property
    def __cuda_array_interface__(self) -> dict[str, object]:
        return {
            "version": 3,
            "data": (self._block.address, False),
            "shape": self.shape,
            "typestr": "|u1",
            "strides": None,
            "stream": None,  # the labels were written before the run returned
        }

    def view(self) -> np.ndarray:
        """The address of the memory, as `address_view` gives it."""
        return address_view(self._block.address, self.shape, self.dtype)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("The label map is on a GPU, so NumPy cannot use it without a copy.")
        labels: np.ndarray = self._block.copy().reshape(self.shape)
        return labels if dtype is None else labels.astype(dtype, copy=False)

    def __repr__(self) -> str:
        z, y, x = self.shape
        return f"<DeviceLabels {z}×{y}×{x} on cuda:{self.device}>"
