"""Plans of memory on a GPU."""

from __future__ import annotations

import itertools
from typing import Any

from efficientscn_trt import _core
from fuzz import mutation
from fuzz.choices import Choices
from fuzz.core_calls.outcomes import result_of


def arena(choices: Choices) -> None:
    buffers = [
        (choices.of([choices.whole(0, 5000), *mutation.WHOLE]), choices.whole(-1, 4), choices.whole(0, 5))
        for _ in range(choices.whole(0, 12))
    ]
    found = result_of(lambda: _core.plan_arena(buffers))
    if found is not None:
        check_arena([(offset, *buffer) for offset, buffer in zip(found[0], buffers, strict=True)], found[1])


def check_arena(buffers: list[tuple[int, int, int, int]], total: int) -> None:
    """No two buffers (offset, bytes, first step, last step) share a byte in a step."""
    for offset, size, _, _ in buffers:
        assert offset % 256 == 0 and offset + size <= total
    for (a, size_a, *life_a), (b, size_b, *life_b) in itertools.combinations(buffers, 2):
        if life_a[0] <= life_b[1] and life_b[0] <= life_a[1]:
            assert a + size_a <= b or b + size_b <= a


def slabs(choices: Choices) -> None:
    slices = choices.of([choices.whole(0, 3000), 0, -1, -(1 << 63), 100_000])
    slice_bytes = choices.of([choices.whole(0, 10_000), *mutation.WHOLE])
    slab_bytes = choices.of([choices.whole(0, 100_000), *mutation.WHOLE])
    found = result_of(lambda: _core.plan_slabs(slices, slice_bytes, slab_bytes))
    if found is not None:
        assert [first for first, _ in found] == [0, *itertools.accumulate(n for _, n in found)][: len(found)]
        assert sum(count for _, count in found) == max(slices, 0)
        counts = [count for _, count in found]
        assert all(n == 1 or (1 < n <= 4096 and n * slice_bytes <= slab_bytes) for n in counts)


def stage_memory(choices: Choices) -> None:
    def whole() -> int:
        return choices.of([choices.whole(0, 100_000), choices.whole(0, 100), 0, *mutation.WHOLE])

    size = {"region": choices.triple(choices.size()), "sums_size": choices.triple(choices.size())}
    if choices.once_in(4):
        size[choices.of(["region", "sums_size"])] = [whole(), whole(), whole()]
    names = ("input_bytes", "activation_bytes", "output_bytes", "taps_bytes", "label_slice_bytes")
    numbers: dict[str, Any] = {name: whole() for name in (*names, "label_slices")}
    on_device = choices.once_in(2)
    voxel = choices.of([2, 1, 4, *mutation.WHOLE])
    found = result_of(
        lambda: _core.plan_stage_memory(voxel_bytes=voxel, scan_on_device=on_device, **size, **numbers)
    )
    if found is None:
        return
    check_arena([buffer[1:] for buffer in found["buffers"]], found["bytes"])
    bytes_of = {name: size for name, _, size, _, _ in found["buffers"]}
    for name in ("input", "activation", "output", "taps"):
        assert bytes_of[name] == numbers[f"{name}_bytes"]
    (z, y, x), (sums_z, sums_y, sums_x) = (list(map(int, size[name])) for name in ("region", "sums_size"))
    assert bytes_of["sums"] == 4 * sums_z * sums_y * sums_x
    slices = bytes_of["partial"] / (4 * sums_y * sums_x)
    assert 1 <= slices <= max(z, 1) and slices == int(slices)
    assert bytes_of["scan slab"] == (0 if on_device else slices * y * x * voxel)
