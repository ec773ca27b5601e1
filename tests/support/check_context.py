"""The context of a step of gpu_check.py, with a reference of one scan and engines of NumPy networks."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import SimpleITK as sitk

from efficientscn_trt.bundle import Bundle

from .fake_gpu import gpu_backend, write_engines
from .fake_memory import Memory
from .fake_runtime import VERSIONS
from .scans import block_image

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def check_context(
    folder: Path, bundle: Bundle, patch: pytest.MonkeyPatch, memory: Memory | None = None
) -> Any:
    """Return a context that works in `folder`; its engines compute `bundle`'s networks in `memory`."""
    patch.syspath_prepend(str(BENCHMARKS))  # because the scripts are not a package
    import gpu_reference
    import on_gpu.context
    from on_gpu.steps import compare, times

    sitk.WriteImage(block_image(), str(folder / "blocks.nii.gz"))
    command = ["gpu_reference.py", "-o", str(folder / "reference"), "--bundle", str(bundle.path)]
    patch.setattr(sys, "argv", [*command, "--input", str(folder / "blocks.nii.gz")])
    gpu_reference.main()
    (folder / "engines").mkdir()
    choice, trt = write_engines(folder / "engines", VERSIONS[1], memory=memory)
    shutil.copytree(bundle.path, folder / "tensorrt-fp32")
    for step in (compare, times):
        patch.setattr(step, "load_backend", lambda *_, **options: gpu_backend(bundle, choice, trt))
    return on_gpu.context.Context(
        work=str(folder),
        reference=str(folder / "reference"),
        repeats=1,
        flavour="tensorrt",
        precision="fp32",
    )
