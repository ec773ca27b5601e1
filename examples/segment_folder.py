"""Segment every scan in a folder with one bundle, and write a table of the organs' volumes.

python segment_folder.py SCANS LABELS [BUNDLE]
"""

import csv
import sys
from pathlib import Path

from efficientscn_trt import EfficientSCNError, Segmenter


def main(scans: Path, labels: Path, bundle: str | None = None) -> int:
    """Return the number of scans that could not be segmented."""
    segmenter = Segmenter(bundle)  # loads the networks once
    organs = segmenter.bundle.manifest.labels[1:]
    labels.mkdir(parents=True, exist_ok=True)
    failed = 0
    with open(labels / "volumes.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["scan", *(f"{organ}_ml" for organ in organs), "warnings"])
        for scan in sorted(scans.glob("*.nii.gz")):
            try:
                result = segmenter.segment(scan)
                result.save(labels / scan.name)
            except EfficientSCNError as error:  # one sentence that says what to do
                print(f"{scan.name}: {error}", file=sys.stderr)
                failed += 1
                continue
            volumes = [f"{result.volumes_ml[organ]:.1f}" for organ in organs]
            table.writerow([scan.name, *volumes, " ".join(result.warnings)])
    return failed


if __name__ == "__main__":
    sys.exit(1 if main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:4]) else 0)
