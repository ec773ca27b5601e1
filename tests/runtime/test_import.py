"""Importing the package is quick because it loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("tensorflow", "torch", "openvino", "SimpleITK", "numpy", "matplotlib", "tensorrt", "onnx")


def _loaded_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_import_loads_nothing_heavy() -> None:
    assert _loaded_after("import efficientscn_trt").isdisjoint(HEAVY)


def test_the_api_needs_no_training_framework() -> None:
    loaded = _loaded_after("from efficientscn_trt import *")
    assert "numpy" in loaded
    assert loaded.isdisjoint({"tensorflow", "torch", "tensorrt", "onnx"})


def test_a_reader_is_loaded_for_its_format() -> None:
    """tests/gpu/test_interop.py runs the pipeline in a Python that has PyTorch, and may have no reader."""
    loaded = _loaded_after("from efficientscn_trt import *; import efficientscn_trt.pipeline.intermediate")
    assert loaded.isdisjoint({"SimpleITK", "nibabel", "pydicom", "isal"})
