"""The losses of the paper: generalized Dice (Eq. 1) and the SCN's sum with cross-entropies (Eq. 2)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .networks import SegmentationOutput


def one_hot(labels: Tensor, count: int) -> Tensor:
    """Label values (n, z, y, x) of any integer type → float32 (n, count, z, y, x)."""
    return torch.stack([(labels == label).float() for label in range(count)], 1)


def generalized_dice(truth: Tensor, prediction: Tensor, smallest: float = 1.0) -> Tensor:
    """Generalized Dice loss of Sudre et al., 2017: 1 − 2·Σ_l w_l·Σ r·p / Σ_l w_l·Σ (r + p), w_l = 1 / (Σ r)².

    `truth` r and `prediction` p: (n, labels, z, y, x), p in [0, 1]; the mean over n. Labels of fewer than
    `smallest` voxels weigh as if they had that many, and a label that does not occur no more than the
    heaviest that does: otherwise a few voxels at the rim of a crop would outweigh all else.
    """
    volume = truth.sum((2, 3, 4))
    heaviest = torch.where(volume > 0, volume, torch.inf).amin(1, keepdim=True)
    counted = torch.where(volume > 0, volume, heaviest).clamp(min=smallest)
    counted = torch.where(torch.isfinite(counted), counted, torch.full_like(counted, smallest))
    weights = counted**-2.0
    overlap = (weights * (truth * prediction).sum((2, 3, 4))).sum(1)
    total = (weights * (truth + prediction).sum((2, 3, 4))).sum(1)
    return (1.0 - 2.0 * overlap / total).mean()


def merge_unknown(truth: Tensor, prediction: Tensor, known: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Drop the labels that the case's truth does not have; what is predicted for them counts as background.

    `known`: foreground labels that were looked for in the case. Where the truth says background, a voxel
    may belong to any label not looked for, so all of these answers are right there. Returns (n, 1 +
    len(known), …) each.
    """
    labels = prediction.shape[1]
    unknown = [label for label in range(1, labels) if label not in known]
    if not unknown:
        return truth, prediction
    background = prediction[:, [0, *unknown]].sum(1, keepdim=True)
    kept = sorted(known)
    return truth[:, [0, *kept]], torch.cat([background, prediction[:, kept]], 1)


def cross_entropy(truth: Tensor, logits: Tensor, known: Sequence[int]) -> Tensor:
    """Binary cross-entropy of each label's sigmoid, the mean over voxels and labels.

    The SCN's halves give sigmoids, not a softmax. Labels outside `known` do not count, nor, where there are
    such, does the background's prediction in voxels that the truth calls background.
    """
    labels = logits.shape[1]
    loss = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    if len(known) == labels - 1:
        return loss.mean()
    counts = torch.zeros_like(loss)
    counts[:, sorted(known)] = 1.0
    counts[:, 0] = 1.0 - truth[:, 0]
    return (loss * counts).sum() / counts.sum().clamp(min=1.0)


def localization_loss(labels: Tensor, logits: Tensor, *, smallest: float = 1.0) -> Tensor:
    """Eq. 1. `labels` (n, z, y, x): 0 or 1; `logits` (n, 2, z, y, x)."""
    return generalized_dice(one_hot(labels, 2), torch.softmax(logits, 1), smallest)


def segmentation_loss(
    labels: Tensor,
    output: SegmentationOutput,
    known: Sequence[int],
    *,
    local_weight: float = 1.0,
    spatial_weight: float = 1.0,
    smallest: float = 1.0,
) -> Tensor:
    """Eq. 2: generalized Dice of the probabilities + λ¹·cross-entropy of the local + λ²·that of the spatial
    prediction.

    `labels` (n, z, y, x); `known`: foreground labels that the case's truth has. The paper does not print
    its λ; 1 here.
    """
    truth = one_hot(labels, output.probabilities.shape[1])
    dice = generalized_dice(*merge_unknown(truth, output.probabilities, known), smallest=smallest)
    local = cross_entropy(truth, output.local_logits, known)
    spatial = cross_entropy(truth, output.spatial_logits, known)
    return dice + local_weight * local + spatial_weight * spatial
