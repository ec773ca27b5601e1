"""Measurements: what they contain, not how long things take."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from support.scans import block_labels

from efficientscn_trt import BundleError
from efficientscn_trt.bundle import Bundle
from efficientscn_trt.measure.convolutions import multiply_adds, operations, peak_flops
from efficientscn_trt.measure.device_memory import PeakDeviceMemory
from efficientscn_trt.measure.machine import machine_facts, machine_line
from efficientscn_trt.measure.processes import Job, run
from efficientscn_trt.measure.samples import summarize, summarize_stages
from efficientscn_trt.segmenter import STAGES

OWN = "efficientscn_trt.measure.candidate:OwnPipeline"


def test_a_process_gives_its_account(tiny_bundle: Bundle, scan_file: Path, tmp_path: Path) -> None:
    labels, cache = tmp_path / "labels.nii.gz", tmp_path / "cache"
    job = Job(OWN, {"bundle": str(tiny_bundle.path)}, scan_file, repeats=3, labels=labels, cache=cache)
    account = run(job)
    assert account.note.startswith("cpu")
    assert len(account.warm) == len(account.warm_total) == 3
    assert len(account.files_total) == 2
    for stages in (account.first, *account.warm):
        assert list(stages) == list(STAGES)
    assert 0 < account.load < account.cold
    assert sum(account.first.values()) < account.cold
    assert 0 < account.peak_first <= account.peak
    assert account.input_sizes["localization"] == (32, 32, 48)
    assert all(size % 32 == 0 for size in account.input_sizes["segmentation"])
    found = sitk.GetArrayFromImage(sitk.ReadImage(str(labels)))
    assert np.mean(found == block_labels()) > 0.95
    assert any(cache.rglob("*.blob"))
    assert sorted(path.name for path in scan_file.parent.iterdir()) == ["cache", "ct.nii.gz", "labels.nii.gz"]


def test_a_budget_ends_the_repetitions(tiny_bundle: Bundle, scan_file: Path) -> None:
    account = run(Job(OWN, {"bundle": str(tiny_bundle.path)}, scan_file, repeats=1000, budget=0.0))
    assert (len(account.warm), len(account.files_total)) == (1, 1)


def test_nothing_is_written_beside_the_scan(tiny_bundle: Bundle, scan_file: Path) -> None:
    other = scan_file.with_name(f"{scan_file.name}.labels.nii.gz")
    other.write_bytes(b"of someone else")
    account = run(Job(OWN, {"bundle": str(tiny_bundle.path)}, scan_file, repeats=1))
    assert len(account.files_total) == 1
    assert other.read_bytes() == b"of someone else"
    assert sorted(scan_file.parent.iterdir()) == [scan_file, other]


def test_the_error_of_a_process_is_raised_here(scan_file: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="There is no bundle at"):
        run(Job(OWN, {"bundle": str(tmp_path / "nowhere")}, scan_file))


def test_any_other_failure_of_a_process_has_its_message(scan_file: Path) -> None:
    with pytest.raises(RuntimeError, match="No module named 'nowhere'"):
        run(Job("nowhere:Candidate", {}, scan_file))


def test_summaries() -> None:
    summary = summarize([4.0, 1.0, 2.0, 3.0, 5.0])
    assert (summary.median, summary.count) == (3.0, 5)
    assert summary.p90 == pytest.approx(4.6)
    stages = summarize_stages([{"read": 1.0, "labels": 5.0}, {"read": 3.0, "labels": 5.0}])
    assert (stages["read"].median, stages["labels"].median) == (2.0, 5.0)


def test_the_machine_is_reported() -> None:
    facts = machine_facts(["pytest", "no-such-package"])
    assert facts["cores"] >= 1
    assert facts["versions"]["pytest"] == pytest.__version__
    assert "no-such-package" not in facts["versions"]
    assert facts["processor"] in machine_line(facts)


def test_convolutions_of_a_network_are_counted(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnx_ir")
    import onnx_ir as ir
    from support.small_network import small_network

    path = tmp_path / "network.onnx"
    onnx.save(ir.to_proto(small_network()), str(path))
    z, y, x = size = (8, 12, 16)
    voxels = z * y * x
    full = 27 * 4 + 27 * 8 * 4 + 4 * 3 + 4 * 3  # first, expanded, two logits
    half = 27 * 4 * 4 + 27 * 8 * 4  # low, low_out
    assert multiply_adds(path, size) == full * voxels + half * voxels // 8


def test_fewer_multiply_adds_are_computed(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    from networks import computed_multiply_adds

    shape = [1, 1, 6, 8, 5]
    layers = [((16, 1), 3), ((32, 16), 3), ((2, 32), 1)]
    nodes, weights = [], []
    for i, (channels, taps) in enumerate(layers):
        kernel = np.ones((*channels, taps, taps, taps), np.float32)
        weights.append(onnx.numpy_helper.from_array(kernel, f"w{i}"))
        pads = [taps // 2] * 6
        nodes.append(onnx.helper.make_node("Conv", [f"v{i}", f"w{i}"], [f"v{i + 1}"], pads=pads))
    ends = [
        onnx.helper.make_tensor_value_info(name, 1, [1, n, *shape[2:]]) for name, n in (("v0", 1), ("v3", 2))
    ]
    graph = onnx.helper.make_graph(nodes, "g", ends[:1], ends[1:], weights)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path / "network.onnx"
    onnx.save(model, str(path))
    voxels, tiles = 6 * 8 * 5, 2 * 2 * 2
    expected = voxels * 27 * 16 + tiles * 216 * 16 * 32 + voxels * 2 * 32
    assert sum(map(computed_multiply_adds, operations(path, (6, 8, 5)))) == expected


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_convolutions_have_a_speed(precision: str) -> None:
    assert peak_flops(precision, threads=1, seconds=0.1) > 1e6


def test_device_memory_is_the_growth_over_the_block() -> None:
    values = iter([100, 130, 180, 150])
    last = 150

    def used() -> int:
        return next(values, last)

    with PeakDeviceMemory(used, interval=0.001) as device:
        deadline = time.monotonic() + 30
        while device.peak != 80 and time.monotonic() < deadline:
            time.sleep(0.001)
    assert device.peak == 80
