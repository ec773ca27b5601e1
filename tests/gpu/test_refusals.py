"""Input that the device pipeline cannot take is refused in one sentence, before anything is written."""

from __future__ import annotations

import numpy as np
import pytest
from support.core_parameters import localization_parameters, segmentation_parameters
from support.device_scans import SPACING, make_scan
from support.fake_pipeline import (
    FakePipeline,
    mask_shape,
    organ_mask,
    probabilities_shape,
    smooth_probabilities,
)

from efficientscn_trt.errors import DeviceError

SCAN = make_scan(17, (20, 30, 40))


def test_engines_of_other_networks() -> None:
    parts = FakePipeline()
    image = parts.trt.engine(lambda image: image, output="FLOAT")
    with pytest.raises(ValueError, match="output must be a mask"):
        parts.pipeline_of(image, image)


def test_an_output_of_too_few_channels() -> None:
    parts = FakePipeline()
    two = parts.trt.engine(
        lambda image: np.repeat(image, 2, 1), output_shape=lambda shape: (1, 2, *shape[2:])
    )
    other = parts.pipeline_of(parts.localization, two)
    with pytest.raises(ValueError, match=r"has the shape 1 2 .*, expected 1 5 "):
        other.segment(SCAN, SPACING, np.empty(SCAN.shape, np.uint8))


@pytest.mark.parametrize(
    ("elements", "tensor"),
    [
        (("BOOL", "FLOAT", "FLOAT"), "input"),
        (("FLOAT", "BOOL", "FLOAT"), "input"),
        (("FLOAT", "FLOAT", "BOOL"), "output"),
    ],
)
def test_engines_of_other_types(elements: tuple[str, str, str], tensor: str) -> None:
    parts = FakePipeline()
    trt = parts.trt
    mask_input, image_input, output = elements
    other = parts.pipeline_of(
        trt.engine(organ_mask, input=mask_input, output="BOOL", output_shape=mask_shape),
        trt.engine(smooth_probabilities, input=image_input, output=output, output_shape=probabilities_shape),
    )
    with pytest.raises(
        ValueError, match=f"The engine's {tensor} must be float32 or float16; build the engine"
    ):
        other.segment(SCAN, SPACING, np.empty(SCAN.shape, np.uint8))


def test_more_labels_than_a_block_of_the_gpu_holds() -> None:
    parts = FakePipeline(segmentation_parameters=segmentation_parameters(valid_sizes=[[8], [8], [64]]))
    many = parts.trt.engine(
        lambda image: np.repeat(image, 200, 1), output_shape=lambda shape: (1, 200, *shape[2:])
    )
    other = parts.pipeline_of(parts.localization, many, 200)
    with pytest.raises(DeviceError, match=r'no room for 200 labels of 64 voxels each; use device="cpu"'):
        other.segment(SCAN, SPACING, np.empty(SCAN.shape, np.uint8))


@pytest.mark.parametrize("axis", range(3))
def test_more_voxels_along_an_axis_than_a_launch_takes(axis: int) -> None:
    size = [2, 2, 2]
    size[axis] = 65536
    scan = np.zeros(size, np.int16)
    with pytest.raises(
        DeviceError, match=r"at most 65535 voxels along an axis, found \(.*65536.*\) \(z, y, x\)"
    ):
        FakePipeline().segment(scan, SPACING)


def test_more_voxels_in_one_of_the_network_than_a_block_holds() -> None:
    coarse = FakePipeline(localization_parameters=localization_parameters(spacing_mm=16.0))
    with pytest.raises(
        DeviceError, match=r'covers more than 12288 voxels .* along x, too many for a GPU; use device="cpu"'
    ):
        coarse.segment(np.zeros((2, 2, 40000), np.int16), (4.0, 4.0, 0.001))


def test_labels_of_another_size() -> None:
    with pytest.raises(
        ValueError, match=r"labels has the size \(2, 2, 2\) but the volume has \(20, 30, 40\)"
    ):
        FakePipeline().pipeline.segment(SCAN, SPACING, np.empty((2, 2, 2), np.uint8))


def test_labels_on_the_device_with_gaps() -> None:
    labels = np.zeros((80, 52, 46), np.uint8)[::2]
    with pytest.raises(ValueError, match="must fill their memory without gaps"):
        FakePipeline().pipeline.segment(make_scan(0, (40, 52, 46)), SPACING, labels, labels_on_device=True)
