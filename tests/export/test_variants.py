"""The segmentation networks that the options of the released training code give: the table in the docs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")
pytest.importorskip("tf2onnx")

import onnx  # noqa: E402
import onnx_ir as ir  # noqa: E402

from efficientscn_trt.bundle import PipelineParameters  # noqa: E402
from efficientscn_trt.engines import BuildOptions  # noqa: E402
from efficientscn_trt.engines.builder import NetworkBuilder, OnnxFile  # noqa: E402
from efficientscn_trt.engines.flavours import TENSORRT_RTX, installed_version  # noqa: E402
from efficientscn_trt.engines.profiles import profile_for  # noqa: E402
from efficientscn_trt.engines.target import find_target  # noqa: E402
from efficientscn_trt.export import network  # noqa: E402
from efficientscn_trt.export.network import export_network  # noqa: E402
from efficientscn_trt.export.precision.layer_check import layers_astray  # noqa: E402
from efficientscn_trt.export.reference.architecture import ScnArchitecture  # noqa: E402
from efficientscn_trt.export.reference.form import RELEASED, Form  # noqa: E402
from efficientscn_trt.export.reference.saved_model import write_saved_model  # noqa: E402
from efficientscn_trt.export.reference.weights import initial_weights  # noqa: E402
from efficientscn_trt.export.savedmodel import load_saved_model  # noqa: E402

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "build-engines.md"
LABELS = 3  # with the background, so that the test takes minutes
FLOAT32 = Form(channels_first=True, dtype=tf.float32)

#: By the first column of the table.
VARIANTS = {
    "as released": (ScnArchitecture(LABELS), RELEASED),
    "ReLU": (ScnArchitecture(LABELS, slope=0.0), RELEASED),
    "softmax of the local predictions": (ScnArchitecture(LABELS, softmax=True), RELEASED),
    "spatial networks without the image": (ScnArchitecture(LABELS, sees_image=False), RELEASED),
    "spatial networks with the background": (ScnArchitecture(LABELS, sees_background=True), RELEASED),
    "spatial networks of 3 levels": (ScnArchitecture(LABELS, spatial_levels=3), RELEASED),
    "local network of 16 filters": (ScnArchitecture(LABELS, filters=16), RELEASED),
    "spatial networks at half the size": (ScnArchitecture(LABELS, stride=2), RELEASED),
    "spatial networks at an eighth of the size": (
        ScnArchitecture(LABELS, stride=8, spatial_levels=3),
        RELEASED,
    ),
    "float32": (ScnArchitecture(LABELS), FLOAT32),
    "one organ": (ScnArchitecture(2), RELEASED),
    "no channel for the background": (ScnArchitecture(LABELS, background=False), RELEASED),
}


@dataclass(frozen=True)
class Row:
    """A row of the table: what runs it on a CPU, its nodes, and its activation memory in MB."""

    cpu: str
    nodes: int
    memory: float


def table() -> dict[str, Row]:
    rows = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"\| (.+) \| (the core|OpenVINO) \| (\d+) \| ([\d.]+) \|", line):
            rows[match[1]] = Row(match[2], int(match[3]), float(match[4]))
    return rows


def test_the_table_has_all() -> None:
    assert list(table()) == list(VARIANTS)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_is_exported_with_every_pattern(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "summing_in_float16", lambda half: half)  # takes a fifth of the time
    scn, form = VARIANTS[name]
    weights = initial_weights("segmentation", seed=0, scn=scn)
    write_saved_model("segmentation", weights, tmp_path / "model", scn=scn, form=form)
    saved = load_saved_model(tmp_path / "model", "segmentation", background=scn.background)
    assert saved.labels == scn.labels
    image = np.random.default_rng(0).uniform(-0.3, 0.3, (1, 1, 32, 32, 32)).astype(np.float32)
    exported = export_network(saved, image, saved.run(image), lambda step: None)
    expected = table()[name]
    assert exported.report.slow == ()
    assert exported.report.steps[-1].after == expected.nodes
    assert ("the core" if exported.report.core else "OpenVINO") == expected.cpu
    if installed_version(TENSORRT_RTX) is None:
        return
    whole, half = exported.source.content, exported.source.float16
    assert isinstance(whole, bytes)
    assert half is not None
    single, rounded = (ir.from_proto(onnx.load_from_string(each)) for each in (whole, half))
    assert layers_astray(single, rounded, image) == []
    options = BuildOptions(compute_capabilities=("8.9",))
    builder = NetworkBuilder(find_target(TENSORRT_RTX.name, None, options), options)
    profile = profile_for("segmentation", PipelineParameters())
    plan = builder.build(OnnxFile(Path("network.onnx"), half), profile, can_load=False)
    assert plan.activation is not None
    assert plan.activation.largest / 1e6 == pytest.approx(expected.memory, rel=0.02)
