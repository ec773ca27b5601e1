"""The pipeline on phantoms: what `efficientscn-trt demo` and `evaluate-phantoms` run.

Networks are trained on phantoms with seeds below `FIRST_UNSEEN_SEED`; those from it on are for demonstration
and measurement, and are never trained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from .atomic import replacing
from .errors import BundleError
from .evaluation import dice
from .phantom import LABEL_NAMES, Phantom
from .preview import note_for
from .preview import write as write_preview
from .result import Segmentation
from .segmenter import Progress, Segmenter

FIRST_UNSEEN_SEED = 1_000_000

CT, LABELS, TRUTH, PREVIEW = FILES = ("ct.nii.gz", "labels.nii.gz", "truth.nii.gz", "preview.png")


@dataclass(frozen=True)
class PhantomRun:
    """A phantom, what was found in it, and by label name the volume in truth (ml) and the DSC."""

    phantom: Phantom
    segmentation: Segmentation
    truth_ml: dict[str, float]
    dice: dict[str, float]


def check_labels(segmenter: Segmenter) -> None:
    """Refuse a bundle whose labels are not those of a phantom. Raises BundleError."""
    labels = segmenter.bundle.manifest.labels
    if labels != LABEL_NAMES:
        raise BundleError(
            f"{segmenter.bundle.path} has the labels {', '.join(labels)}, but phantoms have "
            f"{', '.join(LABEL_NAMES)}; use a bundle with these."
        )


def segment_phantom(segmenter: Segmenter, phantom: Phantom, progress: Progress | None = None) -> PhantomRun:
    """Segment a phantom and compare with its truth; the bundle has passed `check_labels`."""
    found = segmenter.segment(phantom.image, progress=progress)
    # A copy: a view dangles as soon as SimpleITK copies on write, which the overlap filter makes it do.
    truth = sitk.GetArrayFromImage(phantom.labels)
    voxel_ml = float(np.prod(phantom.labels.GetSpacing())) / 1000
    organs = {value: name for value, name in enumerate(LABEL_NAMES) if value}
    overlap = dice(found.image, phantom.labels, organs)
    return PhantomRun(
        phantom=phantom,
        segmentation=found,
        truth_ml={name: np.count_nonzero(truth == value) * voxel_ml for value, name in organs.items()},
        dice={name: overlap[value] for value, name in organs.items()},
    )


def write_files(folder: Path, run: PhantomRun, segmenter: Segmenter) -> None:
    """Write the CT, the label map, the truth and a picture into `folder`. Raises OutputError."""
    for name, image in ((CT, run.phantom.image), (TRUTH, run.phantom.labels)):
        with replacing(folder / name) as temporary:
            sitk.WriteImage(image, str(temporary), useCompression=True)
    run.segmentation.save(folder / LABELS)
    write_preview(
        folder / PREVIEW,
        sitk.GetArrayViewFromImage(run.phantom.image),
        run.segmentation,
        title=f"Phantom {run.phantom.seed}",
        note=note_for(segmenter.bundle.manifest),
    )
