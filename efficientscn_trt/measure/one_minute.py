"""What `efficientscn-trt benchmark` measures: one scan on one device, in about a minute."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from ..bundle import Bundle
from ..io.volume import open_scan
from ..triples import Size
from .convolutions import multiply_adds, peak_flops
from .machine import machine_facts
from .processes import Account, Job, run
from .samples import summarize_stages

STEPS = ("scan", "first process", "second process", "convolutions")

WARM_SECONDS = 25.0
WARM_RUNS = 20


@dataclass(frozen=True)
class Figures:
    """`first_ever`: the first process, with nothing compiled before; `later`: the second, with warm runs.

    `flop`: floating-point operations of each network for this scan. `peak_flops`: FLOP/s that the CPU's
    convolutions reach, None if the networks did not run on the CPU.
    """

    machine: dict[str, Any]
    size_xyz: Size
    first_ever: Account
    later: Account
    flop: dict[str, int]
    peak_flops: float | None

    def convolutions_at_peak(self, network: str) -> float:
        """Seconds that the network's convolutions would take, term by term, at the CPU's best speed."""
        assert self.peak_flops is not None
        return self.flop[network] / self.peak_flops

    def share_of_peak(self, network: str) -> float:
        """`convolutions_at_peak` as a share of the network's median time.

        It is above 1 if the network runs with fewer multiplications than term by term.
        """
        return self.convolutions_at_peak(network) / summarize_stages(self.later.warm)[network].median

    def document(self) -> dict[str, Any]:
        """All figures as JSON values."""
        return dataclasses.asdict(self)


def measure(
    bundle: Bundle,
    scan: Path | None,
    scratch: Path,
    device: str = "auto",
    precision: str = "auto",
    threads: int = 0,
    progress: Callable[[str], None] = lambda step: None,
) -> Figures:
    """Measure `bundle` on the CT `scan`, or on a phantom if it is None; `scratch` is an empty folder.

    `progress` is called with each of STEPS as it begins. Raises InputError, BundleError, DeviceError.
    """
    machine = machine_facts()
    progress(STEPS[0])
    if scan is None:
        scan = scratch / "phantom.nii.gz"
        _write_phantom(scan)
    size = open_scan(scan).geometry.size
    arguments = {"bundle": str(bundle.path.absolute()), "device": device, "precision": precision}
    job = Job(
        "efficientscn_trt.measure.candidate:OwnPipeline",
        arguments | {"threads": threads},
        scan,
        cache=scratch / "cache",
    )
    progress(STEPS[1])
    first = run(job)
    progress(STEPS[2])
    later = run(dataclasses.replace(job, repeats=WARM_RUNS, budget=WARM_SECONDS))
    progress(STEPS[3])
    used_device, used_precision = later.note.split()
    return Figures(
        machine=machine,
        size_xyz=size,
        first_ever=first,
        later=later,
        flop={name: 2 * multiply_adds(bundle.file(name), size) for name, size in later.input_sizes.items()},
        peak_flops=peak_flops(used_precision, threads) if used_device == "cpu" else None,
    )


def _write_phantom(path: Path) -> None:
    from ..phantom import FIRST_UNSEEN_SEED, make_phantom

    sitk.WriteImage(make_phantom(FIRST_UNSEEN_SEED).image, str(path), useCompression=True)
