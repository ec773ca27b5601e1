"""Plans of stage 2 for scans and boxes of any size, drawn by Hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from efficientscn_trt import _core

from .core_parameters import segmentation_parameters

PARAMETERS = segmentation_parameters(valid_sizes=[[16, 32, 48], [16, 32, 48], [16, 32, 48]])


@st.composite
def segmentation_plans(draw: st.DrawFn) -> _core.SegmentationPlan:
    """A plan whose box may leave the scan, or lie beside it."""
    size = draw(st.tuples(*[st.integers(1, 70)] * 3))
    spacing = draw(st.tuples(*[st.floats(0.5, 5)] * 3))
    start = [draw(st.floats(-30, 0.9 * n * mm)) for n, mm in zip(size, spacing, strict=True)]
    end = [mm + draw(st.floats(8, 90)) for mm in start]
    return _core.plan_segmentation(size, spacing, _core.Box(start, end), PARAMETERS)
