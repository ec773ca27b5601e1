"""Time each network over its valid sizes, and compare it with the fastest convolutions of the CPU.

The peak is OpenVINO's speed in a chain of 3×3×3 convolutions from 32 to 32 channels, measured here. The first
time at the peak is that of all the network's multiply-adds. The second, the floor, is that of the
multiply-adds that are computed: fewer in float32, by the core's minimal filtering, whose transforms before
and after are not counted.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from report import COLOURS, Report, figure, parser, say, size_text

from efficientscn_trt import backends
from efficientscn_trt import bundle as bundles
from efficientscn_trt.measure.convolutions import multiply_adds_of, operations, peak_flops
from efficientscn_trt.measure.samples import summarize

PRECISIONS = ("fp32", "bf16", "int8")

TILE = 4
"""The core computes (TILE + 2)³ products for TILE³ voxels and each pair of channels of most convolutions."""

SIZES = {
    "localization": ((32, 64, 64), (64, 64, 64), (64, 80, 80), (128, 80, 80), (256, 80, 80)),
    "segmentation": ((32, 64, 96), (64, 96, 128), (96, 96, 128), (96, 128, 160), (160, 128, 160)),
}


def computed_multiply_adds(node: Any) -> int:
    """Number of multiply-adds that the core computes for an operation of a bundle's network."""
    direct = multiply_adds_of(node)
    if not direct:
        return 0
    outputs, inputs, *taps = node.input(1).get_shape()
    if taps != [3, 3, 3] or inputs % 16:
        return direct
    tiles = [-(-places // TILE) for places in list(node.output(0).get_shape())[2:]]
    return (TILE + 2) ** 3 * math.prod(tiles) * outputs * inputs


def main() -> None:
    """Measure and write."""
    options = parser(__doc__)
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--precision", default="auto")
    arguments = options.parse_args()
    report = Report("Networks and the machine's convolutions")
    bundle = bundles.load(arguments.bundle)
    backend = backends.load(bundle, "cpu", arguments.precision, arguments.threads)
    rng = np.random.default_rng(0)
    say("measuring the fastest convolutions of this machine")
    peaks = [peak_flops(backend.precision, arguments.threads)]
    timed = []
    for network, sizes in SIZES.items():
        compute = backend.localize if network == "localization" else backend.segment
        for size in sizes:
            say(f"{network} at {size_text(size)}")
            image = rng.uniform(-0.5, 0.3, size).astype(np.float32)
            compute(image)
            seconds = []
            for _ in range(arguments.repeats):
                begin = time.perf_counter()
                compute(image)
                seconds.append(time.perf_counter() - begin)
            timed.append((network, size, summarize(seconds)))
    peaks.append(peak_flops(backend.precision, arguments.threads))
    peak = max(peaks)
    for network, size, summary in timed:
        nodes = operations(bundle.file(network), size)
        work = 2 * sum(map(multiply_adds_of, nodes))
        computed = 2 * sum(map(computed_multiply_adds, nodes)) if backend.precision == "fp32" else work
        report.results[f"{network} {size_text(size)}"] = {
            "network": network,
            "voxels": math.prod(size),
            "flop": work,
            "seconds": asdict(summary),
            "computed_flop": computed,
            "direct_seconds": work / peak,
            "floor_seconds": computed / peak,
            "share_of_floor": computed / peak / summary.median,
        }
    others = {name: peak_flops(name, arguments.threads) for name in PRECISIONS if name != backend.precision}
    report.text(
        f"{backend.device}, {backend.precision}; 3×3×3 convolutions of 32 channels reach "
        f"{peak / 1e9:.0f} GFLOP/s here (before and after: {peaks[0] / 1e9:.0f}, {peaks[1] / 1e9:.0f}), "
        + " and ".join(f"{other / 1e9:.0f} in {name}" for name, other in others.items())
        + "."
    )
    report.table(
        (
            "Network and size (z, y, x)",
            "GFLOP",
            "At the peak (s)",
            "Computed GFLOP",
            "At the peak: the floor (s)",
            "Median (s)",
            "p90 (s)",
            "Floor / median (%)",
        ),
        [
            [
                name,
                f"{result['flop'] / 1e9:.1f}",
                f"{result['direct_seconds']:.3f}",
                f"{result['computed_flop'] / 1e9:.1f}",
                f"{result['floor_seconds']:.3f}",
                f"{result['seconds']['median']:.3f}",
                f"{result['seconds']['p90']:.3f}",
                f"{100 * result['share_of_floor']:.0f}",
            ]
            for name, result in report.results.items()
        ],
    )
    report.results["peak_flops"] = peaks
    report.results["peak_flops_of_others"] = others
    report.write(arguments, _draw)


def _draw(results: Mapping[str, Any]) -> Any:
    picture = figure(7, 4)
    axes = picture.subplots()
    for network, colour in zip(SIZES, COLOURS, strict=False):
        own = [result for name, result in results.items() if name.startswith(network)]
        voxels = [result["voxels"] / 1e6 for result in own]
        axes.plot(voxels, [result["seconds"]["median"] for result in own], "o-", color=colour, label=network)
        axes.plot(
            voxels,
            [result["floor_seconds"] for result in own],
            "--",
            color=colour,
            label=f"{network}, floor",
        )
    axes.set(xlabel="Voxels (million)", ylabel="Seconds", xlim=(0, None), ylim=(0, None))
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return picture


if __name__ == "__main__":
    main()
