"""Time each stage of a bundle on one scan, in memory, and print a Markdown table with the peak memory.

python measure_stages.py SCAN [BUNDLE]
"""

import statistics
import sys

import SimpleITK as sitk

from efficientscn_trt import Segmenter
from efficientscn_trt.segmenter import STAGES

RUNS = 5


def main(scan: str, bundle: str | None = None) -> None:
    """Print medians of RUNS runs after one that is not counted."""
    image = sitk.ReadImage(scan)
    segmenter = Segmenter(bundle)
    segmenter.segment(image)  # compiles for this size and allocates
    results = [segmenter.segment(image) for _ in range(RUNS)]
    print(f"| {segmenter.device} {segmenter.precision} | median of {RUNS} (s) | largest (s) |")
    print("| --- | ---: | ---: |")
    for stage in STAGES:
        seconds = [result.seconds[stage] for result in results]
        print(f"| {stage} | {statistics.median(seconds):.3f} | {max(seconds):.3f} |")
    totals = [sum(result.seconds.values()) for result in results]
    print(f"| **total** | {statistics.median(totals):.3f} | {max(totals):.3f} |")
    print(f"\nPeak memory of this process: {results[-1].peak_host_memory / 2**30:.2f} GiB")


if __name__ == "__main__":
    main(*sys.argv[1:])
