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

    `truth` r and `prediction` p: (n, labels, z, y, x), p in [0, 1]; the mean over n. A label that does not
    occur has no weight: an infinite one would make a crop without it a lesson in never predicting it. Labels
    of fewer than `smallest` voxels weigh as if they had that many, or the rim of an organ at the edge of a
    crop would outweigh all else.
    """
    volume = truth.sum((2, 3, 4))
    weights = torch.where(volume > 0, volume.clamp(min=smallest) ** -2.0, 0.0)
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


def cross_entropy(truth: Tensor, logits: Tensor, known: Sequence[int], balance: float = 0.0) -> Tensor:
    """Binary cross-entropy of each label's sigmoid, the mean over voxels and labels.

    The SCN's halves give sigmoids, not a softmax. Labels outside `known` do not count, nor, where there are
    such, does the background's prediction in voxels that the truth calls background. A label's own voxels
    weigh (other voxels / own voxels) ** `balance` as much as the others; its mean weight stays 1.
    """
    loss = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    if balance > 0.0:
        share = truth.mean((2, 3, 4), keepdim=True)
        mixed = (share > 0) & (share < 1)
        own = torch.where(mixed, (1 / share.clamp(1e-6, 1) - 1) ** balance, 1.0)
        loss = loss * torch.where(truth > 0, own, 1.0) / (1 + (own - 1) * share)
    labels = logits.shape[1]
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
    balance: float = 0.0,
) -> Tensor:
    """Eq. 2: generalized Dice of the probabilities + λ¹·cross-entropy of the local + λ²·that of the spatial
    prediction.

    `labels` (n, z, y, x); `known`: foreground labels that the case's truth has. The paper does not print
    its λ; 1 here.
    """
    truth = one_hot(labels, output.probabilities.shape[1])
    dice = generalized_dice(*merge_unknown(truth, output.probabilities, known), smallest=smallest)
    local = cross_entropy(truth, output.local_logits, known, balance)
    spatial = cross_entropy(truth, output.spatial_logits, known, balance)
    return dice + local_weight * local + spatial_weight * spatial
