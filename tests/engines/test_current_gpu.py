"""A build runs on the GPU that was asked for: it is current wherever TensorRT is called."""

from __future__ import annotations

import dataclasses
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from support.engines import H100, RTX_4090, machine, use_fakes

from efficientscn_trt.bundle import Bundle
from efficientscn_trt.engines import BuildOptions, build, builder, current_gpu
from efficientscn_trt.engines.current_gpu import current
from efficientscn_trt.errors import DeviceError

SECOND = dataclasses.replace(H100, index=1)


class Cuda(threading.local):
    """The core's CUDA functions, with one current device per thread."""

    device = 0

    def build_info(self) -> dict[str, Any]:
        return {"cuda": "12.8"}

    def CurrentDevice(self, index: int) -> Any:
        cuda = self

        class Guard:
            def __enter__(self) -> None:
                self.before, cuda.device = cuda.device, index

            def __exit__(self, *error: object) -> None:
                cuda.device = self.before

        return Guard()


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Cuda:
    found = Cuda()
    monkeypatch.setattr(current_gpu, "_core", found)
    return found


@pytest.mark.parametrize(
    ("target", "gpu", "options", "device"),
    [
        ("tensorrt", SECOND, {}, 1),
        ("tensorrt-rtx", dataclasses.replace(RTX_4090, index=1), {"compute_capabilities": ("current",)}, 1),
        ("tensorrt-rtx", SECOND, {}, 0),
    ],
)
def test_every_call_of_a_build_finds_its_gpu_current(
    target: str,
    gpu: Any,
    options: dict[str, Any],
    device: int,
    bundle: Bundle,
    cuda: Cuda,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fakes = use_fakes(monkeypatch)
    monkeypatch.setattr(builder, "current", current)
    calls: list[tuple[int, int]] = []

    class Calls(list[Any]):
        def append(self, call: Any) -> None:
            calls.append((cuda.device, threading.get_ident()))

    fakes[target].calls = Calls()
    build.build_engines(bundle, target, BuildOptions(**options), machine=machine(gpu))
    assert {found for found, _ in calls} == {device}
    assert any(thread != threading.get_ident() for _, thread in calls)
    assert cuda.device == 0


def test_a_core_without_cuda_builds_on_the_first_gpu_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_gpu, "_core", SimpleNamespace(build_info=lambda: {"cuda": ""}))
    for gpu in (None, H100):
        with current(gpu):
            pass
    with pytest.raises(
        DeviceError,
        match=r"cannot be built on cuda:1, because this build .* has no CUDA core .*; "
        r"install the CUDA toolkit",
    ):
        current(SECOND)
