"""Find the GPU that the core can run on. Without one, nothing that is for GPUs is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _core
from ..errors import DeviceError
from .forks import check_cuda, note_cuda

if TYPE_CHECKING:
    from ..engines import Gpu


def require_gpu(index: int) -> Gpu:
    """The GPU number `index`. Raises DeviceError if the core cannot run on it."""
    check_cuda()
    status = _core.cuda_status()
    if status["problem"]:
        raise DeviceError(status["problem"])
    note_cuda()
    if index >= len(status["devices"]):
        raise DeviceError(
            f"There is no GPU {index} here: this machine has {len(status['devices'])}, counted from 0."
        )
    device = status["devices"][index]
    if device["problem"]:
        raise DeviceError(device["problem"])
    from ..engines.machine import Gpu

    return Gpu(index, device["name"], "{}.{}".format(*device["compute_capability"]), device["memory"])
