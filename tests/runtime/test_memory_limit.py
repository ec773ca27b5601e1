"""What a scan is estimated to need, and the refusal of one that needs more than its limit."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as op
from support.scans import SPACING_XYZ, block_array, block_image
from support.unet_reference import SLOPE, UNetReference

from efficientscn_trt import InputError, MemoryLimitError, Segmenter, _core
from efficientscn_trt.backends.openvino_need import peak_bytes
from efficientscn_trt.io.orientation import Geometry
from efficientscn_trt.io.unread import Unread
from efficientscn_trt.pipeline.need import NetworkNeed, need_on_host


def _refusal(segmenter: Segmenter, volume: Any, **options: Any) -> str:
    with pytest.raises(MemoryLimitError) as refused:
        segmenter.segment(volume, **options)
    return str(refused.value)


def test_a_limit_that_is_too_low_for_any_box(scan_file: Path) -> None:
    said = _refusal(Segmenter(device="cpu", max_memory=1 << 20), scan_file)
    need = re.fullmatch(
        re.escape(f"{scan_file} (57 × 45 × 34 voxels) needs at least ")
        + r"(\d+\.\d\d) GiB of memory, expected at most 0\.00 GiB; raise the limit, or crop the scan to the "
        r"abdomen\.",
        said,
    )
    assert need and float(need[1]) > 0.1


def test_voxels_of_a_scan_that_is_too_large_are_not_read(scan_file: Path) -> None:
    content = scan_file.read_bytes()
    scan_file.write_bytes(content[:-8] + bytes(8))  # the checksum of the voxels
    with pytest.raises(InputError, match="damaged or cut short"):
        Segmenter(device="cpu").segment(scan_file)
    _refusal(Segmenter(device="cpu", max_memory=1 << 20), scan_file)


def test_a_limit_that_is_too_low_for_the_box_that_was_found() -> None:
    large = block_image()
    large.SetSpacing((8.0, 7.0, 10.0))
    segmenter = Segmenter(device="cpu")
    needs = [
        segmenter._pipeline.need(Unread.in_memory("", Geometry.of(large), block_array()), (10, 7, 8), size)
        for size in (None, segmenter.segment(large).input_sizes["segmentation"])
    ]
    assert needs[0].most < needs[1].most
    segmenter._memory.most = segmenter._memory.loaded + (needs[0].most + needs[1].most) // 2
    stages: list[str] = []
    said = _refusal(segmenter, large, progress=lambda stage, *_: stages.append(stage))
    assert said.startswith("The image (57 × 45 × 34 voxels) needs about ")
    assert stages[-1] == "localization"


def test_a_limit_that_is_high_enough() -> None:
    free = Segmenter(device="cpu").segment(block_image())
    limited = Segmenter(device="cpu", max_memory=2 * free.estimated_host_memory)
    for result in (limited.segment(block_image()), limited.segment(block_array(), spacing=SPACING_XYZ)):
        np.testing.assert_array_equal(np.asarray(result.array), np.asarray(free.array))
        assert result.estimated_host_memory < 2 * free.estimated_host_memory


def test_memory_that_is_kept_is_freed_for_a_scan_that_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    segmenter = Segmenter(device="cpu", max_memory=1 << 40)
    expected = segmenter.segment(block_image())
    trimmed: list[bool] = []
    trim = segmenter._pipeline.trim

    def note_and_trim() -> None:
        trimmed.append(True)
        trim()

    monkeypatch.setattr(segmenter._pipeline, "trim", note_and_trim)
    segmenter.segment(block_image())
    assert not trimmed
    segmenter._memory.most = expected.estimated_host_memory + 1
    segmenter._memory.kept = expected.estimated_host_memory
    result = segmenter.segment(block_image())
    assert trimmed
    np.testing.assert_array_equal(np.asarray(result.array), np.asarray(expected.array))


@pytest.mark.parametrize("limit", [0, -1, "4G", 1.5, float("inf"), [], object()])
def test_what_is_no_limit(limit: Any) -> None:
    with pytest.raises(
        ValueError, match=r"The memory limit is .*, expected a positive whole number of bytes"
    ):
        Segmenter(device="cpu", max_memory=limit)


def test_a_pickled_segmenter_keeps_its_limit(scan_file: Path) -> None:
    copy = pickle.loads(pickle.dumps(Segmenter(device="cpu", max_memory=np.int64(1 << 20))))
    _refusal(copy, scan_file)


def test_the_parts_of_a_run_on_the_host() -> None:
    scan = Unread.in_memory("", Geometry.of(block_image()), block_array().astype(np.float64)).converted()
    voxels = 57 * 45 * 34
    need = need_on_host(scan, NetworkNeed((2, 3, 4), 1000), NetworkNeed((4, 5, 6), 2000), 10)
    assert need.reading == (8 + 4) * voxels
    assert need.localization == (8 + 4) * voxels + 4 * 24 + 1000
    assert need.segmentation == (8 + 4) * voxels + 4 * 120 + 4 * 10
    assert need.labels == 8 * voxels + 2000 + voxels + 4 * 10
    assert need.most == need.localization


def test_the_tensors_of_a_graph() -> None:
    image = op.parameter([1, 1, 4, 4, 4], np.float32)
    weights = op.constant(np.zeros((8, 1, 3, 3, 3), np.float32))
    one = [1, 1, 1]
    wide = op.convolution(image, weights, one, one, one, one)  # 8 × 64 values, until the sum
    small = op.reduce_mean(wide, op.constant(np.array([2, 3, 4])), keep_dims=True)  # 8
    total = op.add(wide, small)  # 8 × 64
    narrow = op.reduce_max(total, op.constant(np.array([1])), keep_dims=True)  # 64
    above = op.greater(narrow, op.constant(np.float32(0)))  # 64 of one byte
    graph = ov.Model([op.result(above)], [image], "graph")
    assert peak_bytes(graph, 4) == 4 * (512 + 8 + 512)
    assert peak_bytes(graph, 2) == 2 * (512 + 8 + 512)


def test_tensors_whose_size_depends_on_values_do_not_count() -> None:
    image = op.parameter([1, 1, 4, 4, 4], np.float32)
    places = op.non_zero(image, "i64")  # [5, any]
    shown = op.scatter_nd_update(image, op.transpose(places, op.constant(np.array([1, 0]))), _ones(places))
    graph = ov.Model([op.result(shown)], [image], "graph")
    assert peak_bytes(graph, 4) < 3 * 4 * 64


def _ones(places: ov.Node) -> ov.Node:
    """As many as there are columns."""
    columns = op.gather(op.shape_of(places), op.constant(np.array([1])), op.constant(0))
    return op.broadcast(op.constant(np.float32(1)), columns)


_GROWTH = """
import sys
import numpy as np
from support.unet_reference import SLOPE, UNetReference
from efficientscn_trt import _core
from efficientscn_trt.system import resident_bytes

