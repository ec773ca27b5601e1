"""From two SavedModels to a bundle: what is written, what is reported, what is refused."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("tf2onnx")

import onnx_ir as ir
from support.model_folders import ModelFolders

from efficientscn_trt import bundle as bundles
from efficientscn_trt import cli
from efficientscn_trt.errors import ExportError, InputError, OutputError
from efficientscn_trt.export import ExportReport, export_bundle, network
from efficientscn_trt.export.bundle_export import PROGRESS_STEPS
from efficientscn_trt.export.network import STEPS
from efficientscn_trt.export.passes import PASSES, GraphPass
from efficientscn_trt.export.report import HEADER, rows
from efficientscn_trt.export.savedmodel import Role, load_saved_model

NOTICE = "Random weights."

Only = Callable[..., None]
"""Sets the passes of an export."""


@pytest.fixture(scope="module")
def told() -> list[str]:
    return []


@pytest.fixture(scope="module")
def report(
    tiny_models: ModelFolders, tmp_path_factory: pytest.TempPathFactory, told: list[str]
) -> ExportReport:
    return export_bundle(
        tiny_models.localization,
        tiny_models.segmentation,
        tmp_path_factory.mktemp("export") / "tiny",
        notice=NOTICE,
        parameters={"segmentation": {"outside_hu": -1024}},
        progress=told.append,
    )


def operators(path: Path) -> set[str]:
    return {node.op_type for node in ir.load(path).graph}


def test_manifest(report: ExportReport, tiny_models: ModelFolders) -> None:
    manifest = bundles.load(report.bundle.path).manifest
    assert manifest.name == "tiny"
    assert manifest.labels == ("background", "liver", "kidneys", "spleen", "pancreas")
    released = bundles.PipelineParameters()
    assert manifest.pipeline.localization == released.localization
    assert manifest.pipeline.segmentation.outside_hu == -1024
    assert manifest.pipeline.segmentation.valid_sizes == released.segmentation.valid_sizes
    assert manifest.networks.localization.output == bundles.Tensor("mask", "bool", (1, "z", "y", "x"))
    assert manifest.networks.segmentation.output.shape == (1, 5, "z", "y", "x")
    assert manifest.networks.segmentation.input == bundles.Tensor("image", "float32", (1, 1, "z", "y", "x"))
    saved = load_saved_model(tiny_models.segmentation, "segmentation")
    assert manifest.networks.segmentation.parameters == saved.parameters
    assert manifest.provenance["notice"] == NOTICE
    assert manifest.provenance["segmentation"]["source_sha256"] == saved.sha256()
    assert set(manifest.provenance["versions"]) >= {"tensorflow", "tf2onnx", "onnx"}


def test_each_upsampling_is_replaced_and_nothing_is_left(report: ExportReport) -> None:
    localization = operators(report.bundle.file("localization"))
    assert localization == {
        "Conv", "LeakyRelu", "AveragePool", "Resize", "Add", "Slice", "Less", "Squeeze"
    }  # fmt: skip
    segmentation = operators(report.bundle.file("segmentation"))
    assert segmentation == {
        "Abs", "Add", "AveragePool", "Concat", "Conv", "Div", "LeakyRelu", "Mul", "Neg",
        "Pad", "ReduceSum", "Reshape", "Resize", "Sigmoid", "Softplus", "Split", "Sub", "Transpose",
    }  # fmt: skip
    assert report.localization.slow == report.segmentation.slow == ()


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_no_mask_is_reshaped(report: ExportReport, precision: str) -> None:
    """TensorRT 8.5 may be unable to reshape a bool mask that is an output."""
    nodes = onnx.load(report.bundle.file("localization", precision)).graph.node
    assert [node.op_type for node in nodes if list(node.output) == ["mask"]] == ["Less"]


@pytest.mark.parametrize("role", ["localization", "segmentation"])
def test_its_outputs_are_those_of_the_saved_model(
    report: ExportReport, tiny_models: ModelFolders, role: Role
) -> None:
    """On an input that the export did not see, of another size."""
    size = (1, 1, 64, 32, 96)
    image = np.random.default_rng(5).uniform(-1, 1, size).astype(np.float32)
    expected = load_saved_model(getattr(tiny_models, role), role).run(image)
    session = onnxruntime.InferenceSession(report.bundle.file(role))
    (found,) = session.run(None, {"image": image})
    if role == "localization":
        assert found.shape == size[1:]
        assert (found == expected[0]).mean() > 0.998
    else:
        np.testing.assert_allclose(found, expected, atol=1e-2)


def test_report(report: ExportReport) -> None:
    for each in (report.localization, report.segmentation):
        assert [step.name for step in each.steps] == [
            "float32", "ONNX", *(graph_pass.name for graph_pass in PASSES), "signature"
        ]  # fmt: skip
        assert each.reference.agreement > 0.99
        assert each.core is None  # its U-Nets have one convolution a block
        assert each.warnings == ()
        for step in each.steps[1:]:
            if step.difference is not None:
                assert step.difference.relative < 1e-5
                assert step.difference.agreement > 0.9999
            else:
                assert step.changed == 0
        table = rows(each)
        assert len(table) == len(each.steps) + 3  # the last step against the SavedModel, and float16 twice
        assert all(len(row) == len(HEADER) for row in table)
    assert report.localization.step("linear upsampling").changed == 1
    assert report.segmentation.step("linear upsampling").changed == 3
    assert report.segmentation.step("cubic upsampling").changed == 1
    assert report.localization.steps[-1].after < 30
    assert report.segmentation.steps[-1].after < 70


def test_what_it_takes_on_a_cpu(report: ExportReport) -> None:
    assert report.not_on_cpu == ""
    assert [(run.role, run.size) for run in report.cpu] == [
        (each.role, each.input_size) for each in (report.localization, report.segmentation)
    ]
    for run in report.cpu:
        assert run.seconds > 0 and run.bytes > 5 * math.prod(run.size)  # a channel, and the mask at least
        assert re.fullmatch(
            r"The CPU core cannot run it, because no U-Net of the paper's form takes the image\. "
            r"OpenVINO runs it, here at \d+ × \d+ × \d+ voxels, in \d+\.\d\d s and \d+ MB\.",
            str(run),
        )


def test_networks_that_openvino_does_not_finish(
    tiny_models: ModelFolders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EFFICIENTSCN_CACHE", str(tmp_path / "cache"))  # where no network was tried
    monkeypatch.setattr("efficientscn_trt.backends.trial.SECONDS", 0)
    report = export_bundle(tiny_models.localization, tiny_models.segmentation, tmp_path / "out")
    assert report.cpu == ()
    assert re.search(r"OpenVINO does not finish with .*localization\.onnx in 0 s", report.not_on_cpu)
    assert bundles.load(tmp_path / "out").manifest == report.bundle.manifest


def test_progress(report: ExportReport, told: list[str]) -> None:
    assert len(told) == PROGRESS_STEPS
    assert told[:3] == ["localization: load", "segmentation: load", "check input"]
    assert told[-2:] == ["bundle", "run on the CPU"]
    assert [name for name in told if name.startswith("segmentation")] == [
        f"segmentation: {name}" for name in ("load", "SavedModel", *STEPS)
    ]


def fail(*_: object, **__: object) -> None:
    raise AssertionError("this should not have been reached")


class TestRefused:
    @pytest.fixture(autouse=True)
    def _no_work(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("efficientscn_trt.export.bundle_export.export_network", fail)

    def test_a_bundle_that_is_there_already(self, report: ExportReport, tiny_models: ModelFolders) -> None:
        before = report.bundle.path.stat().st_mtime_ns
        with pytest.raises(OutputError, match=r"exists already; give a new folder, or --force to replace it"):
            export_bundle(tiny_models.localization, tiny_models.segmentation, report.bundle.path)
        assert report.bundle.path.stat().st_mtime_ns == before

    def test_a_file_as_output(self, tiny_models: ModelFolders, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(OutputError, match="is a file; give a new folder"):
            export_bundle(tiny_models.localization, tiny_models.segmentation, tmp_path / "file", force=True)

    def test_a_folder_of_something_else(self, tiny_models: ModelFolders, tmp_path: Path) -> None:
        (tmp_path / "thesis.tex").touch()
        with pytest.raises(OutputError, match="holds something other than a bundle"):
            export_bundle(tiny_models.localization, tiny_models.segmentation, tmp_path, force=True)

    def test_a_folder_inside_a_file(self, tiny_models: ModelFolders, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(OutputError, match="is not a folder that you may write to"):
            export_bundle(tiny_models.localization, tiny_models.segmentation, tmp_path / "file" / "out")

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("{", "cannot be read as JSON"),
            ("[]", "found list, expected an object"),
            ('{"segmentation": {"outside": 0}}', r"the field segmentation\.outside is not known"),
            ('{"segmentation": {"outside_hu": "0"}}', r"segmentation.outside_hu is '0', expected a finite"),
            ('{"segmentation": 2}', "segmentation is 2, expected an object"),
        ],
    )
    def test_parameters(self, tiny_models: ModelFolders, tmp_path: Path, text: str, sentence: str) -> None:
        file = tmp_path / "parameters.json"
        file.write_text(text)
        with pytest.raises(ExportError, match=sentence):
            export_bundle(
                tiny_models.localization, tiny_models.segmentation, tmp_path / "out", parameters=file
            )

    def test_parameters_that_the_core_refuses(self, tiny_models: ModelFolders, tmp_path: Path) -> None:
        with pytest.raises(ExportError, match="parameters do not fit together"):
            export_bundle(
                tiny_models.localization,
                tiny_models.segmentation,
                tmp_path / "out",
                parameters={"segmentation": {"spacing_mm": -2}},
            )

    def test_a_check_input_that_is_no_scan(self, tiny_models: ModelFolders, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="missing"):
            export_bundle(
                tiny_models.localization,
                tiny_models.segmentation,
                tmp_path / "out",
                check_input=tmp_path / "missing.nii.gz",
            )


def halve(model: ir.Model) -> int:
    """A pass that changes the numbers."""
    for node in model.graph:
        if node.op_type == "LeakyRelu":
            node.attributes["alpha"] = ir.AttrFloat32("alpha", 0.05)
    return 1


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Only:
    """Export with these passes only."""

    def use(*passes: GraphPass) -> None:
        monkeypatch.setattr(network, "PASSES", passes)

    return use


def test_a_pass_that_changes_the_numbers(tiny_models: ModelFolders, tmp_path: Path, only: Only) -> None:
    only(GraphPass("halving", halve))
    with pytest.raises(ExportError, match=r"step 'halving' changed the network's output by .*expected"):
        export_bundle(tiny_models.localization, tiny_models.segmentation, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_logits_are_no_probabilities(tiny_models: ModelFolders, tmp_path: Path) -> None:
    import tensorflow as tf
    from support.tiny_models import IMAGE, save

    def logits(image: tf.Tensor) -> tf.Tensor:
        return tf.concat([9 * image, -image], 1)

    folder = save(tmp_path / "logits", tf.Module(), IMAGE, serving_default=logits)
    report = export_bundle(tiny_models.localization, folder, tmp_path / "out")
    assert any("expected probabilities from 0 to 1" in each for each in report.segmentation.warnings)
    assert report.bundle.manifest.labels == ("background", "label 1")
    assert not report.labels.known


def test_the_command(
    tiny_models: ModelFolders, tmp_path: Path, only: Only, capsys: pytest.CaptureFixture[str]
) -> None:
    """With no pass at all: the export still works, and says what stayed slow."""

    def nothing(model: ir.Model) -> int:
        return 0

    idle = [GraphPass(each.name, nothing, each.leftovers, each.slow) for each in PASSES]
    only(*idle)
    target = tmp_path / "bundle"
    arguments = [
        "export",
        "--localization", str(tiny_models.localization),
        "--segmentation", str(tiny_models.segmentation),
        "-o", str(target),
    ]  # fmt: skip
    assert cli.run(arguments) == 0
    printed = capsys.readouterr()
    assert "Agreement" in printed.out
    assert "SavedModel → ONNX" in printed.out
    warnings = " ".join(printed.err.split())
    assert re.search(
        r"Reshape among \d+ nodes, so it may be slow: an upsampling was not recognised.*\. For the check "
        r"input, ONNX Runtime spends \d+% of its time on these, which write \d+ MB\.",
        warnings,
    )
    assert "segmentation: The CPU core cannot run it, because " in warnings
    manifest = json.loads((target / "manifest.json").read_text())
    assert manifest["provenance"]["segmentation"]["unrecognised"]
    assert cli.run(arguments) == OutputError.exit_code
    assert "--force" in capsys.readouterr().err
    assert cli.run([*arguments[:-1], str(tmp_path / "other"), "--localization", str(tmp_path)]) == 7
