"""Sizes and checkpoint order of the two networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from efficientscn_trt.export.reference.architecture import (
    ScnArchitecture,
    checkpoint_shapes,
    parameter_count,
)


def test_parameters_are_those_of_the_paper() -> None:
    assert parameter_count("localization") == 637_474
    assert parameter_count("segmentation") == 1_270_090


def test_order_of_the_segmentation_checkpoint(shared: Path) -> None:
    with np.load(shared / "golden" / "scn_weights.npz") as golden:
        expected = {name: golden[name].shape for name in golden.files}
    assert checkpoint_shapes("segmentation") == expected


def test_localization_checkpoint_is_one_unet() -> None:
    names = list(checkpoint_shapes("localization"))
    assert names == [f"variables/{i}" for i in range(42)]


def test_each_spatial_network_serves_the_next_label() -> None:
    assert ScnArchitecture().order == (1, 2, 3, 4, 0)


def test_a_spatial_network_sees_the_foreground_labels_but_its_own() -> None:
    assert ScnArchitecture().others(0) == [1, 2, 3, 4]
    assert ScnArchitecture().others(2) == [1, 3, 4]


def test_unknown_network() -> None:
    with pytest.raises(ValueError, match="'liver'; expected one of localization, segmentation"):
        checkpoint_shapes("liver")
