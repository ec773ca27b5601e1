"""A network without a channel for the background gets one: what its labels leave of 1."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from onnx import TensorProto, helper

tf = pytest.importorskip("tensorflow")
pytest.importorskip("tf2onnx")

from support import scn_reference as reference  # noqa: E402
from support.balanced_weights import balanced_weights  # noqa: E402
from support.model_folders import ModelFolders  # noqa: E402

from efficientscn_trt.backends.cpu import CpuBackend  # noqa: E402
from efficientscn_trt.backends.openvino_loader import load_with_openvino  # noqa: E402
from efficientscn_trt.bundle import load  # noqa: E402
from efficientscn_trt.errors import ExportError  # noqa: E402
from efficientscn_trt.export import ExportReport, export_bundle  # noqa: E402
from efficientscn_trt.export.background import add_background  # noqa: E402
from efficientscn_trt.export.compare import run  # noqa: E402
from efficientscn_trt.export.reference.architecture import ScnArchitecture  # noqa: E402
from efficientscn_trt.export.reference.form import Form  # noqa: E402
from efficientscn_trt.export.reference.saved_model import write_saved_model  # noqa: E402
from efficientscn_trt.export.reference.scn import Scn  # noqa: E402
from efficientscn_trt.io.label_details import LabelDetails  # noqa: E402

VALUES = np.array([0.0, 0.1, 0.25, 0.5, 0.75, 1.0], np.float32).reshape(1, 1, 1, 2, 3)


def ending(axis: int = 1, keepdims: int = 1, swapped: bool = False, last: str = "Div") -> ir.Model:
    """Two labels, x and x² / 2, divided by their sum and 1e-5."""
    sum_and_offset = ["offset", "sum"] if swapped else ["sum", "offset"]
    nodes = [
        helper.make_node("Mul", ["image", "image"], ["square"]),
        helper.make_node("Mul", ["square", "half"], ["second"]),
        helper.make_node("Concat", ["image", "second"], ["predictions"], axis=1),
        helper.make_node("ReduceSum", ["predictions", "axes"], ["sum"], keepdims=keepdims),
        helper.make_node("Add", sum_and_offset, ["total"]),
        helper.make_node(last, ["predictions", "total"], ["probabilities"]),
    ]
    image, probabilities = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, "z", "y", "x"])
        for name, channels in (("image", 1), ("probabilities", 2))
    )
    constants = [
        helper.make_tensor("axes", TensorProto.INT64, [1], [axis]),
        helper.make_tensor("half", TensorProto.FLOAT, [], [0.5]),
        helper.make_tensor("offset", TensorProto.FLOAT, [], [1e-5]),
    ]
    graph = helper.make_graph(nodes, "graph", [image], [probabilities], constants)
    return ir.from_proto(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9))


@pytest.mark.parametrize("model", [ending(), ending(keepdims=0), ending(swapped=True), ending(axis=-4)])
def test_what_the_labels_leave_of_one(model: ir.Model) -> None:
    expected = add_background(model, VALUES)
    found = run(model, VALUES)
    assert list(found) == list(expected) == ["probabilities"]
    by_hand = [
        (1.0, 0.0, 0.0),
        (0.895, 0.1, 0.005),
        (0.71875, 0.25, 0.03125),
        (0.375, 0.5, 0.125),
        (0.0, 0.75 / 1.03125, 0.28125 / 1.03125),
        (0.0, 1 / 1.5, 0.5 / 1.5),
    ]
    for probabilities in (found["probabilities"], expected["probabilities"]):
        np.testing.assert_allclose(probabilities.reshape(3, 6).T, by_hand, rtol=0, atol=1.1e-5)


@pytest.mark.parametrize("model", [ending(axis=2), ending(last="Mul")], ids=["another axis", "no division"])
def test_another_ending(model: ir.Model) -> None:
    with pytest.raises(ExportError, match="does not end with predictions that are divided by their sum"):
        add_background(model, VALUES)


ARCHITECTURE = ScnArchitecture(3, filters=16, background=False)
NAMES = (LabelDetails("liver"), LabelDetails("spleen"))


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    """Random, with such logits that the labels leave much of 1 in places, and nothing in others."""
    return balanced_weights(ARCHITECTURE, mean=-1)


@pytest.fixture(scope="module")
def model(weights: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "segmentation"
    write_saved_model("segmentation", weights, folder, NAMES, scn=ARCHITECTURE)
    return folder


@pytest.fixture(scope="module")
def report(model: Path, tiny_models: ModelFolders, tmp_path_factory: pytest.TempPathFactory) -> ExportReport:
    target = tmp_path_factory.mktemp("export") / "bundle"
    return export_bundle(tiny_models.localization, model, target, background=False)


def test_its_probabilities(report: ExportReport, weights: dict[str, np.ndarray]) -> None:
    assert report.bundle.manifest.labels == ("background", "liver", "spleen")
    form = report.bundle.manifest.networks.segmentation.core
    assert form is not None and not form.background
    image = np.random.default_rng(1).uniform(-0.5, 0.5, (32, 64, 32)).astype(np.float32)
    whole = Scn(weights, Form(channels_first=False, dtype=tf.float32), ARCHITECTURE)
    outputs = whole(tf.constant(image[np.newaxis, ..., np.newaxis]))
    local, spatial = (
        np.moveaxis(logits.numpy()[0], -1, 0) for logits in (outputs.local_logits, outputs.spatial_logits)
    )
    expected = reference.with_background(reference.mixed(local, spatial))
    labels = expected.argmax(axis=0)
    assert all(np.mean(labels == label) > 0.01 for label in range(3))
    assert np.mean(expected[0] == 0) > 0.01
    by_core = CpuBackend(load(report.bundle.path), "fp32", 0).segment(image)
    by_openvino = np.empty((1, *expected.shape), np.float32)
    load_with_openvino(report.bundle, "segmentation", "fp32", 0).run(image, by_openvino)
    for found in (by_core, by_openvino[0]):
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5)


def test_its_report(report: ExportReport) -> None:
    network = report.segmentation
    assert network.step("background").changed == 1
    assert network.reference.agreement > 0.99  # of the labels, with the SavedModel in float16
    assert network.float16.difference is not None and network.float16.difference.agreement > 0.99
    assert network.warnings == ()


def test_labels_of_another_number(
    model: Path, tiny_models: ModelFolders, refusal: Callable[..., str]
) -> None:
    said = refusal(tiny_models.localization, model)
    assert "2 channels, the background and 1 label, but 2 are named: liver, spleen" in said
    assert said.endswith("If the first channel is not the background, say --no-background.")
    said = refusal(tiny_models.localization, model, "--no-background", "--labels", "liver")
    assert "returns 2 channels without the background, but 1 are named: liver; name each once" in said
