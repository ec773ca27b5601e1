"""Which GPU TensorRT works on: it takes the one that is current on the calling thread, number 0 at first."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from .. import _core
from ..errors import DeviceError
from .machine import Gpu


def current(gpu: Gpu | None) -> AbstractContextManager[object]:
    """Make `gpu` current on this thread; None leaves it as it is, for a build that asks no GPU.

    Raises DeviceError if the core was built without CUDA, and so cannot choose one other than number 0.
    """
    if gpu is not None and _core.build_info()["cuda"]:
        device: AbstractContextManager[object] = _core.CurrentDevice(gpu.index)
        return device
    if gpu is not None and gpu.index > 0:
        raise DeviceError(
            f"Engines cannot be built on cuda:{gpu.index}, for this build of efficientscn-trt has no CUDA "
            "core to choose a GPU with; install the CUDA toolkit and then the package again, from source, or "
            f"set CUDA_VISIBLE_DEVICES={gpu.index} and leave the device out."
        )
    return nullcontext()
