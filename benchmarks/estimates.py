"""Compare the memory that scans were estimated to need with what they took, each in a new process."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from report import COLOURS, Report, figure, gib, parser, say, size_text
from scans import write_phantom, write_released_bundle, write_series

SIZES = ((512, 512, 60), (512, 512, 120), (512, 512, 400))
FORMS = (512, 512, 120)
"""The size that is also tried in other forms than NIfTI."""


def main() -> None:
    """Segment each form, and compare."""
    arguments = parser(__doc__).parse_args()
    report = Report("Estimated and real memory of a scan")
    rows: list[tuple[str, str, int, int]] = []
    with tempfile.TemporaryDirectory() as scratch:
        arguments.bundle = write_released_bundle(arguments.bundle, Path(scratch, "bundle"))
        for name, path in _forms(Path(scratch)):
            for precision in ("fp32", "bf16"):
                say(f"{name}, {precision}")
                found = _segmented(path, precision, arguments)
                if found is not None:
                    rows.append((name, precision, *found))
    report.table(
        ["scan", "precision", "estimated, GiB", "peak, GiB", "estimated / peak"],
        [
            [name, precision, gib(estimated), gib(peak), f"{estimated / peak:.2f}"]
            for name, precision, estimated, peak in rows
        ],
    )
    report.results["rows"] = rows
    report.write(arguments, _draw)


def _forms(folder: Path) -> Iterator[tuple[str, Path]]:
    for size in SIZES:
        name = size_text(size)
        path = write_phantom(folder / f"{name}.nii.gz", size)
        yield f"{name}, NIfTI, int16", path
        if size != FORMS:
            continue
        image = sitk.ReadImage(str(path))
        series = write_series(image, folder / "series")
        yield f"{name}, DICOM", series
        yield f"{name}, DICOM in a zip archive", Path(shutil.make_archive(str(series), "zip", series))
        yield f"{name}, NRRD, compressed", _written(image, folder / "ct.nrrd")
        yield f"{name}, MetaImage, float64", _written(sitk.Cast(image, sitk.sitkFloat64), folder / "ct.mha")
        yield f"{name}, NIfTI, int64", _written(sitk.Cast(image, sitk.sitkInt64), folder / "int64.nii.gz")
        yield f"{name}, NIfTI, a tilted gantry", _tilted(image, folder / "tilted.nii.gz")


def _written(image: sitk.Image, path: Path) -> Path:
    sitk.WriteImage(image, str(path), useCompression=True)
    return path


def _tilted(image: sitk.Image, path: Path) -> Path:
    """The scan as if its slices were shifted against each other, by 15°."""
    import nibabel

    x, y, z = image.GetSpacing()
    affine = np.diag([-x, -y, z, 1.0])
    affine[1, 2] = -z * np.tan(np.deg2rad(15))
    nibabel.save(nibabel.Nifti1Image(sitk.GetArrayFromImage(image).transpose(2, 1, 0), affine), path)
    return path


def _segmented(path: Path, precision: str, arguments: Any) -> tuple[int, int] | None:
    """The bytes that were estimated, and the peak. None where the processor lacks the precision."""
    report = path.parent / "report.json"
    command = [sys.executable, "-m", "efficientscn_trt", "segment", str(path), "--device", "cpu", "--quiet"]
    command += ["--precision", precision, "--threads", str(arguments.threads)]
    command += ["--bundle", str(arguments.bundle), "--output", str(path.parent / "labels.nii.gz")]
    command += ["--json", str(report)]
    # In that folder, so that the installed package runs, not the sources.
    done = subprocess.run(command, stderr=subprocess.PIPE, encoding="utf-8", cwd=path.parent)
    if "no bfloat16" in done.stderr:
        return None
    if done.returncode:
        sys.exit(done.stderr)
    found = json.loads(report.read_text(encoding="utf-8"))
    return found["estimated_host_memory_bytes"], found["peak_host_memory_bytes"]


def _draw(results: dict[str, Any]) -> Any:
    plot = figure(height=6.0)
    axes = plot.subplots()
    names = [f"{name}, {precision}" for name, precision, *_ in results["rows"]]
    for offset, column, label, colour in ((0.2, 2, "estimated", COLOURS[1]), (-0.2, 3, "peak", COLOURS[0])):
        values = [row[column] / 2**20 for row in results["rows"]]
        axes.barh(np.arange(len(names)) - offset, values, 0.4, label=label, color=colour)
    axes.set_yticks(np.arange(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("MiB")
    axes.legend()
    return plot


if __name__ == "__main__":
    main()
