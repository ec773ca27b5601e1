"""Write the reference for gpu_check.py on a machine with the CPU backend.

The reference is a bundle, scans with the CPU's results, and the networks' work at the timed scan's sizes.

    python benchmarks/gpu_reference.py -o .gpu/reference [--bundle DIR] [--input CT ...]

Without --input it draws a small phantom and one of 512×512×120 voxels. Copy the folder to the GPU machine.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

import numpy as np
from on_gpu.layer_work import network_work
from on_gpu.reference import LARGEST_INPUT, ReferenceScan, reference_files, timed_scan
from on_gpu.work import write_work
from report import say
from scans import write_phantom, write_released_bundle

from efficientscn_trt import backends
from efficientscn_trt import bundle as bundles
from efficientscn_trt.bundle.core_parameters import core_parameters
from efficientscn_trt.io.volume import open_scan
from efficientscn_trt.pipeline.host_stages import HostStages
from efficientscn_trt.pipeline.intermediate import run_with_intermediate
from efficientscn_trt.segmenter import default_bundle

PHANTOMS = {"phantom-small": (160, 160, 80), "phantom": (512, 512, 120)}


def main() -> None:
    """Write the folder."""
    arguments = _parse()
    folder: Path = arguments.output
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / "bundle", ignore_errors=True)
    for file in reference_files(folder):
        file.unlink()
    if arguments.own_parameters:
        shutil.copytree(arguments.bundle, folder / "bundle", ignore=shutil.ignore_patterns("engines"))
    else:
        write_released_bundle(arguments.bundle, folder / "bundle")
    bundle = bundles.load(folder / "bundle")
    backend = backends.load(bundle, "cpu", "fp32", arguments.threads)
    with tempfile.TemporaryDirectory() as scratch:
        inputs = {path.name.split(".")[0]: path for path in arguments.input}
        if not inputs:
            inputs = {
                name: write_phantom(Path(scratch, f"{name}.nii.gz"), size) for name, size in PHANTOMS.items()
            }
        for name, path in inputs.items():
            say(f"segmenting {name} on the CPU")
            _reference(name, path, backend, bundle).write(folder)
    scan = timed_scan(folder)
    stages = HostStages(scan.voxels.shape, scan.spacing, core_parameters(bundle))
    crop, _ = stages.plan_segmentation(backend.localize(stages.localization_input(scan.voxels)))
    sizes = {"localization": stages.localization.input_size, "segmentation": crop.input_size}
    write_work(folder, {name: network_work(bundle.file(name), size) for name, size in sizes.items()})
    total = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    print(f"{folder}: {total / 1e6:.0f} MB")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--bundle", type=Path, default=default_bundle(), help="folder with the networks")
    parser.add_argument("--own-parameters", action="store_true", help="keep the bundle's parameters")
    parser.add_argument("--input", type=Path, nargs="*", default=[], metavar="CT")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads, 0 for all")
    return parser.parse_args()


def _reference(name: str, path: Path, backend: backends.Backend, bundle: bundles.Bundle) -> ReferenceScan:
    scan = open_scan(path)
    stages = HostStages.of(scan, bundle.manifest.pipeline)
    voxels = np.ascontiguousarray(scan.lps)
    found = run_with_intermediate(stages, voxels, backend)
    small = int(np.prod(found.crop.input_size)) <= LARGEST_INPUT
    return ReferenceScan(
        name,
        voxels,
        stages.spacing,
        found.mask,
        np.array([found.crop.box.start, found.crop.box.end]),
        found.probabilities.astype(np.float16) if small else None,
        found.labels,
    )


if __name__ == "__main__":
    main()
