"""The demo's stages are commands that exist, each after the one that it starts from."""

from __future__ import annotations

from pathlib import Path

import pytest

from efficientscn_trt.cli.train import train
from efficientscn_trt.training.demo import STAGES, Stage


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_every_stage_is_a_command(stage: Stage, tmp_path: Path) -> None:
    verb, *arguments = stage.command(tmp_path)
    assert verb == "train"
    parameters = train.make_context("train", arguments).params
    assert parameters["network"] == stage.network and parameters["quick"]
    assert parameters["crops"] == stage.crops and parameters["phantoms"]


def test_stages_start_from_earlier_ones() -> None:
    names = [stage.name for stage in STAGES]
    for index, stage in enumerate(STAGES):
        assert stage.start is None or stage.start in names[:index]