levels, threads, *size = map(int, sys.argv[1:])
weights = UNetReference.seeded(levels, 32, 5, 1)
network = _core.UNet(weights.contracting, weights.expanding, weights.head, SLOPE)
image, logits = np.ones((1, *size), np.float32), np.ones((5, *size), np.float32)
before = resident_bytes()
network.run(image, logits, threads=threads)
print(network.bytes_for(size, threads), resident_bytes() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux does")
@pytest.mark.parametrize("arguments", [(5, 1, 64, 64, 96), (4, 3, 40, 104, 72), (2, 2, 96, 48, 50)])
def test_the_core_takes_as_much_as_it_says(arguments: tuple[int, ...]) -> None:
    tests = Path(__file__).parents[1]
    command = [sys.executable, "-c", _GROWTH, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONPATH": str(tests)})
    expected, found = map(int, done.stdout.split())
    assert found == pytest.approx(expected, rel=0.1, abs=4 << 20)


def test_sizes_that_the_core_cannot_run() -> None:
    weights = UNetReference.seeded(3, 16, 1, 1)
    network = _core.UNet(weights.contracting, weights.expanding, weights.head, SLOPE)
    with pytest.raises(ValueError, match="multiple of 4 voxels along each axis, found"):
        network.bytes_for((8, 8, 6))
    with pytest.raises(ValueError, match="at most 16384 voxels along each axis, found"):
        network.bytes_for((8, 8, 16388))
    assert network.bytes_for((16384, 16384, 16384)) > 16 * 4 * 2**42
