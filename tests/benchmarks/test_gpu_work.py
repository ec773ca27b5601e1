"""The networks' work, counted without a GPU: against counts by hand, and in the reference folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def test_the_work_of_a_small_network_by_hand(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    import onnx_ir as ir
    from on_gpu.layer_work import network_work
    from on_gpu.work import LayerWork
    from support.small_network import small_network

    onnx.save(ir.to_proto(small_network()), str(tmp_path / "network.onnx"))
    z, y, x = size = (8, 12, 16)
    full, half, quarter = z * y * x, z * y * x // 8, z * y * x // 64
    work = network_work(tmp_path / "network.onnx", size)
    layers = {layer.kind: [] for layer in work.layers}  # type: ignore[var-annotated]
    for layer in work.layers:
        layers[layer.kind].append((layer.multiply_adds, layer.moved, layer.weights))
    assert sorted(layers["AvgPool"]) == [(0, 4 * (half + quarter), 0), (0, 4 * (full + half), 0)]
    assert sorted(layers["Interpolate"]) == [(0, 4 * (quarter + half), 0), (0, 4 * (half + full), 0)]
    first, expanded = (27 * 4 * full, 5 * full, 27 * 4), (27 * 8 * 4 * full, 12 * full, 27 * 8 * 4)
    low, low_out = (27 * 16 * half, 8 * half, 27 * 16), (27 * 32 * half, 12 * half, 27 * 32)
    heads = [found for found in layers["Convolution"] if found[2] == 12]
    assert sorted(layers["Convolution"]) == sorted([first, expanded, low, low_out, *heads])
    # One head combines both into the probabilities. The other passes it one or two arrays of 3 labels.
    assert [adds for adds, _, _ in heads] == [12 * full] * 2
    assert sum(moved for _, moved, _ in heads) in ((4 + 3 + 4 + 3 + 3) * full, (4 + 6 + 4 + 6 + 3) * full)
    assert work.ends == 4 * full
    assert isinstance(work.layers[0], LayerWork)


def test_the_work_travels_with_the_reference(context: Any, tmp_path: Path) -> None:
    from on_gpu.work import LayerWork, NetworkWork, read_work, write_work

    found = read_work(context.reference)
    assert found is not None
    assert list(found) == ["localization", "segmentation"]
    assert all(work.ends > 0 for work in found.values())
    assert read_work(tmp_path) is None
    own = {"segmentation": NetworkWork((32, 64, 96), (LayerWork("a", "AvgPool", 0, 9, 0),), 7)}
    write_work(tmp_path, own)
    assert read_work(tmp_path) == own
