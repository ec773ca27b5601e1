"""Segment every scan in a folder with one bundle, and write a table of the organs' volumes.

python segment_folder.py SCANS LABELS BUNDLE

A scan is a .nii.gz file, or a folder with a DICOM series. A scan whose label map exists is left out, so the
same command goes on where it was stopped.
"""

import csv
import sys
from pathlib import Path

from efficientscn_trt import InputError, Segmenter, segment_many


def main(scans: Path, labels: Path, bundle: str) -> int:
    """Return the number of scans that were refused."""
    found = sorted(path for path in scans.iterdir() if path.is_dir() or path.name.endswith(".nii.gz"))
    if not found:
        sys.exit(f"{scans} has neither .nii.gz files nor folders.")
    labels.mkdir(parents=True, exist_ok=True)
    if labels.samefile(scans):
        sys.exit(f"{labels} has the scans; give another folder for the label maps.")

    segmenter = Segmenter(bundle)  # loads the networks once
    organs = segmenter.bundle.manifest.labels[1:]
    refused = 0
    with open(labels / "volumes.csv", "a", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        if file.tell() == 0:
            table.writerow(["scan", *(f"{organ}_ml" for organ in organs), "warnings"])
        missing = [scan for scan in found if not target_of(scan, labels).exists()]
        for outcome in segment_many(missing, segmenter):
            if isinstance(outcome.error, InputError):  # of this scan; any other error would meet all scans
                print(outcome.error, file=sys.stderr)
                refused += 1
                continue
            scan, result = missing[outcome.index], outcome.result
            volumes = [f"{result.volumes_ml[organ]:.1f}" for organ in organs]
            table.writerow([scan.name, *volumes, " ".join(map(str, result.warnings))])
            file.flush()
            result.save(target_of(scan, labels))
    return refused


def target_of(scan: Path, labels: Path) -> Path:
    """Return where the label map of `scan` belongs."""
    return labels / f"{scan.name.removesuffix('.nii.gz')}.nii.gz"


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    sys.exit(1 if main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]) else 0)
