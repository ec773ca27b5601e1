"""docs/reference-pipeline.md names each number of the pipeline, as the manifest does."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from efficientscn_trt.bundle.manifest import (
    LocalizationParameters,
    PipelineParameters,
    SegmentationParameters,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference-pipeline.md"
SECTIONS = {
    "## Stage 1: localization": LocalizationParameters,
    "## Stage 2: segmentation": SegmentationParameters,
}


@pytest.mark.parametrize("heading", SECTIONS)
def test_each_field_of_a_stage_is_in_its_section(heading: str) -> None:
    section = PAGE.read_text(encoding="utf-8").split(heading)[1].split("\n## ")[0]
    missing = [field.name for field in fields(SECTIONS[heading]) if f"`{field.name}`" not in section]
    assert not missing


def test_each_part_of_the_pipeline_is_named() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [field.name for field in fields(PipelineParameters) if f"pipeline.{field.name}" not in text] == []
