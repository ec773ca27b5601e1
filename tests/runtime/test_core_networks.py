"""The core runs the networks whose forms a bundle's manifest says, and OpenVINO the others."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from support.other_sizes import demo_with_sizes

from efficientscn_trt import BundleError
from efficientscn_trt.backends.core_networks import Localization, Scn
from efficientscn_trt.backends.cpu import CpuBackend, core_runtime
from efficientscn_trt.backends.openvino_loader import load_with_openvino
from efficientscn_trt.backends.openvino_network import OpenVinoNetwork
from efficientscn_trt.bundle import NETWORKS, Bundle, load
from efficientscn_trt.phantom import make_phantom
from efficientscn_trt.segmenter import DEMO_BUNDLE


def test_each_network_runs_in_its_form(tiny_bundle: Bundle) -> None:
    backend = CpuBackend(load(DEMO_BUNDLE), "fp32", 0)
    assert isinstance(backend._localization, Localization)
    assert isinstance(backend._segmentation.result(), Scn)
    assert backend.runtime == core_runtime()
    backend = CpuBackend(tiny_bundle, "fp32", 0)
    assert isinstance(backend._localization, OpenVinoNetwork)
    assert isinstance(backend._segmentation.result(), OpenVinoNetwork)
    assert backend.runtime.startswith("OpenVINO 20")


@pytest.mark.parametrize(
    ("sizes", "form"),
    [((64, 32, 96), Scn), ((48, 48, 48), OpenVinoNetwork), ((32, 32, 40), OpenVinoNetwork)],
)
def test_sizes_that_the_core_cannot_take(sizes: tuple[int, int, int], form: type) -> None:
    z, y, x = sizes
    backend = CpuBackend(demo_with_sizes("segmentation", ((z,), (y,), (x,))), "fp32", 0)
    assert isinstance(backend._localization, Localization)
    assert isinstance(backend._segmentation.result(), form)
    assert ("OpenVINO" in backend.runtime) == (form is OpenVinoNetwork)


@pytest.mark.parametrize("size", [(32, 64, 96), (64, 32, 32)])
def test_the_networks_compute_what_openvino_computes(size: tuple[int, int, int]) -> None:
    bundle = load(DEMO_BUNDLE)
    backend = CpuBackend(bundle, "fp32", 2)
    image = np.random.default_rng(0).uniform(-0.5, 0.3, size).astype(np.float32)
    for name, found in (("localization", backend.localize(image)), ("segmentation", backend.segment(image))):
        # Two cores of OpenVINO, not destroyed in reverse order, would leave this thread a signal stack that
        # is no longer mapped.
        expected = np.empty((1, *found.shape), found.dtype)
        load_with_openvino(bundle, name, "fp32", 2).run(image, expected)
        np.testing.assert_allclose(found, expected[0], rtol=0, atol=1e-4)


def test_a_command_imports_nothing_that_it_does_not_use(tmp_path: Path) -> None:
    unused = {"openvino", "SimpleITK", "pydicom", "matplotlib", "rich", "efficientscn_trt.engines"}
    scan = tmp_path / "ct.nii.gz"
    sitk.WriteImage(make_phantom(3).image[::4, ::4, ::2], str(scan))
    program = (
        "import sys\n"
        "from efficientscn_trt.cli import run\n"
        "code = run(sys.argv[1:])\n"
        f"sys.exit(code or ', '.join({unused} & sys.modules.keys()) or 0)"
    )
    arguments = ["segment", scan, "-o", tmp_path / "labels.nii.gz", "--bundle", DEMO_BUNDLE, "--quiet"]
    arguments += ["--device", "cpu", "--precision", "fp32", "--preview", tmp_path / "preview.png"]
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)], stderr=subprocess.PIPE, text=True
    )
    assert done.returncode == 0, done.stderr
    assert sitk.GetArrayFromImage(sitk.ReadImage(tmp_path / "labels.nii.gz")).any()


def _at(document: dict[str, Any], name: str, *path: Any) -> Any:
    place: Any = document["networks"][name]["core"]
    for part in path:
        place = place[part]
    return place


_ALTERED: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "weights of another file": (
        lambda d: d["networks"]["localization"]["core"].update(sha256="0" * 64),
        r"in networks\.localization\.core the places of weights in another file than 'localization\.onnx'",
    ),
    "levels": (
        lambda d: _at(d, "localization", "unet").update(levels=17),
        r"has 17 levels of 32 filters in networks\.localization\.core\.unet, expected 2 to 16 levels",
    ),
    "filters": (
        lambda d: _at(d, "segmentation", "spatial", 2, "unet").update(filters=24),
        r"4 levels of 24 filters in networks\.segmentation\.core\.spatial\[2\]\.unet, expected",
    ),
    "too few layers": (
        lambda d: _at(d, "localization", "unet", "biases").pop(),
        r"has the places of 21 kernels and 20 biases in .*, expected those of 21 layers",
    ),
    "a kernel without a place": (
        lambda d: _at(d, "localization", "unet", "kernels").__setitem__(3, []),
        r"has the places of 21 kernels and 21 biases",
    ),
    "a kernel in three parts": (
        lambda d: _at(d, "localization", "unet", "kernels").__setitem__(3, [1, 2, 3]),
        r"has the places of 21 kernels and 21 biases",
    ),
    "outputs": (
        lambda d: _at(d, "segmentation", "unet").update(outputs=4),
        r"has 1 inputs and 4 outputs in networks\.segmentation\.core\.unet, expected 1 and 5",
    ),
    "inputs": (
        lambda d: _at(d, "segmentation", "spatial", 0, "sees").pop(),
        r"has 5 inputs and 1 outputs in networks\.segmentation\.core\.spatial\[0\]\.unet, expected 4 and 1",
    ),
    "a label twice": (
        lambda d: _at(d, "segmentation", "spatial", 1).update(label=0),
        r"has the labels \[0, 0, 2, 3, 4\] in networks\.segmentation\.core\.spatial, expected each of 5 once",
    ),
    "no spatial network": (
        lambda d: _at(d, "segmentation").update(spatial=[]),
        r"has the labels \[\] in networks\.segmentation\.core\.spatial",
    ),
    "an unknown label": (
        lambda d: _at(d, "segmentation", "spatial", 1).update(sees=[2, 3, 5]),
        r"has \[2, 3, 5\] in networks\.segmentation\.core\.spatial\[1\]\.sees, expected labels",
    ),
    "a stride": (
        lambda d: _at(d, "segmentation").update(stride=3),
        r"has 3 in networks\.segmentation\.core\.stride, expected one of 2, 4, 8",
    ),
    "no channel for the background": (
        lambda d: _at(d, "segmentation").update(background=False),
        r"has 1 inputs and 5 outputs in networks\.segmentation\.core\.unet, expected 1 and 4",
    ),
    "an SCN as the localization": (
        lambda d: _at(d, "localization").update(spatial=_at(d, "segmentation", "spatial")),
        r"has networks\.localization\.core\.spatial, expected none",
    ),
}


@pytest.fixture
def altered(tmp_path: Path) -> Callable[[Callable[[dict[str, Any]], Any]], Path]:
    """The demo bundle with another manifest."""

    def make(alter: Callable[[dict[str, Any]], Any]) -> Path:
        folder = shutil.copytree(DEMO_BUNDLE, tmp_path / "bundle")
        file = folder / "manifest.json"
        document = json.loads(file.read_text())
        alter(document)
        file.write_text(json.dumps(document))
        return folder

    return make


@pytest.mark.parametrize("name", _ALTERED)
def test_forms_that_do_not_fit(name: str, altered: Callable[[Callable[[dict[str, Any]], Any]], Path]) -> None:
    alter, sentence = _ALTERED[name]
    with pytest.raises(BundleError, match=sentence):
        load(altered(alter))


@pytest.mark.parametrize("place", [-1, 2_566_245 - 4, 1 << 40])
@pytest.mark.parametrize("name", NETWORKS)
def test_weights_beyond_the_file(
    name: str, place: int, altered: Callable[[Callable[[dict[str, Any]], Any]], Path]
) -> None:
    place += 2_600_000 if place > 0 and name == "segmentation" else 0
    bundle = load(altered(lambda d: _at(d, name, "unet", "biases").__setitem__(7, place)))
    with pytest.raises(BundleError, match=rf"{name}\.onnx has no weights where the manifest says: "):
        CpuBackend(bundle, "fp32", 1)._segmentation.result()


def test_a_file_that_is_altered_after_the_bundle_was_loaded(tmp_path: Path) -> None:
    bundle = load(shutil.copytree(DEMO_BUNDLE, tmp_path / "bundle"))
    content = bytearray(bundle.file("localization").read_bytes())
    content[1_000_000] ^= 1
    bundle.file("localization").write_bytes(content)
    with pytest.raises(BundleError, match=r"localization\.onnx was altered since the bundle was loaded"):
        CpuBackend(bundle, "fp32", 1)
    bundle.file("localization").unlink()
    with pytest.raises(BundleError, match=r"localization\.onnx cannot be read: No such file"):
        CpuBackend(bundle, "fp32", 1)
