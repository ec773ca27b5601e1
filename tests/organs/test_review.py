"""The rules by which a label map is to be reviewed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from support.scans import block_image

from efficientscn_trt import Segmenter
from efficientscn_trt.bundle import Bundle
from efficientscn_trt.organs import Confidence, OrganStatistics, Review, review_of
from efficientscn_trt.organs.statistics import Extent
from efficientscn_trt.scan_warning import ScanWarning

SIZE = (100, 90, 80)
REGION = (slice(10, 70), slice(0, 90), slice(20, 90))  # of the array [z, y, x]


def _organ(
    ml: float,
    *,
    pieces: tuple[float, ...] = (1.0,),
    box: tuple[slice, slice, slice] = (slice(20, 60), slice(20, 60), slice(30, 60)),
    borders: tuple[str, ...] = (),
    confidence: tuple[float, float] | None = (0.97, 0.1),
) -> OrganStatistics:
    """An organ of `ml`, with the shares of its `pieces`."""
    extent = Extent(box, (0, 0, 0), (1, 1, 1), (0, 0, 0), borders)
    sure = Confidence(*confidence) if confidence else None
    return OrganStatistics(1000, ml, tuple(ml * share for share in pieces), None, extent, sure)


NOTHING = OrganStatistics(0, 0.0, (), None, None)
GOOD = {
    "liver": _organ(1500),
    "kidneys": _organ(330, pieces=(0.52, 0.48)),
    "right_kidney": _organ(172, confidence=None),
    "left_kidney": _organ(158, confidence=None),
    "spleen": _organ(200),
    "pancreas": _organ(70),
}


def _review(organs: dict[str, OrganStatistics], *warnings: ScanWarning) -> Review:
    return review_of(GOOD | organs, REGION, SIZE, warnings)


def test_no_rule_is_broken() -> None:
    harmless = ScanWarning("localizers-left-out", "The series has localizers.")
    review = _review({}, ScanWarning("bundle-notice", "For a first try."), harmless)
    assert not review.needed
    assert review.reasons == ()


@pytest.mark.parametrize(
    ("organs", "code", "organ", "message"),
    [
        ({"spleen": NOTHING}, "missing", "spleen", "The networks found no spleen."),
        ({"left_kidney": NOTHING}, "missing", "left_kidney", "The networks found no left kidney."),
        (
            {"kidneys": NOTHING, "left_kidney": NOTHING, "right_kidney": NOTHING},
            *("missing", "kidneys", "The networks found no kidneys."),
        ),
        (
            {"liver": _organ(1500, borders=("S", "R"))},
            *("cut-off", "liver", "At the superior and right border of the scan the liver may be cut off."),
        ),
        (
            {"spleen": _organ(200, box=(slice(10, 30), slice(20, 60), slice(30, 60)))},
            *("region-border", "spleen"),
            "At the border of the region of interest the spleen may be cut off.",
        ),
        (
            {"spleen": _organ(200, box=(slice(20, 30), slice(20, 60), slice(30, 90)))},
            *("region-border", "spleen"),
            "At the border of the region of interest the spleen may be cut off.",
        ),
        (
            {"liver": _organ(1500, pieces=(0.9, 0.06, 0.04))},
            *("pieces", "liver", "Only 90% of the liver is connected, expected 95% or more."),
        ),
        (
            {"liver": _organ(400)},
            *("volume", "liver"),
            "The volume of the liver is 400 ml, expected 735 to 2275 ml in adults (Kromrey 2018, "
            "doi:10.1016/j.ejrad.2018.07.005).",
        ),
        (
            {"pancreas": _organ(70, confidence=(0.85, 0.1))},
            *("low-confidence", "pancreas"),
            "The mean confidence in the pancreas is 0.85, expected 0.90 or more.",
        ),
        (
            {"pancreas": _organ(70, confidence=(0.95, 0.55))},
            *("uncertain-boundary", "pancreas"),
            "55% of the boundary of the pancreas is uncertain, expected 40% or less.",
        ),
    ],
)
def test_a_rule_that_is_broken(
    organs: dict[str, OrganStatistics], code: str, organ: str, message: str
) -> None:
    (reason,) = _review(organs).reasons
    assert (reason.code, reason.organ, reason.message) == (code, organ, message)


def test_at_the_border_of_the_scan_the_region_ends_too() -> None:
    # The region begins with the scan along y, so that the border of the scan alone is named.
    organ = _organ(200, box=(slice(20, 60), slice(0, 90), slice(30, 60)), borders=("A", "P"))
    assert [reason.code for reason in _review({"spleen": organ}).reasons] == ["cut-off"]


@pytest.mark.parametrize(
    ("organ", "low", "high"),
    # By hand: mean ± 2 SD of the sources (docs/review.md), women − 2 SD to men + 2 SD for kidneys.
    [
        ("liver", 1505 - 2 * 385, 1505 + 2 * 385),
        ("spleen", 198 - 2 * 88, 198 + 2 * 88),
        ("pancreas", 72.4 - 2 * 25.8, 72.4 + 2 * 25.8),
        ("left_kidney", 138 - 2 * (156 - 121) / 1.349, 180 + 2 * (203 - 160) / 1.349),
    ],
)
def test_the_volumes_of_adults(organ: str, low: float, high: float) -> None:
    for ml, inside in ((low - 2, False), (low + 2, True), (high - 2, True), (high + 2, False)):
        assert _review({organ: replace(GOOD[organ], ml=ml, pieces_ml=(ml,))}).needed is not inside


def test_warnings_come_first() -> None:
    warning = ScanWarning("unequal-slices", "The slices are not equally spaced.")
    reasons = _review({"spleen": NOTHING}, warning).reasons
    assert [(each.code, each.organ) for each in reasons] == [("unequal-slices", ""), ("missing", "spleen")]
    assert str(reasons[0]) == warning.message


def test_labels_that_have_no_adult_volume_and_no_sides() -> None:
    assert not review_of({"aorta": _organ(9999, pieces=(1.0,))}, REGION, SIZE, ()).needed


@pytest.mark.parametrize("orientation", ["LPS", "RAS", "SLP"])
def test_the_review_of_a_result(tiny_bundle: Bundle, orientation: str) -> None:
    result = Segmenter(tiny_bundle, device="cpu").segment(sitk.DICOMOrient(block_image(), orientation))
    assert result.review and result.review.needed
    small = [reason for reason in result.review.reasons if (reason.code, reason.organ) == ("volume", "liver")]
    assert [f"{result.volumes_ml['liver']:.0f} ml" in str(reason) for reason in small] == [True]
    assert result.review == Segmenter(tiny_bundle, device="cpu").segment(block_image()).review
    chosen = result.only("liver").review
    assert chosen and {reason.organ for reason in chosen.reasons} <= {"liver", ""}
    assert [reason for reason in chosen.reasons if reason.organ] == [
        reason for reason in result.review.reasons if reason.organ == "liver"
    ]


def test_the_confidence_of_a_result(tiny_bundle: Bundle) -> None:
    result = Segmenter(tiny_bundle, device="cpu").segment(block_image())
    for name, organ in result.statistics.items():
        if name.endswith("_kidney"):
            assert organ.confidence is None
        else:
            assert organ.confidence
            assert 0.2 < organ.confidence.mean <= 1
            assert 0 <= organ.confidence.uncertain_boundary <= 1
    assert result.region
    box = tuple(part.stop - part.start for part in result.box.voxels)
    assert result.region.hu.shape == box
    np.testing.assert_array_equal(result.region.hu, sitk.GetArrayFromImage(block_image())[result.box.voxels])
