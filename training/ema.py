"""Exponential moving average of the weights (paper, section 4.2)."""

from __future__ import annotations

import copy

import torch
from torch import nn


class MovingAverage:
    """Averaged copy of a network. The decay grows to `decay` as (1 + t) / (10 + t), so that short runs
    forget their start.
    """

    def __init__(self, network: nn.Module, decay: float = 0.999) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Add the weights after update number `step` (from 0) to the average."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.network.parameters()), list(network.parameters()), 1 - decay)
