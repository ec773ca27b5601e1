"""Pair predicted label maps with their references, and score a pair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..errors import InputError
from ..io.itk import to_itk
from ..io.paths import is_there
from ..io.reading import read_file
from ..io.shear import is_sheared
from ..io.wording import by_axis, listed
from ..io.writing import EXTENSIONS
from .overlap import dice
from .surface import normalized_surface_distance

TOLERANCE_MM = 1.0  # for the NSD in the paper's Tables 4 and 5
# For rounding in float32 headers: a share of the smallest spacing for spacing and origin, absolute for
# direction cosines.
GRID_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Case:
    """Two label maps of one scan."""

    name: str
    prediction: Path
    reference: Path


@dataclass(frozen=True)
class Score:
    """DSC and NSD (0 to 1) of one label in one case, and the label's two volumes in ml."""

    case: str
    label: str
    dsc: float
    nsd: float
    prediction_ml: float
    reference_ml: float


def find_cases(predictions: Path, references: Path) -> list[Case]:
    """The cases of two files (one case) or of two folders (one case per reference).

    In folders a prediction has the file name of its reference. Raises InputError if one is missing.
    """
    for path in (predictions, references):
        if not is_there(path, InputError):
            raise InputError(f"There is no file or folder {path}.")
    if predictions.is_dir() != references.is_dir():
        raise InputError(f"{predictions} and {references} must be two files or two folders.")
    if references.is_file():
        return [Case(_name(references), predictions, references)]
    found, expected = _label_maps(predictions), _label_maps(references)
    if not expected:
        raise InputError(f"The folder {references} holds no label maps ({', '.join(EXTENSIONS)}).")
    missing = sorted(set(expected) - set(found))
    if missing:
        raise InputError(
            f"{predictions} lacks the predictions of {len(missing)} of {len(expected)} references "
            f"({listed(missing)}); give each prediction the file name of its reference."
        )
    return [Case(name, found[name], expected[name]) for name in sorted(expected)]


def score_case(case: Case, label_names: Mapping[int, str]) -> list[Score]:
    """The scores of every label of `label_names` but the background.

    As in the FLARE challenge, a label that neither map has scores 1, and a label that only one has scores 0.
    Raises InputError if a file is not a label map with these labels, or if the two have different grids.
    """
    prediction, reference = (_read(path, label_names) for path in (case.prediction, case.reference))
    _check_same_grid(case, prediction, reference)
    prediction.CopyInformation(reference)  # equal within the tolerance, and SimpleITK's is tighter
    spacing = reference.GetSpacing()
    voxel_ml = float(np.prod(spacing)) / 1000
    values = [value for value in label_names if value]
    overlap = dice(prediction, reference, values)
    arrays = sitk.GetArrayViewFromImage(prediction), sitk.GetArrayViewFromImage(reference)
    scores = []
    for value in values:
        found, expected = (array == value for array in arrays)
        score = Score(
            case=case.name,
            label=label_names[value],
            dsc=overlap[value],
            nsd=normalized_surface_distance(found, expected, spacing[::-1], TOLERANCE_MM),
            prediction_ml=np.count_nonzero(found) * voxel_ml,
            reference_ml=np.count_nonzero(expected) * voxel_ml,
        )
        scores.append(score)
    return scores


def _label_maps(folder: Path) -> dict[str, Path]:
    files = [path for path in folder.iterdir() if path.name.lower().endswith(EXTENSIONS)]
    return {_name(path): path for path in files if not path.name.startswith(".")}


def _name(path: Path) -> str:
    for extension in sorted(EXTENSIONS, key=len, reverse=True):  # .seg.nrrd before .nrrd
        if path.name.lower().endswith(extension):
            return path.name[: -len(extension)]
    return path.name


def _read(path: Path, label_names: Mapping[int, str]) -> sitk.Image:
    image = read_file(path)
    if is_sheared(image.geometry):
        raise InputError(
            f"{path} has axes that are not perpendicular; save the label map on a straight grid."
        )
    values = np.unique(image.array)
    unknown = [f"{value:g}" for value in values if value not in label_names]
    if unknown:
        known = ", ".join(f"{value} {name}" for value, name in label_names.items())
        raise InputError(f"{path} has the values {listed(unknown)}, expected only the labels {known}.")
    return to_itk(image.array.astype(np.uint8), image.geometry)


def _check_same_grid(case: Case, prediction: sitk.Image, reference: sitk.Image) -> None:
    if prediction.GetSize() != reference.GetSize():
        sizes = [by_axis(image.GetSize()) for image in (prediction, reference)]
        raise InputError(
            f"{case.prediction} has {sizes[0]} voxels, but its reference has {sizes[1]}; "
            "compare label maps of the same scan."
        )
    voxel = min(reference.GetSpacing())
    for what, scale in (("Spacing", voxel), ("Origin", voxel), ("Direction", 1.0)):
        found, expected = (np.array(getattr(image, f"Get{what}")()) for image in (prediction, reference))
        if np.abs(found - expected).max() > GRID_TOLERANCE * scale:
            texts = [" ".join(f"{value:.6g}" for value in values) for values in (found, expected)]
            raise InputError(
                f"{case.prediction} has the {what.lower()} {texts[0]}, but its reference has {texts[1]}; "
                "compare label maps of the same scan."
            )
