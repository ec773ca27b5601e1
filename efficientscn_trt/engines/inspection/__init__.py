"""A plan of any origin: what its header says, and whether it could run here. A plan is native code, so it is
not loaded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ...bundle import sha256
from ...errors import BundleError, DeviceError
from ...io.paths import is_there
from ...io.wording import system_reason
from ..current_gpu import current
from ..flavours import FLAVOURS, TENSORRT, Flavour, installed
from ..machine import NO_GPU, Machine, this_machine
from ..running import ExecutionApi
from .header import HEADER_BYTES, PlanHeader, read_header

__all__ = ["PlanHeader", "PlanInspection", "inspect_plan"]


@dataclass(frozen=True)
class PlanInspection:
    """What is known of the plan `path` without loading it.

    `problems`: why it cannot run here, a sentence each; empty if nothing speaks against it. `unknown`: what
    only loading it would tell, a sentence each. `validity`: what the installed TensorRT says of the header;
    None if it was not asked, because it cannot be or because there is no GPU.
    """

    path: Path
    bytes: int
    sha256: str
    header: PlanHeader
    problems: tuple[str, ...]
    unknown: tuple[str, ...]
    validity: str | None

    @property
    def could_run(self) -> bool | None:
        """Whether it could run here; None if only loading it would tell."""
        return False if self.problems else None if self.unknown else True


def inspect_plan(path: Path, machine: Machine | None = None) -> PlanInspection:
    """Read the header of the plan `path`, and compare it with `machine`, by default this one.

    Where there is a GPU, and the installed TensorRT can judge a header, it is asked too.
    Raises BundleError if `path` is not a plan.
    """
    start, size, digest = _read(path)
    header = read_header(path, start)
    machine = machine or this_machine()
    validity, objection = _ask(header, start, machine)
    problems = (
        _damaged(header, size),
        _lacking_software(header, machine),
        _lacking_gpu(header, machine),
        objection,
    )
    unknown = (_perhaps_compatible(header, machine), _unnamed_gpu(header, machine))
    return PlanInspection(
        path,
        size,
        digest,
        header,
        tuple(filter(None, problems)),
        tuple(filter(None, unknown)),
        validity,
    )


def _read(path: Path) -> tuple[bytes, int, str]:
    """The beginning, the size and the SHA-256 of the file `path`."""
    if not is_there(path, BundleError):
        raise BundleError(f"There is no file {path}; name a plan.")
    if not path.is_file():
        raise BundleError(
            f"{path} is no file, expected a plan; name one, such as a bundle's engines/*.engine."
        )
    try:
        with path.open("rb") as stream:
            start = stream.read(HEADER_BYTES)
        return start, path.stat().st_size, sha256(path)
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {system_reason(error)}; copy it again.") from error


def _damaged(header: PlanHeader, size: int) -> str | None:
    if header.bytes in (None, size):
        return None
    return f"It is damaged: it has {size} bytes, and its header says {header.bytes}; copy or build it again."


def _lacking_software(header: PlanHeader, machine: Machine) -> str | None:
    flavour = FLAVOURS[header.flavour]
    here = machine.versions.get(header.flavour)
    if header.version is None:
        return (
            f"It was built by a {flavour.title} before 8.6, and its header says no more than the number "
            f"{header.serialization} of its serialization; build it again."
        )
    command = f"pip install {_requirement(flavour, header.version)}"
    if here is None:
        return f"It needs {flavour.title} {header.version}, which is not installed; run: {command}."
    if _is_of(header.version, here) or _may_be_compatible(header, here):
        return None
    return (
        f"It was built by {flavour.title} {header.version}, but {here} is installed, and a plan runs only on "
        f"the version that built it; build it again, or run: {command}."
    )


def _perhaps_compatible(header: PlanHeader, machine: Machine) -> str | None:
    """Engines that were built version compatible run on later versions, and on the lean runtime."""
    here, title = machine.versions.get(header.flavour), FLAVOURS[header.flavour].title
    if here is None or header.version is None:
        return None
    if _is_of(header.version, here):
        if header.flavour not in machine.lean:
            return None
        needed = f"Only the lean runtime of {title} {here} is installed"
    elif _may_be_compatible(header, here):
        needed = f"It was built by {title} {header.version}, and {here} is installed"
    else:
        return None
    return f"{needed}, so it runs only if it was built version compatible, which its header does not say."


def _requirement(flavour: Flavour, version: str) -> str:
    """For pip, in a shell. Packages of TensorRT may leave out the last number, or add to it."""
    if flavour is TENSORRT:
        return f"'{flavour.package}=={'.'.join(version.split('.')[:3])}.*'"
    return f"{flavour.package}=={version}"


def _is_of(version: str, here: str) -> bool:
    """Whether `here` is the `version` of a plan, as far as both are known: "10.3.0" is of "10.3.0.26"."""
    return all(own == other for own, other in zip(_numbers(version), _numbers(here), strict=False))


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version, such as "8.6.1", "10.0.0b6" or "10.14.1.48.post1"."""
    return tuple(map(int, re.findall(r"\d+", version)))


def _may_be_compatible(header: PlanHeader, here: str) -> bool:
    """Whether `here` could run the plan if it was built version compatible: a later TensorRT of its major."""
    if header.flavour != TENSORRT.name or header.version is None or header.serialization is not None:
        return False
    built, found = _numbers(header.version), _numbers(here)
    return built[:1] == found[:1] and built < found


def _lacking_gpu(header: PlanHeader, machine: Machine) -> str | None:
    if machine.gpu is None:
        return NO_GPU
    listed, own = header.compute_capabilities, machine.gpu.compute_capability
    if listed is None or own in listed or header.newer:
        return None
    return (
        f"It is for GPUs of compute capability {', '.join(listed)}, but {machine.gpu.name} has {own}; "
        "build one for it."
    )


def _unnamed_gpu(header: PlanHeader, machine: Machine) -> str | None:
    listed = header.compute_capabilities
    if listed is None:
        return "Its header does not tell for which GPUs it was built."
    if header.newer and (machine.gpu is None or machine.gpu.compute_capability not in listed):
        return "It is also for GPUs whose compute capability this version of efficientscn-trt does not know."
    return None


def _ask(header: PlanHeader, start: bytes, machine: Machine) -> tuple[str | None, str | None]:
    """What the installed TensorRT says of the header, and as a sentence, what it objects to."""
    trt = None if machine.gpu is None else installed(FLAVOURS[header.flavour])
    if trt is None or not hasattr(trt.Runtime, "get_engine_validity"):
        return None, None
    title = f"{FLAVOURS[header.flavour].title} {trt.__version__}"
    try:
        with current(machine.gpu):
            validity, reasons = ExecutionApi(trt).engine_validity(start)
    except DeviceError as error:
        return None, str(error)
    if validity != "INVALID":
        return validity, None
    return validity, f"{title} says that it cannot run here: {', '.join(reasons) or 'no reason given'}."
