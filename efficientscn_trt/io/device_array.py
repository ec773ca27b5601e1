"""Arrays in GPU memory: those of other libraries, and label maps that stay there.

The protocol is Numba's CUDA Array Interface, versions 2 and 3. PyCUDA, CuPy, Numba and torch implement it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from .. import _core
from ..errors import InputError
from ..triples import Size

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
    return hasattr(value, "__cuda_array_interface__")


def device_array(value: Any) -> DeviceArray:
    """Describe an array of another library, without a copy. Raises InputError."""
    interface = value.__cuda_array_interface__
    if interface.get("mask") is not None:
        raise InputError(MASKED)
    dtype = np.dtype(interface["typestr"])
    address = interface["data"][0]
    strides = interface.get("strides")
    if address % dtype.itemsize or any(stride % dtype.itemsize for stride in strides or ()):
        raise InputError("The array is not aligned to its data type; pass a copy of it.")
    view = address_view(address, interface["shape"], dtype, strides)
    return DeviceArray(view, _stream_of(value, interface), value)


def _stream_of(value: Any, interface: dict[str, Any]) -> int:
    """The stream of the work that fills `value`; the legacy default stream where the array does not say.

    In the protocol, None means that no wait is needed. But PyCUDA also gives None for arrays that its kernels
    still write on the legacy default stream, and version 2 says nothing. Waiting for an idle stream costs
    nothing, so the legacy default stream is always waited for. It also waits for the per-thread default
    stream, so it is right for 0 as well, which the protocol forbids because 0 could mean either.
    """
    if stream := interface.get("stream"):
        return int(stream)
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
