"""What this machine has to run networks on, without compiling any."""

from __future__ import annotations

from dataclasses import dataclass


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
    return [_cpu()]


def choose(devices: list[Availability]) -> str | None:
    """The device that "auto" takes of `survey`'s."""
    return next((device.device for device in devices if device.problem is None), None)


def _cpu() -> Availability:
    try:
        import openvino as ov
    except ImportError as error:
        problem = f"OpenVINO cannot be loaded ({error}); run: pip install --force-reinstall openvino"
        return Availability("cpu", "", "OpenVINO", (), problem)
    core = ov.Core()
    native = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return Availability(
        device="cpu",
        hardware=str(core.get_property("CPU", "FULL_DEVICE_NAME")),
        software=f"OpenVINO {ov.__version__.partition('-')[0]}",
        precisions=("fp32", "bf16") if native else ("fp32",),
    )
