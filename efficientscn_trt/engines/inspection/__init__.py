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
from ..machine import NO_GPU, Gpu, Machine, this_machine
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
    findings = (_damaged(header, size), _software(header, machine), _gpu(header, machine.gpu), objection)
    return PlanInspection(
        path,
        size,
        digest,
        header,
        tuple(finding.problem for finding in findings if finding.problem is not None),
        tuple(finding.unknown for finding in findings if finding.unknown is not None),
        validity,
    )


@dataclass(frozen=True)
class _Finding:
    """Why a plan cannot run here, and what only loading it would tell: a sentence each, or None."""

    problem: str | None = None
    unknown: str | None = None


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


def _damaged(header: PlanHeader, size: int) -> _Finding:
    if header.bytes in (None, size):
        return _Finding()
    return _Finding(
        f"It is damaged: it has {size} bytes, and its header says {header.bytes}; copy or build it again."
    )


def _software(header: PlanHeader, machine: Machine) -> _Finding:
    """Whether the installed TensorRT runs it: that which built it, or a later one if it is compatible."""
    flavour = FLAVOURS[header.flavour]
    here = machine.versions.get(header.flavour)
    if header.version is None:
        return _Finding(
            f"It was built by a {flavour.title} before 8.6, and its header says no more than the number "
            f"{header.serialization} of its serialization; build it again."
        )
    command = f"pip install {_requirement(flavour, header.version)}"
    if here is None:
        return _Finding(f"It needs {flavour.title} {header.version}, which is not installed; run: {command}.")
    if _is_of(header.version, here):
        if header.flavour not in machine.lean:
            return _Finding()
        known = f"Only the lean runtime of {flavour.title} {here} is installed"
    elif _may_be_compatible(header, here):
        known = f"It was built by {flavour.title} {header.version}, and {here} is installed"
    else:
        return _Finding(
            f"It was built by {flavour.title} {header.version}, but {here} is installed, and a plan runs "
            f"only on the version that built it; build it again, or run: {command}."
        )
    return _Finding(
        None, f"{known}, so it runs only if it was built version compatible, which its header does not say."
    )


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


def _gpu(header: PlanHeader, gpu: Gpu | None) -> _Finding:
    listed = header.compute_capabilities
    problem = NO_GPU if gpu is None else None
    if listed is None:
        return _Finding(problem, "Its header does not tell for which GPUs it was built.")
    if gpu is not None and gpu.compute_capability in listed:
        return _Finding()
    if header.newer:
        return _Finding(
            problem,
            "It is also for GPUs whose compute capability this version of efficientscn-trt does not know.",
        )
    if gpu is None:
        return _Finding(problem)
    return _Finding(
        f"It is for GPUs of compute capability {', '.join(listed)}, but {gpu.name} has "
        f"{gpu.compute_capability}; build one for it."
    )


def _ask(header: PlanHeader, start: bytes, machine: Machine) -> tuple[str | None, _Finding]:
    """What the installed TensorRT says of the header, and what it objects to."""
    trt = None if machine.gpu is None else installed(FLAVOURS[header.flavour])
    if trt is None or not hasattr(trt.Runtime, "get_engine_validity"):
        return None, _Finding()
    title = f"{FLAVOURS[header.flavour].title} {trt.__version__}"
    try:
        with current(machine.gpu):
            validity, reasons = ExecutionApi(trt).engine_validity(start)
    except DeviceError as error:
        return None, _Finding(str(error))
    if validity != "INVALID":
        return validity, _Finding()
    said = ", ".join(reasons) or "no reason given"
    return validity, _Finding(f"{title} says that it cannot run here: {said}.")
