"""The devices of this machine that can run the networks, found without compiling any network."""

from __future__ import annotations

from dataclasses import dataclass

from .. import _core
from ..bundle import NETWORKS, Bundle
from ..engines import this_machine
from ..engines.cache import find_obstacle
from ..engines.flavours import FLAVOURS
from ..errors import DeviceError
from ..system import processor_name
from .core_networks import core_runs
from .cpu import core_runtime, has_bfloat16
from .gpu import require_gpu


@dataclass(frozen=True)
class Availability:
    """One device: the software that would drive it, and why it cannot be used (None if it can)."""

    device: str
    hardware: str
    software: str
    precisions: tuple[str, ...]
    problem: str | None = None


def survey(bundle: Bundle) -> list[Availability]:
    """Every device that this version knows, with whether it can run `bundle`; the order is that of "auto"."""
    return [_cuda(bundle), _cpu(bundle)]


def choose(devices: list[Availability]) -> str | None:
    """Return the device that "auto" takes: the first of `devices` without a problem, None if all have one."""
    return next((device.device for device in devices if device.problem is None), None)


def _cuda(bundle: Bundle) -> Availability:
    hardware = ", ".join(gpu["name"] for gpu in _core.cuda_status()["devices"])
    try:
        require_gpu(0)
    except DeviceError as error:
        return Availability("cuda", hardware, "TensorRT", (), str(error))
    machine = this_machine()
    titles = (f"{FLAVOURS[name].title} {version}" for name, version in machine.versions.items())
    return Availability(
        device="cuda",
        hardware=hardware,
        software=", ".join(titles) or "TensorRT",
        precisions=tuple(each for each in ("fp32", "fp16") if find_obstacle(bundle, machine, each) is None),
        problem=find_obstacle(bundle, machine),
    )


def _cpu(bundle: Bundle) -> Availability:
    core, hardware = core_runtime(), processor_name()
    try:
        from .openvino_start import RUNTIME
    except ImportError as error:
        networks = bundle.manifest.networks
        if all(core_runs(getattr(networks, name).core, bundle, name) for name in NETWORKS):
            return Availability("cpu", hardware, core, ("fp32",))
        problem = f"OpenVINO cannot be loaded ({error}); run: pip install --force-reinstall openvino"
        return Availability("cpu", hardware, core, (), problem)
    precisions = ("fp32", "bf16") if has_bfloat16() else ("fp32",)
    return Availability("cpu", hardware, f"{core}, {RUNTIME}", precisions)
