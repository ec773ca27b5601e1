"""The pages to look things up name all that there is: numbers, manifest fields, exit codes, variables."""

from __future__ import annotations

import ast
import dataclasses
import re

import pytest

from efficientscn_trt.bundle import manifest
from efficientscn_trt.bundle.manifest import (
    LocalizationParameters,
    PipelineParameters,
    SegmentationParameters,
)
from efficientscn_trt.cli import failure
from efficientscn_trt.errors import EfficientSCNError

from .conftest import REPOSITORY

STAGES = {
    "## Stage 1: localization": LocalizationParameters,
    "## Stage 2: segmentation": SegmentationParameters,
}


def page(name: str) -> str:
    return (REPOSITORY / "docs" / name).read_text(encoding="utf-8")


def first_cells(text: str) -> set[str]:
    """The text in the first cell of each row of a page's tables."""
    return {match.strip(" `") for match in re.findall(r"^\|([^|]+)\|", text, re.MULTILINE)}


@pytest.mark.parametrize("heading", STAGES)
def test_each_number_of_a_stage_is_in_its_section(heading: str) -> None:
    section = page("reference-pipeline.md").split(heading)[1].split("\n## ")[0]
    fields = [field.name for field in dataclasses.fields(STAGES[heading])]
    assert [name for name in fields if f"`{name}`" not in section] == []


def test_each_part_of_the_pipeline_is_named() -> None:
    text, fields = page("reference-pipeline.md"), dataclasses.fields(PipelineParameters)
    assert [field.name for field in fields if f"pipeline.{field.name}" not in text] == []


def test_each_field_of_the_manifest_is_in_the_bundle_format() -> None:
    classes = [value for value in vars(manifest).values() if dataclasses.is_dataclass(value)]
    fields = {field.name for each in classes for field in dataclasses.fields(each)}
    assert len(classes) > 10
    assert sorted(name for name in fields if f"`{name}`" not in page("bundle-format.md")) == []


def test_the_table_of_readme_is_that_of_the_performance_page() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    table = [line for line in readme.splitlines() if line.startswith("|")]
    assert len(table) == 6
    assert "\n".join(table) in page("performance.md")


def test_each_error_has_its_exit_code() -> None:
    rows = dict(re.findall(r"^\| (\d+) \| ([^|]*)\|", page("errors.md"), re.MULTILINE))
    errors = {str(error.exit_code): f"`{error.__name__}` " for error in EfficientSCNError.__subclasses__()}
    own = (failure.MISSING_EXTRA, failure.UNEXPECTED, failure.INTERRUPTED, failure.TERMINATED)
    others = {str(code): "" for code in (0, 2, *own)}
    assert rows == errors | others


def test_each_warning_is_explained() -> None:
    codes = set()
    for file in (REPOSITORY / "efficientscn_trt").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ScanWarning":
                assert isinstance(node.args[0], ast.Constant), f"{file} computes the code of a warning"
                codes.add(f"`{node.args[0].value!s}`")
    table = page("reading.md").split("## Warnings")[1]
    assert set(re.findall(r"^\| (`[a-z0-9-]+`) \|", table, re.MULTILINE)) == codes


def test_each_environment_variable_is_named() -> None:
    """The sources name them as whole strings in Python, and in calls of getenv in C++."""
    name = re.compile(r"(EFFICIENTSCN|ESCN)_[A-Z_]+")
    found = set()
    for folder in ("efficientscn_trt", "export", "training", "benchmarks"):
        for file in (REPOSITORY / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and name.fullmatch(str(node.value)):
                    found.add(node.value)
    for folder in ("csrc", "tests/emulator"):
        for file in (REPOSITORY / folder).rglob("*.cc"):
            found |= set(re.findall(r'getenv\("(\w+)"\)', file.read_text(encoding="utf-8")))
    assert found >= {"EFFICIENTSCN_BUNDLE", "ESCN_SIMD", "EMULATED_GPUS"}
    assert first_cells(page("environment.md")) == found | {"ESCN_SHARED", "variable", "---"}
