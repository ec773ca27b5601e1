"""The demo's stages are valid commands, each after the stage that it starts from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from efficientscn_trt.bundle import load
from efficientscn_trt.cli.export import export
from efficientscn_trt.cli.train import train
from efficientscn_trt.segmenter import DEMO_BUNDLE
from efficientscn_trt.training.demo import (
    NOTICE,
    STAGES,
    TRAINING_DATA,
    Stage,
    export_command,
    write_parameters,
)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_every_stage_is_a_command(stage: Stage, tmp_path: Path) -> None:
    verb, *arguments = stage.command(tmp_path)
    assert verb == "train"
    parameters = train.make_context("train", arguments).params
    assert parameters["network"] == stage.network and parameters["quick"]
    assert parameters["crops"] == stage.crops and parameters["phantoms"]
    assert (parameters["cases"] is None) == (stage.cases_share == 0.0)


def test_stages_start_from_earlier_ones() -> None:
    names = [stage.name for stage in STAGES]
    for index, stage in enumerate(STAGES):
        assert stage.start is None or stage.start in names[:index]


def test_the_shipped_bundle_is_what_the_export_writes(tmp_path: Path) -> None:
    verb, *arguments = export_command(tmp_path)
    assert verb == "export"
    asked = export.make_context("export", arguments).params
    manifest = load(DEMO_BUNDLE).manifest
    assert (asked["notice"], asked["training_data"]) == (NOTICE, TRAINING_DATA)
    assert (manifest.provenance["notice"], manifest.provenance["training_data"]) == (NOTICE, TRAINING_DATA)
    assert (manifest.name, manifest.description) == (asked["name"], asked["description"])
    write_parameters(tmp_path / "parameters.json")
    written = json.loads((tmp_path / "parameters.json").read_text())["segmentation"]
    shipped = manifest.pipeline.segmentation
    assert written == {"spacing_mm": shipped.spacing_mm, "spacing_threshold": shipped.spacing_threshold}
