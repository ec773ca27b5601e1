"""How sure the segmentation network is of each organ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .. import _core


@dataclass(frozen=True)
class Confidence:
    """How sure the segmentation network is of an organ, in the voxels of its input, which are in the scan.

    Attributes:
        mean: the mean probability of the organ, in the voxels where no other label has a larger one.
        uncertain_boundary: the share of the organ's boundary that is uncertain, in faces of voxels. A face is
            uncertain if in both of its voxels the two largest probabilities differ by less than 0.5.
    """

    mean: float
    uncertain_boundary: float


def confidences_of(found: Sequence[_core.LabelConfidence], names: Mapping[int, str]) -> dict[str, Confidence]:
    """By the name of the label, those of the labels above 0 that the network found.

    Empty if what the network returned are no probabilities.
    """
    if any(each.unsound for each in found):
        return {}
    return {
        names[value]: Confidence(each.mean, each.doubtful_faces / each.faces if each.faces else 0.0)
        for value, each in enumerate(found)
        if value and each.voxels
    }
