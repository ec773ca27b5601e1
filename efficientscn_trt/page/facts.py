"""What a page says of the scan, and of what labelled it."""

from __future__ import annotations

import platform
from importlib.metadata import version

import numpy as np

from ..io.orientation import Geometry
from ..io.wording import by_axis, counted
from .case import Case

Facts = list[tuple[str, str]]

_GIB = 2**30
_ALONG_AXES = 0.1  # degrees that still count as straight


def scan_facts(case: Case) -> Facts:
    """The scan without anything that says whose it is."""
    geometry = case.geometry
    facts = [
        ("Read from", _kind(case)),
        ("Size", f"{by_axis(geometry.size)} voxels"),
        ("Spacing", f"{by_axis(geometry.spacing, '.4g')} mm"),
        ("Axes x, y, z", _orientation(geometry)),
    ]
    return facts if geometry.spacing_known else [*facts, ("Spacing known", "no")]


def run_facts(case: Case) -> Facts:
    """What labelled the scan, in which time and memory."""
    total = sum(case.seconds.values())
    stages = ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in case.seconds.items())
    memory = (
        f"{case.peak_host_memory / _GIB:.2f} GiB (estimated: {case.estimated_host_memory / _GIB:.2f} GiB)"
    )
    facts = [
        ("Bundle", case.bundle.name if case.bundle else "unknown"),
        ("Bundle, SHA-256", f"{case.bundle.version}… (of its manifest)" if case.bundle else "unknown"),
        ("Device, precision", f"{case.device}, {case.precision}"),
        ("Versions", ", ".join(filter(None, _versions(case.runtime)))),
        ("Seconds", f"{total:.2f}" + (f" ({stages})" if stages else "")),
        ("Peak memory", memory),
    ]
    if case.peak_device_memory:
        facts.append(("Peak memory of the GPU", f"{case.peak_device_memory / _GIB:.2f} GiB"))
    return facts


def _kind(case: Case) -> str:
    kind = case.input.kind if case.input else "unknown"
    if case.source is None:
        return kind
    return f"{kind} series of {counted(len(case.source.frames), 'slice')}"


def _orientation(geometry: Geometry) -> str:
    """Where the axes run, in letters, and how far they lean from these directions."""
    letters = [""] * 3
    for lps, (axis, flipped) in enumerate(zip(geometry.image_axis_of, geometry.flipped, strict=True)):
        letters[axis] = ("LPS", "RAI")[flipped][lps]
    closest = np.abs(np.reshape(geometry.direction, (3, 3))).max(axis=0).min()
    degrees = float(np.degrees(np.arccos(min(closest, 1.0))))
    code = "".join(letters)
    return code if degrees < _ALONG_AXES else f"{code}, oblique by up to {degrees:.1f}°"


def _versions(runtime: str) -> tuple[str, ...]:
    return f"efficientscn-trt {version('efficientscn-trt')}", runtime, f"Python {platform.python_version()}"
