"""What decides which engines a machine can run: its platform, its GPU, and the installed TensorRT."""

from __future__ import annotations

import ctypes
import sys
import sysconfig
from dataclasses import dataclass, field

from ..errors import DeviceError
from .flavours import FLAVOURS, has_builder, installed

NO_GPU = "No NVIDIA GPU with a driver was found here."

_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, _MINOR
_LIBRARY = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"


@dataclass(frozen=True)
class Gpu:
    """One CUDA device. `compute_capability` is written "9.0", `memory` in bytes."""

    index: int
    name: str
    compute_capability: str
    memory: int


@dataclass(frozen=True)
class Machine:
    """Facts that decide which engine can run.

    `versions`: the version of each installed flavour of TensorRT, by name. `lean`: the flavours of which only
    the lean runtime is installed.
    """

    platform: str
    gpu: Gpu | None
    versions: dict[str, str] = field(default_factory=dict)
    lean: frozenset[str] = frozenset()


def this_machine(device: int = 0) -> Machine:
    """The facts of this machine with the CUDA device number `device`.

    Raises DeviceError if there is no such device. If there is no device 0, `gpu` is None.
    """
    gpus = find_gpus()
    gpu = next((gpu for gpu in gpus if gpu.index == device), None)
    if gpu is None and device > 0:
        raise DeviceError(
            f"There is no GPU {device} here: this machine has {len(gpus)}, counted from 0; name one of them."
        )
    found = {name: installed(flavour) for name, flavour in FLAVOURS.items()}
    modules = {name: module for name, module in found.items() if module is not None}
    versions = {name: str(module.__version__) for name, module in modules.items()}
    lean = frozenset(name for name, module in modules.items() if not has_builder(module))
    return Machine(this_platform(), gpu, versions, lean)


def this_platform() -> str:
    """Python's name of the system and the processor, such as "linux-x86_64"."""
    return sysconfig.get_platform()


def find_gpus() -> list[Gpu]:
    """The CUDA devices of this machine, by the driver; none where there is no driver."""
    try:
        driver = ctypes.CDLL(_LIBRARY)
    except OSError:
        return []
    return _ask(driver)


def _ask(driver: ctypes.CDLL) -> list[Gpu]:
    if driver.cuInit(0) != 0:
        return []
    count = ctypes.c_int()
    if driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return []
    return [_gpu(driver, index) for index in range(count.value)]


def _gpu(driver: ctypes.CDLL, index: int) -> Gpu:
    device, value, memory = ctypes.c_int(), ctypes.c_int(), ctypes.c_size_t()
    name = ctypes.create_string_buffer(256)
    driver.cuDeviceGet(ctypes.byref(device), index)
    driver.cuDeviceGetName(name, len(name), device)
    driver.cuDeviceTotalMem_v2(ctypes.byref(memory), device)
    capability = []
    for attribute in (_MAJOR, _MINOR):
        driver.cuDeviceGetAttribute(ctypes.byref(value), attribute, device)
        capability.append(value.value)
    return Gpu(index, name.value.decode(errors="replace"), "{}.{}".format(*capability), memory.value)
