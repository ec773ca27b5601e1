"""The layers and floors in the report, for made-up times."""

from __future__ import annotations

from typing import Any

WORK = {
    "size": [32, 64, 96],
    "ends": 1_000_000,
    "layers": [
        {
            "name": "Conv_1",
            "kind": "Convolution",
            "multiply_adds": 4 * 10**9,
            "moved": 10**7,
            "weights": 27_000,
        },
        {"name": "Pool_1", "kind": "AvgPool", "multiply_adds": 0, "moved": 3 * 10**6, "weights": 0},
    ],
}
LAYERS = [
    {"name": "StatefulPartitionedCall/a | b", "milliseconds": 0.01},
    {"name": "Conv_1 + act", "milliseconds": 0.05},
    {"name": "Pool_1", "milliseconds": 0.02},
    {"name": "Reformatting CopyNode for Output Tensor 0 to Pool_1", "milliseconds": 0.02},
]


def steps(**changes: Any) -> dict[str, Any]:
    timed = {"work": WORK, "size": [32, 64, 96], "runs": 30, "milliseconds": 0.09, "layers": LAYERS}
    way = {"stages": {"localization": 0.0004, "segmentation": 0.0002}}
    host = {"stages": {"localization input": 0.002, "segmentation input": 0.001, "labels": 0.0005}}
    found = {
        "machine": {
            "state": "ok",
            "bytes_per_second": {
                "to_device": 5e10,
                "from_device": 4e10,
                "on_device": 2e12,
                "memory": 3.35e12,
            },
        },
        "pytorch": {"state": "ok", "peak_flops": {"fp16": 8e14}},
        "t/times": {
            "state": "ok",
            "scan": [100, 500, 500, "int16"],
            "box_voxels": 10**7,
            "device_to_device": way,
            "host_to_host": host,
        },
        "t/layers": {"state": "ok", "precision": "fp16", "networks": {"segmentation": timed}},
    }
    return found | changes


def test_floors_of_networks() -> None:
    from on_gpu.floor_report import network_floors

    text = network_floors("t/layers", steps())
    # 8 GFLOP at 800 TFLOP/s; 26.054 MB at 2 TB/s. Both layers need longest for their data: 10.027 and 3 µs.
    assert "| segmentation | 32×64×96 | 0.09 | 0.20 | 8 | 0.01 | 26 | 0.01 | 0.01 | 14% |" in text
    assert "800 TFLOP/s" in text
    assert "2.00 TB/s (3.35 by the memory's clock)" in text
    assert "segmentation 2.1 MB" in text


def test_floors_that_are_not_known_are_no_numbers() -> None:
    from on_gpu.floor_report import network_floors, path_floors

    found = steps(pytorch={"state": "skipped"}, machine={"bytes_per_second": {"problem": "no driver"}})
    found["t/times"] |= {"segmentation_size": [64, 64, 64]}
    text = network_floors("t/layers", found)
    assert "| segmentation | 32×64×96 | 0.09 | – | 8 | – | 26 | – | – | – |" in text
    assert "The peak was not measured (the step pytorch has none)" in text
    assert "the bandwidth was not measured (the step machine has none)" in text
    assert list(path_floors(found, found["t/times"])) == []


def test_floors_of_the_path_beside_the_networks() -> None:
    from on_gpu.floor_report import path_floors

    found = steps()
    text = "\n".join(path_floors(found, found["t/times"]))
    assert "| localization input | the scan to the device | 50.0 | 2.00 | 1.00 | 50% |" in text
    assert "| segmentation input | its box once more | 20.0 | 1.00 | 0.40 | 40% |" in text
    assert "| labels | the box's labels back | 10.0 | 0.50 | 0.25 | 50% |" in text
    assert "| together |  | 80.0 | 3.50 | 1.65 | 47% |" in text


def test_the_slowest_layers_come_first_with_their_own_floors() -> None:
    from on_gpu.layer_report import layers

    text = "\n".join(layers("t/layers", steps()))
    assert "### t/layers: segmentation at 32×64×96" in text
    assert (
        "4 layers take 0.10 ms by the profiler (medians of 30 runs); a run without it takes 0.09 ms." in text
    )
    assert (
        "By kind: convolutions 0.05 ms (50%), pooling 0.02 ms (20%), reformatting 0.02 ms (20%), other"
        in text
    )
    rows = [line for line in text.splitlines() if line.startswith("| ")][2:]
    assert rows == [
        "| Conv_1 + act | 50 | 50% | 10 | 20% |",
        "| Pool_1 | 20 | 20% | 3 | 15% |",
        "| Reformatting CopyNode for Output Tensor 0 to Pool_1 | 20 | 20% | – | – |",
        r"| a \| b | 10 | 10% | – | – |",
    ]


def test_a_layer_has_what_tensorrt_chose_for_it() -> None:
    from on_gpu.layer_report import layers

    detail = {
        "type": "CaskConvolution",
        "tactic": f"sm80_xmma_fprop_implicit_gemm_{'x' * 100}",
        "inputs": ["1×1×32×64×96 Row major linear FP16 format"],
        "outputs": ["1×32×32×64×96 Channel major FP16 format where C % 8 == 0"],
    }
    tactics = {"state": "ok", "networks": {"segmentation": {"Conv_1 + act": detail}}}
    text = "\n".join(layers("t/layers", steps(**{"t/tactics": tactics})))
    chosen = f"FP16 linear → 32×32×64×96 FP16 channels last in 8 | sm80_{'x' * 58}… |"
    assert f"| Conv_1 + act | 50 | 50% | 10 | 20% | {chosen}" in text
    assert "| Pool_1 | 20 | 20% | 3 | 15% |  |  |" in text


def test_only_some_layers_are_shown(monkeypatch: Any) -> None:
    from on_gpu import layer_report

    monkeypatch.setattr(layer_report, "SLOWEST", 2)
    text = "\n".join(layer_report.layers("t/layers", steps()))
    assert text.endswith("The other 2: 0.03 ms (30%).")


def test_a_step_that_reports_too_little_costs_only_its_own_part() -> None:
    from on_gpu.report import markdown

    found = steps()
    found["t/layers"]["networks"] = {"segmentation": {}}
    del found["t/times"]["host_to_host"]
    text = markdown(found | {"last/engines": {"state": "ok", "version": "8.5.3.1", "engines": {}}})
    assert "## t/layers\n\nCould not be shown (KeyError: 'work')." in text
    assert "## last/engines, version 8.5.3.1" in text
