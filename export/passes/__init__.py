"""The graph passes, in the order in which the export applies them. One named pattern per file."""

from __future__ import annotations

from . import (
    binary_entropy,
    casts,
    channel_stacking,
    constants,
    convolution_bias,
    cubic_upsampling,
    double_complement,
    duplicates,
    explicit_padding,
    kept_dimensions,
    linear_upsampling,
    softplus,
    split_convolution,
    transposes,
    unit_power,
)
from .graph_pass import GraphPass

PASSES: tuple[GraphPass, ...] = (
    constants.PASS,
    duplicates.PASS,
    linear_upsampling.PASS,
    transposes.PASS,
    convolution_bias.PASS,
    split_convolution.PASS,
    channel_stacking.PASS,
    explicit_padding.PASS,
    kept_dimensions.PASS,
    softplus.PASS,
    binary_entropy.PASS,
    unit_power.PASS,
    double_complement.PASS,
    casts.PASS,
    cubic_upsampling.PASS,  # last, because other passes would undo its nodes
)

__all__ = ["PASSES", "GraphPass"]
