"""What this machine has to run networks on, without compiling any."""

from __future__ import annotations

from dataclasses import dataclass

from .. import _core
from ..engines import this_machine
from ..engines.flavours import FLAVOURS


@dataclass(frozen=True)
class Availability:
    """One device: the software that would drive it, and why it cannot be used (None if it can)."""

    device: str
    hardware: str
    software: str
    precisions: tuple[str, ...]
    problem: str | None = None


def survey() -> list[Availability]:
    """Every device that this version knows, in the order in which "auto" prefers them."""
    return [_cuda(), _cpu()]


def choose(devices: list[Availability]) -> str | None:
    """The device that "auto" takes of `survey`'s."""
    return next((device.device for device in devices if device.problem is None), None)


def _cuda() -> Availability:
    status = _core.cuda_status()
    hardware = ", ".join(gpu["name"] for gpu in status["devices"])
    if status["problem"]:
        return Availability("cuda", hardware, "TensorRT", (), status["problem"])
    versions = this_machine().versions
    if not versions:
        packages = " or ".join(f"pip install {flavour.package}" for flavour in FLAVOURS.values())
        return Availability("cuda", hardware, "TensorRT", (), f"TensorRT is not installed; run: {packages}.")
    software = ", ".join(f"{FLAVOURS[name].title} {version}" for name, version in versions.items())
    return Availability("cuda", hardware, software, ("fp32", "fp16"))


def _cpu() -> Availability:
    try:
        import openvino as ov

        from .cpu import has_bfloat16
    except ImportError as error:
        problem = f"OpenVINO cannot be loaded ({error}); run: pip install --force-reinstall openvino"
        return Availability("cpu", "", "OpenVINO", (), problem)
    core = ov.Core()
    return Availability(
        device="cpu",
        hardware=str(core.get_property("CPU", "FULL_DEVICE_NAME")),
        software=f"OpenVINO {ov.__version__.partition('-')[0]}",
        precisions=("fp32", "bf16") if has_bfloat16(core) else ("fp32",),
    )
