"""DSC against its definition."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from efficientscn_trt.evaluation import dice

LABEL_MAPS = arrays(np.uint8, (3, 4, 5), elements=st.integers(0, 4))


@given(prediction=LABEL_MAPS, reference=LABEL_MAPS)
def test_dice(prediction: np.ndarray, reference: np.ndarray) -> None:
    found = dice(sitk.GetImageFromArray(prediction), sitk.GetImageFromArray(reference), range(1, 5))
    for value, score in found.items():
        one, other = prediction == value, reference == value
        total = np.count_nonzero(one) + np.count_nonzero(other)
        expected = 2 * np.count_nonzero(one & other) / total if total else 1.0
        assert score == pytest.approx(expected, abs=1e-12)
