"""Choose the GPU that TensorRT uses: the one that is current on the calling thread, number 0 by default."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from .. import _core
from ..errors import DeviceError
from .machine import Gpu


def current(gpu: Gpu | None) -> AbstractContextManager[object]:
    """Make `gpu` current on this thread; None changes nothing, for a build that needs no GPU.

    Raises DeviceError for any GPU but number 0 if the core was built without CUDA and cannot choose one.
    """
    if gpu is not None and _core.build_info()["cuda"]:
        device: AbstractContextManager[object] = _core.CurrentDevice(gpu.index)
        return device
    if gpu is not None and gpu.index > 0:
        raise DeviceError(
            f"Engines cannot be built on cuda:{gpu.index}, because this build of efficientscn-trt has no "
            "CUDA core to choose a GPU with; install the CUDA toolkit and then the package again, from "
            f"source, or set CUDA_VISIBLE_DEVICES={gpu.index} and leave the device out."
        )
    return nullcontext()
