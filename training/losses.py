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

    `truth` r, the ground truth, and `prediction` p: (n, labels, z, y, x), p in [0, 1]. Returns the mean over
    n. A label that does not occur has no weight. Its weight would be infinite, and each crop without the
    label would teach the network never to predict it. Labels of fewer than `smallest` voxels weigh as if they
    had that many. Otherwise the rim of an organ at the edge of a crop would outweigh everything else.
    """
    volume = truth.sum((2, 3, 4))
    weights = torch.where(volume > 0, volume.clamp(min=smallest) ** -2.0, 0.0)
    overlap = (weights * (truth * prediction).sum((2, 3, 4))).sum(1)
    total = (weights * (truth + prediction).sum((2, 3, 4))).sum(1)
    return (1.0 - 2.0 * overlap / total).mean()


def merge_unknown(truth: Tensor, prediction: Tensor, known: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Drop the labels that are not annotated in the case; predictions of them count as background.

    `known`: annotated foreground labels of the case. A voxel of the annotated background may belong to any
    label that is not annotated, so a prediction of any of these is right there. Returns ground truth and
    prediction, each (n, 1 + len(known), …).
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

    Binary, because the SCN's halves give sigmoids, not a softmax. Labels outside `known` do not count. If
    there are such labels, the background's prediction does not count in voxels of the annotated background. A
    label's own voxels weigh (other voxels / own voxels) ** `balance` times as much as the others; the label's
    mean weight stays 1.
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
    """Eq. 2: generalized Dice of the probabilities + λ¹·CE of the local + λ²·CE of the spatial prediction.

    CE is the cross-entropy. `labels` (n, z, y, x); `known`: annotated foreground labels of the case. λ¹ is
    `local_weight` and λ² is `spatial_weight`; the paper does not state them.
    """
    truth = one_hot(labels, output.probabilities.shape[1])
    dice = generalized_dice(*merge_unknown(truth, output.probabilities, known), smallest=smallest)
    local = cross_entropy(truth, output.local_logits, known, balance)
    spatial = cross_entropy(truth, output.spatial_logits, known, balance)
    return dice + local_weight * local + spatial_weight * spatial
