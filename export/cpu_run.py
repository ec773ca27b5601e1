"""What the networks of a new bundle take on this machine's CPU."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from efficientscn_trt.backends.core_networks import core_runs
from efficientscn_trt.backends.cpu import CpuBackend
from efficientscn_trt.bundle import Bundle
from efficientscn_trt.io.wording import by_axis
from efficientscn_trt.triples import Size

from .savedmodel import Role

_OTHER_SIZES = "valid_sizes of --parameters has sizes that it cannot take"


@dataclass(frozen=True)
class CpuRun:
    """A run of one network in float32, on all cores.

    `not_core`: why OpenVINO ran it; empty if the core did. `size`: of its input (z, y, x). `bytes`: the
    estimate of the memory that it needs.
    """

    role: Role
    not_core: str
    size: Size
    seconds: float
    bytes: int

    def __str__(self) -> str:
        cost = f"at {by_axis(self.size)} voxels, in {self.seconds:.2f} s and {self.bytes / 1e6:,.0f} MB"
        if self.not_core:
            return f"The CPU core cannot run it, because {self.not_core}. OpenVINO runs it, here {cost}."
        return f"The CPU core runs it, here {cost}."


def run_on_cpu(
    bundle: Bundle, images: Mapping[Role, np.ndarray], not_core: Mapping[Role, str]
) -> tuple[CpuRun, ...]:
    """Run both networks of `bundle` on their images, float32 [1, 1, z, y, x], as a segmentation does.

    `not_core`: why the core cannot run a network, empty if it can. Raises BundleError if OpenVINO cannot run
    it either.
    """
    backend = CpuBackend(bundle, "fp32", 0)
    run = {"localization": backend.localize, "segmentation": backend.segment}
    found = []
    for role, image in images.items():
        z, y, x = image.shape[2:]
        run[role](image[0, 0])  # compiles the graph for this size
        begin = time.perf_counter()
        run[role](image[0, 0])
        seconds = time.perf_counter() - begin
        form = getattr(bundle.manifest.networks, role).core
        reason = "" if core_runs(form, bundle, role) else not_core[role] or _OTHER_SIZES
        found.append(CpuRun(role, reason, (z, y, x), seconds, backend.bytes_for(role, (z, y, x))))
    return tuple(found)
