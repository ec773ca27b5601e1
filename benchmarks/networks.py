"""Time each network over its valid sizes, and compare it with the fastest convolutions of the CPU.

The peak is OpenVINO's speed in a chain of 3×3×3 convolutions from 32 to 32 channels, measured here. The first
floor is the time of all the network's multiply-adds at the peak. In float32 the core's minimal filtering
needs 64 products instead of 216, and the second floor is their time at the peak. The filtering's extra
additions are not counted.
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
from efficientscn_trt.measure.convolutions import multiply_adds, peak_flops
from efficientscn_trt.measure.samples import summarize

#: Products of minimal filtering F(2×2×2, 3×3×3), as a share of a direct convolution's.
FILTERED = 64 / 216

SIZES = {
    "localization": ((32, 64, 64), (64, 64, 64), (64, 80, 80), (128, 80, 80), (256, 80, 80)),
    "segmentation": ((32, 64, 96), (64, 96, 128), (96, 96, 128), (96, 128, 160), (160, 128, 160)),
}


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
        work = 2 * multiply_adds(bundle.file(network), size)
        report.results[f"{network} {size_text(size)}"] = {
            "network": network,
            "voxels": math.prod(size),
            "flop": work,
            "seconds": asdict(summary),
            "floor_seconds": work / peak,
            "share_of_peak": work / peak / summary.median,
            "filtered_floor_seconds": work / peak * FILTERED if backend.precision == "fp32" else None,
        }
    report.text(
        f"{backend.device}, {backend.precision}; 3×3×3 convolutions of 32 channels reach "
        f"{peak / 1e9:.0f} GFLOP/s here (before and after: {peaks[0] / 1e9:.0f}, {peaks[1] / 1e9:.0f})."
    )
    report.table(
        (
            "Network and size (z, y, x)",
            "GFLOP",
            "At the peak (s)",
            "Fewer products at the peak (s)",
            "Median (s)",
            "p90 (s)",
            "GFLOP/s",
            "Of the peak (%)",
        ),
        [
            [
                name,
                f"{result['flop'] / 1e9:.1f}",
                f"{result['floor_seconds']:.3f}",
                f"{result['filtered_floor_seconds']:.3f}" if result["filtered_floor_seconds"] else "–",
                f"{result['seconds']['median']:.3f}",
                f"{result['seconds']['p90']:.3f}",
                f"{result['flop'] / result['seconds']['median'] / 1e9:.0f}",
                f"{100 * result['share_of_peak']:.0f}",
            ]
            for name, result in report.results.items()
        ],
    )
    report.results["peak_flops"] = peaks
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
            label=f"{network}, all multiply-adds at the peak",
        )
    axes.set(xlabel="Voxels (million)", ylabel="Seconds", xlim=(0, None), ylim=(0, None))
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return picture


if __name__ == "__main__":
    main()
