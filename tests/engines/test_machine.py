"""GPUs are found through the driver's library, and a missing driver is no error."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest
from support.fake_runtime import fake_runtime
from support.fake_tensorrt import fake_tensorrt

from efficientscn_trt.engines import machine
from efficientscn_trt.engines.machine import Gpu, find_gpus, this_machine
from efficientscn_trt.errors import DeviceError


class Driver:
    """libcuda with two GPUs."""

    def __init__(self, *, code: int = 0) -> None:
        self.code = code

    def cuInit(self, flags: int) -> int:
        return self.code

    def cuDeviceGetCount(self, count: Any) -> int:
        count._obj.value = 2
        return 0

    def cuDeviceGet(self, device: Any, index: int) -> int:
        device._obj.value = index
        return 0

    def cuDeviceGetName(self, name: Any, size: int, device: Any) -> int:
        name.value = (b"NVIDIA H100", b"NVIDIA GeForce RTX 5090")[device.value]
        return 0

    def cuDeviceTotalMem_v2(self, memory: Any, device: Any) -> int:
        memory._obj.value = (80 << 30, 32 << 30)[device.value]
        return 0

    def cuDeviceGetAttribute(self, value: Any, attribute: int, device: Any) -> int:
        value._obj.value = {75: (9, 12), 76: (0, 0)}[attribute][device.value]
        return 0


def test_gpus_by_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Driver())
    gpus = [Gpu(0, "NVIDIA H100", "9.0", 80 << 30), Gpu(1, "NVIDIA GeForce RTX 5090", "12.0", 32 << 30)]
    assert find_gpus() == gpus
    monkeypatch.setattr(machine, "installed", lambda flavour: None)
    assert this_machine(1).gpu == gpus[1]
    with pytest.raises(
        DeviceError, match=r"There is no GPU 2 here: this machine has 2, counted from 0; name one of them\."
    ):
        this_machine(2)


def test_a_driver_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Driver(code=100))
    assert find_gpus() == []


def test_no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert find_gpus() == []


def test_versions_are_those_of_what_can_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "find_gpus", list)
    modules = {"tensorrt-rtx": fake_tensorrt("1.7.1.116")}
    monkeypatch.setattr(machine, "installed", lambda flavour: modules.get(flavour.name))
    assert this_machine().versions == {"tensorrt-rtx": "1.7.1.116"}
    assert this_machine().lean == frozenset()


def test_a_package_without_a_builder_is_the_lean_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "find_gpus", list)
    modules = {"tensorrt": fake_runtime("11.4.0.106"), "tensorrt-rtx": fake_tensorrt("1.7.1.116")}
    monkeypatch.setattr(machine, "installed", lambda flavour: modules.get(flavour.name))
    assert this_machine().lean == {"tensorrt"}
