"""Dice similarity coefficient (DSC)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import SimpleITK as sitk


def dice(prediction: sitk.Image, reference: sitk.Image, values: Iterable[int]) -> dict[int, float]:
    """The DSC of each label of `values`, by SimpleITK. Both images are uint8 on one grid.

    It is 1.0 for a label that neither image has, and 0.0 for a label that only one image has.
    """
    measures = sitk.LabelOverlapMeasuresImageFilter()
    measures.Execute(reference, prediction)
    present = _values(prediction) | _values(reference)
    return {value: measures.GetDiceCoefficient(value) if value in present else 1.0 for value in values}


def _values(image: sitk.Image) -> set[int]:
    return {int(value) for value in np.unique(sitk.GetArrayViewFromImage(image))}
