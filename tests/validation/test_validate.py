"""`validate`: passes a sound bundle, catches one whose convolution was changed."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from support.model_folders import ModelFolders
from support.scans import block_image

from efficientscn_trt import bundle as bundles
from efficientscn_trt import cli
from efficientscn_trt.errors import FidelityError

pytest.importorskip("tensorflow")
pytest.importorskip("tf2onnx")
onnx = pytest.importorskip("onnx")


@dataclass(frozen=True)
class Case:
    """A bundle, the SavedModels it was exported from, and a scan."""

    bundle: bundles.Bundle
    localization: Path
    segmentation: Path
    scan: Path


@pytest.fixture(scope="module", autouse=True)
def _run_saved_models_once() -> Iterator[None]:
    """Run each SavedModel once per input, because XLA compiles for seconds in each run."""
    from efficientscn_trt.export.validation import judge, saved_networks

    load = saved_networks.load_networks
    answers: dict[tuple[int, bytes], np.ndarray] = {}

    def once(run: saved_networks.Run) -> saved_networks.Run:
        def remembered(image: np.ndarray) -> np.ndarray:
            key = id(run), image.tobytes()
            if key not in answers:
                answers[key] = run(image)
            return answers[key]

        return remembered

    @functools.cache
    def load_once(*arguments: Any) -> tuple[saved_networks.SavedNetworks, ...]:
        pairs = load(*arguments)
        return tuple(saved_networks.SavedNetworks(once(p._localize), once(p._segment)) for p in pairs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge, "load_networks", load_once)
        yield


@pytest.fixture(scope="module", autouse=True)
def _own_cache(own_cache: None) -> None:
    """All tests here have it."""


@pytest.fixture(scope="module")
def case(
    tiny_models: ModelFolders, tiny_export: bundles.Bundle, tmp_path_factory: pytest.TempPathFactory
) -> Case:
    scan = tmp_path_factory.mktemp("validate") / "ct.nii.gz"
    sitk.WriteImage(block_image(), str(scan))
    return Case(tiny_export, tiny_models.localization, tiny_models.segmentation, scan)


def perturbed(case: Case, network: str, index: int, folder: Path) -> Case:
    """The case with the weights of the network's convolution number `index` 5% larger."""
    manifest = case.bundle.manifest
    sources = {}
    for name in bundles.NETWORKS:
        model = onnx.load(str(case.bundle.file(name)))
        if name == network:
            node = [node for node in model.graph.node if node.op_type == "Conv"][index]
            (weights,) = (array for array in model.graph.initializer if array.name == node.input[1])
            values = onnx.numpy_helper.to_array(weights)
            changed = onnx.numpy_helper.from_array((1.05 * values).astype(np.float32), weights.name)
            weights.CopyFrom(changed)
        entry = getattr(manifest.networks, name)
        sources[name] = bundles.NetworkSource(
            model.SerializeToString(), entry.opset, entry.parameters, entry.input, entry.output
        )
    bundle = bundles.write(
        folder,
        name=manifest.name,
        description="",
        labels=manifest.labels,
        pipeline=manifest.pipeline,
        localization=sources["localization"],
        segmentation=sources["segmentation"],
        provenance={},
    )
    return replace(case, bundle=bundle)


def run(case: Case, output: Path) -> int:
    """Run `efficientscn-trt validate` and return its exit code."""
    return cli.run(
        [
            "validate",
            str(case.bundle.path),
            *("--localization", str(case.localization), "--segmentation", str(case.segmentation)),
            *("--input", str(case.scan), "--output", str(output)),
        ]
    )


def test_a_sound_bundle_passes(case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(case, tmp_path / "output") == 0, capsys.readouterr().err
    saved, *backends = json.loads((tmp_path / "output" / "validation.json").read_text())
    assert saved["backend"] == "SavedModel"
    assert backends[0]["backend"] == "cpu fp32"
    for verdict in backends:
        assert verdict["problems"] == []
        assert verdict["fidelity"]["mask_voxels"] > 0
        assert min(verdict["fidelity"]["dice"].values()) >= 0.998
        picture = tmp_path / "output" / verdict["picture"]
        assert picture.read_bytes().startswith(b"\x89PNG")
    # It does not round, so it is closer to the trained network than the SavedModel is.
    assert backends[0]["fidelity"]["largest"] < saved["fidelity"]["largest"]


@pytest.mark.parametrize("index", range(9))
def test_a_segmentation_convolution_changed_by_5_percent_is_caught(
    index: int, case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = perturbed(case, "segmentation", index, tmp_path / "bundle")
    assert run(changed, tmp_path / "output") == FidelityError.exit_code
    assert "the probabilities differ by up to" in capsys.readouterr().err


@pytest.mark.parametrize("index", range(4))
def test_a_localization_convolution_changed_by_5_percent_is_caught(
    index: int, case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = perturbed(case, "localization", index, tmp_path / "bundle")
    assert run(changed, tmp_path / "output") == FidelityError.exit_code
    assert "voxels of the mask differ" in capsys.readouterr().err
