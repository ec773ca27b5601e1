"""Plans of the arena: no two buffers in use at the same time share a byte, and no plan is too large."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.core_parameters import localization_parameters

from efficientscn_trt import _core
from efficientscn_trt.bundle import PipelineParameters

MB = 1_000_000
ALIGNMENT = 256

buffers = st.lists(
    st.tuples(st.integers(0, 5000), st.integers(0, 4), st.integers(0, 4)).map(
        lambda b: (b[0], min(b[1], b[2]), max(b[1], b[2]))
    ),
    max_size=12,
)


def aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


@given(buffers)
def test_buffers_that_live_at_a_time_do_not_overlap(wanted: list[tuple[int, int, int]]) -> None:
    offsets, total = _core.plan_arena(wanted)
    assert len(offsets) == len(wanted)
    for offset, (size, _, _) in zip(offsets, wanted, strict=True):
        assert offset % ALIGNMENT == 0
        assert offset + size <= total
    for (a, (size_a, *life_a)), (b, (size_b, *life_b)) in itertools.combinations(
        zip(offsets, wanted, strict=True), 2
    ):
        if life_a[0] <= life_b[1] and life_b[0] <= life_a[1]:
            assert a + size_a <= b or b + size_b <= a


@given(buffers)
def test_the_total_is_between_the_busiest_step_and_the_sum(wanted: list[tuple[int, int, int]]) -> None:
    _, total = _core.plan_arena(wanted)
    steps = [sum(aligned(size) for size, first, last in wanted if first <= step <= last) for step in range(5)]
    assert max(steps, default=0) <= total <= sum(aligned(size) for size, _, _ in wanted)


def test_a_buffer_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="ends before it begins"):
        _core.plan_arena([(1, 2, 1)])


def test_more_bytes_than_can_be_added_are_refused() -> None:
    with pytest.raises(ValueError, match="arena buffer 1 has 18446744073709551615 bytes, more than any GPU"):
        _core.plan_arena([(300, 0, 1), (2**64 - 1, 0, 1)])
    needs = {"input_bytes": 1, "activation_bytes": 1, "output_bytes": 1}
    for wrong, message in (
        ({"region": (1, 2**40, 2**40)}, r"region must have 1 to 2\^40 voxels"),
        ({"sums_size": (0, 1, 1)}, r"sums_size must have 1 to 2\^40 voxels, found \(0, 1, 1\)"),
        ({"voxel_bytes": 2**60}, "voxel_bytes must be 1 to 4"),
        ({"label_slices": -1}, "label_slices must not be negative"),
    ):
        arguments: dict[str, Any] = {"region": (1, 1, 1), "sums_size": (1, 1, 1), "voxel_bytes": 2}
        with pytest.raises(ValueError, match=message):
            _core.plan_stage_memory(**(arguments | needs | wrong))


# The networks' activation at 16 bits per value: at least three full-resolution tensors of 32 channels.
def activation(size: tuple[int, ...]) -> int:
    return 3 * 32 * 2 * int(np.prod(size))


PIPELINE = PipelineParameters()
LOCALIZATION_SIZES = list(itertools.product(*PIPELINE.localization.valid_sizes))
SEGMENTATION_SIZES = list(itertools.product(*PIPELINE.segmentation.valid_sizes))
SCANS = [
    ((120, 512, 512), (2.5, 0.8, 0.8)),
    ((800, 512, 512), (1.0, 0.8, 0.8)),
    ((133, 512, 512), (2.5, 0.7, 0.7)),
    ((112, 101, 122), (3.0, 3.0, 3.0)),
    ((40, 1024, 1024), (5.0, 0.35, 0.35)),
]


def stage_2(region: tuple[int, ...], size: tuple[int, ...], voxel_bytes: int) -> dict[str, Any]:
    """The arena of stage 2 for a crop of `region` voxels that becomes an input of `size`, in float16."""
    z, y, x = region
    return _core.plan_stage_memory(
        region=region,
        voxel_bytes=voxel_bytes,
        sums_size=size,
        input_bytes=2 * int(np.prod(size)),
        activation_bytes=activation(size),
        output_bytes=5 * 2 * int(np.prod(size)),
        taps_bytes=100_000,
        label_slices=z,
        label_slice_bytes=y * (x + 3) // 4 * 4,
    )


@pytest.mark.parametrize("voxel_bytes", [1, 2, 4])
@pytest.mark.parametrize("size", SEGMENTATION_SIZES, ids=str)
def test_stage_2_stays_near_its_networks_activation(size: tuple[int, ...], voxel_bytes: int) -> None:
    for spacing in (0.35, 0.8, 2.0, 5.0):
        region = tuple(max(2, round(extent * 2 / spacing)) for extent in size)
        assert stage_2(region, size, voxel_bytes)["bytes"] <= 1.15 * activation(size) + 32 * MB


@pytest.mark.parametrize(("scan", "spacing"), SCANS, ids=str)
def test_stage_1_stays_near_its_networks_activation(
    scan: tuple[int, ...], spacing: tuple[float, ...]
) -> None:
    plan = _core.plan_localization(scan, spacing, localization_parameters())
    for voxel_bytes in (1, 2, 4):
        memory = _core.plan_stage_memory(
            region=scan,
            voxel_bytes=voxel_bytes,
            sums_size=plan.resized_size,
            input_bytes=2 * int(np.prod(plan.input_size)),
            activation_bytes=activation(plan.input_size),
            output_bytes=int(np.prod(plan.input_size)),
        )
        assert memory["bytes"] <= 1.15 * activation(plan.input_size) + 32 * MB


@pytest.mark.parametrize("size", LOCALIZATION_SIZES, ids=str)
def test_every_localization_size_stays_near_its_networks_activation(size: tuple[int, ...]) -> None:
    for spacing, voxel_bytes in itertools.product((0.35, 0.8, 2.0, 6.0), (1, 2, 4)):
        memory = _core.plan_stage_memory(
            region=tuple(round(extent * 6 / spacing) for extent in size),
            voxel_bytes=voxel_bytes,
            sums_size=size,
            input_bytes=2 * int(np.prod(size)),
            activation_bytes=activation(size),
            output_bytes=int(np.prod(size)),
        )
        assert memory["bytes"] <= 1.15 * activation(size) + 32 * MB


def test_device_memory_does_not_grow_with_the_scan() -> None:
    size = (96, 128, 160)
    short, long = (stage_2((slices, 400, 400), size, 2)["bytes"] for slices in (100, 2000))
    assert short == long


def test_what_streams_shares_its_place_with_the_activation() -> None:
    memory = stage_2((100, 400, 400), (128, 128, 160), 2)
    sizes = {name: size for name, _, size, _, _ in memory["buffers"]}
    assert sizes["scan slab"] > 0
    assert sizes["label slab"] > 0
    kept = sum(sizes[name] for name in ("input", "activation", "output", "report"))
    assert memory["bytes"] <= kept + 10 * ALIGNMENT


def test_a_scan_on_the_device_needs_no_slabs() -> None:
    memory = _core.plan_stage_memory(
        region=(100, 400, 400),
        voxel_bytes=2,
        sums_size=(64, 64, 64),
        input_bytes=64**3 * 2,
        activation_bytes=0,
        output_bytes=64**3,
        scan_on_device=True,
    )
    assert all(size == 0 for name, _, size, _, _ in memory["buffers"] if name == "scan slab")
