"""Colours and codes of labels."""

from __future__ import annotations

import pytest

from efficientscn_trt.io.label_details import LabelDetails
from efficientscn_trt.io.segments import STRUCTURE, TISSUE, Concept
from efficientscn_trt.organs.appearance import segments_of
from efficientscn_trt.organs.naming import canonical

NAMES = {0: "background", 1: "liver", 2: "bone", 3: "Kidney, right", 7: "lesion"}
LESION = Concept("52988006", "Lesion")
ABNORMAL = Concept("49755003", "Morphologically Abnormal Structure")
LOCAL = Concept("L1", "Something local", "99LOCAL")


def test_what_is_not_given() -> None:
    liver, bone, kidney, lesion = segments_of(NAMES)
    assert [each.value for each in (liver, bone, kidney, lesion)] == [1, 2, 3, 7]
    assert (liver.category, liver.type) == (STRUCTURE, Concept("10200004", "Liver", "SCT"))
    for each in (bone, kidney, lesion):
        assert (each.category, each.type, each.modifier) == (TISSUE, TISSUE, None)
    assert (liver.colour, kidney.colour) == ("#ff5a52", "#3ddc84")  # red and green, as in the paper


def test_what_a_bundle_gives() -> None:
    details = [
        LabelDetails("lesion", "#ABCDEF", ABNORMAL, LESION, LOCAL),
        LabelDetails("bone", type=LOCAL),
        LabelDetails("liver", "#ff8ad8"),
    ]
    liver, bone, _, lesion = segments_of(NAMES, details)
    assert (lesion.colour, lesion.category, lesion.type, lesion.modifier) == (
        "#abcdef",
        ABNORMAL,
        LESION,
        LOCAL,
    )
    assert (bone.category, bone.type, bone.modifier) == (STRUCTURE, LOCAL, None)
    assert (liver.colour, liver.type.code) == ("#ff8ad8", "10200004")
    assert lesion.rgb == (0xAB, 0xCD, 0xEF)


def test_each_label_has_its_own_colour() -> None:
    names = dict(enumerate(f"label {value}" for value in range(255)))
    names |= {1: "liver", 2: "spleen", 5: "kidneys", 6: "right kidney"}
    given = [LabelDetails("label 3", "#4de2e2")]
    colours = [each.colour for each in segments_of(names, given)]
    assert len(set(colours)) == 254


@pytest.mark.parametrize("name", ["right kidney", "Kidney right", "kidney_right", "RIGHT-KIDNEY"])
def test_names_of_one_organ(name: str) -> None:
    assert canonical(name) == "right_kidney"


def test_other_words_keep_their_order() -> None:
    assert canonical("Inferior vena cava") == "inferior_vena_cava"
    assert canonical("adrenal_gland_left") == "left_adrenal_gland"
