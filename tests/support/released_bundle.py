"""The bundle of the released localization model and the golden SCN weights, exported by the command line."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import pytest
from filelock import FileLock

from efficientscn_trt import BundleError
from efficientscn_trt import bundle as bundles

REPOSITORY = Path(__file__).resolve().parents[2]
_PACKAGES = ("tensorflow", "tf2onnx", "onnx", "onnxscript")


def released_bundle(shared: Path, cache: Path) -> bundles.Bundle:
    """Export the bundle into `cache`, or take the one that the same sources made before.

    `shared` is the folder of golden data. Skips the test where TensorFlow is not installed.
    """
    for package in _PACKAGES:
        pytest.importorskip(package)
    shared = shared.resolve()
    model, weights = shared / "models" / "localization", shared / "golden" / "scn_weights.npz"
    folder = cache / _key(model, weights)
    with FileLock(folder.with_suffix(".lock")):  # two processes run tests
        try:
            return bundles.load(folder)
        except BundleError:
            with tempfile.TemporaryDirectory() as scratch:
                scn = f"{scratch}/scn"
                _command("reference-model", "segmentation", "--weights", str(weights), "-o", scn)
                _command("export", "--localization", str(model), "--segmentation", scn, "-o", str(folder))
            return bundles.load(folder)


def _key(model: Path, weights: Path) -> str:
    """Return a hash of all that the bundle depends on."""
    digest = hashlib.sha256()
    sources = sorted((REPOSITORY / "export").rglob("*.py"))
    package = sorted((REPOSITORY / "efficientscn_trt" / "bundle").glob("*.py"))
    for file in [*sources, *package, model / "saved_model.pb", weights]:
        digest.update(file.read_bytes())
    for name in _PACKAGES:
        digest.update(version(name).encode())
    return digest.hexdigest()[:16]


def _command(*arguments: str) -> None:
    # Run outside the repository, whose folder `efficientscn_trt` would hide the installed package.
    done = subprocess.run(
        [sys.executable, "-m", "efficientscn_trt", *arguments],
        capture_output=True,
        text=True,
        cwd=tempfile.gettempdir(),
    )
    assert done.returncode == 0, done.stderr[-2000:]
