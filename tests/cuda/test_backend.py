"""One sentence says why `Segmenter` cannot use a GPU; without a GPU, "auto" takes the CPU."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from support.scans import SPACING_XYZ, block_array

from efficientscn_trt import DeviceError, InputError, Segmenter, _core
from efficientscn_trt.bundle import Bundle

from .test_device_array import exposed


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFICIENTSCN_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def on_cpu(tiny_bundle: Bundle) -> Segmenter:
    return Segmenter(tiny_bundle, device="cpu", precision="fp32")


def test_what_the_cpu_does_not_do(on_cpu: Segmenter) -> None:
    with pytest.raises(InputError, match=r'is on a GPU, but the networks run on the CPU; .* device="cuda"'):
        on_cpu.segment(exposed(block_array()), spacing=SPACING_XYZ)
    with pytest.raises(InputError, match='only if they are computed there; use device="cuda"'):
        on_cpu.segment(block_array(), spacing=SPACING_XYZ, keep_on_device=True)


def usable(**changes: Any) -> dict[str, Any]:
    """What `cuda_status` returns on a machine with one H100."""
    gpu = {"name": "H100", "compute_capability": (9, 0), "memory": 80 << 30, "problem": ""}
    return {"built": True, "architectures": "90-real", "devices": [gpu], "problem": ""} | changes


OF_ANOTHER_GPU = _core.cuda_problem(
    0, driver=13000, runtime=13000, architectures="75-real", devices=[("H100", 9, 0)]
)


@pytest.mark.parametrize(
    ("device", "status", "message"),
    [
        ("cuda", usable(problem="There is no NVIDIA driver on this machine."), "no NVIDIA driver"),
        ("cuda:1", usable(), "There is no GPU 1 here: this machine has 1, counted from 0"),
        (
            "cuda:1",
            usable(devices=[*usable()["devices"], {"problem": OF_ANOTHER_GPU}]),
            r"The H100 has compute capability 9\.0, but this build is for 75-real; install it from source",
        ),
    ],
)
def test_what_keeps_it_from_a_gpu(
    device: str, status: dict[str, Any], message: str, tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_core, "cuda_status", lambda: status)
    with pytest.raises(DeviceError, match=message):
        Segmenter(tiny_bundle, device=device)


def test_auto_takes_the_cpu_where_the_gpu_does_not_work_and_logs_why(
    tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(_core, "cuda_status", lambda: usable(problem="The driver is asleep."))
    with caplog.at_level(logging.INFO, "efficientscn_trt"):
        assert Segmenter(tiny_bundle).device == "cpu"
    assert "The driver is asleep." in caplog.text


def test_precisions_that_a_device_does_not_have(tiny_bundle: Bundle) -> None:
    with pytest.raises(
        DeviceError, match="has no precision bf16 here, expected fp16, fp32 or auto; choose one of these"
    ):
        Segmenter(tiny_bundle, device="cuda", precision="bf16")
    with pytest.raises(
        DeviceError, match="has no precision fp16 here, expected fp32, bf16 or auto; choose one of these"
    ):
        Segmenter(tiny_bundle, device="cpu", precision="fp16")
