"""How the demo's networks are trained, as commands: `python -m efficientscn_trt.training.demo -o DIR` runs
them.

Quick schedules on phantoms, far from the paper's protocol. A run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PHANTOMS = 60


@dataclass(frozen=True)
class Stage:
    """One call of `efficientscn-trt train`: its run folder's name, the run that it starts from, and its
    options.
    """

    name: str
    network: str
    steps: int
    learning_rate: float
    start: str | None = None
    crops: tuple[tuple[int, int, int], ...] = ()

    def command(self, folder: Path) -> list[str]:
        """Arguments of `efficientscn-trt`."""
        options = [
            "train",
            self.network,
            "--quick",
            "--phantoms",
            str(PHANTOMS),
            "--cache",
            str(folder / "cache"),
        ]
        options += ["-o", str(folder / self.name), "--steps", str(self.steps)]
        options += ["--learning-rate", str(self.learning_rate)]
        if self.start is not None:
            options += ["--start", str(folder / self.start / "weights.npz")]
        for crop in self.crops:
            options += ["--crop", *map(str, crop)]
        return options


STAGES = (
    # 6 mm voxels: crops first, which is enough to find organs, then whole scans against far false positives.
    Stage(
        "localization-crops",
        "localization",
        400,
        6e-4,
        None,
        ((32, 48, 64), (48, 48, 48), (48, 32, 64), (32, 48, 48)),
    ),
    Stage("localization", "localization", 160, 5e-4, "localization-crops"),
    # 2 mm voxels: crops of growing size.
    Stage(
        "segmentation-small",
        "segmentation",
        230,
        1e-3,
        None,
        ((32, 32, 64), (32, 64, 32), (64, 32, 32), (32, 64, 64)),
    ),
    Stage(
        "segmentation",
        "segmentation",
        500,
        8e-4,
        "segmentation-small",
        ((64, 64, 64), (32, 96, 96), (64, 64, 96)),
    ),
)


def main() -> None:
    """Run all stages, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True, help="Folder of the runs.")
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    for stage in STAGES:
        subprocess.run([sys.executable, "-m", "efficientscn_trt.cli", *stage.command(folder)], check=True)


if __name__ == "__main__":
    main()
