"""`efficientscn-trt benchmark`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from efficientscn_trt import cli
from efficientscn_trt.bundle import Bundle
from efficientscn_trt.measure import one_minute
from efficientscn_trt.segmenter import STAGES


@pytest.fixture(autouse=True)
def _briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_minute, "WARM_RUNS", 2)


def test_tables_and_json(
    tiny_bundle: Bundle, scan_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "figures.json"
    code = cli.run(
        [
            "benchmark",
            str(tiny_bundle.path),
            "--device",
            "cpu",
            "--input",
            str(scan_file),
            "--json",
            str(report),
        ]
    )
    output, errors = capsys.readouterr()
    assert code == 0, errors
    for text in (
        "57×45×34 voxels",
        "First label map, first process",
        "Peak memory",
        "Direct convolutions at",
    ):
        assert text in output
    figures = json.loads(report.read_text())
    assert figures["size_xyz"] == [57, 45, 34]
    assert figures["machine"]["cores"] >= 1
    assert figures["peak_flops"] > 0
    assert [list(stages) for stages in figures["later"]["warm"]] == [list(STAGES)] * 2
    for account in (figures["first_ever"], figures["later"]):
        assert 0 < account["load"] < account["cold"]
        assert account["peak"] > 0
    assert figures["first_ever"]["warm"] == []


def test_a_bad_bundle_ends_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["benchmark", str(tmp_path / "nowhere")]) == 4
    assert capsys.readouterr().err.startswith("Error: There is no bundle at")


def test_a_bad_scan_ends_in_one_sentence(
    tiny_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.run(["benchmark", str(tiny_bundle.path), "--input", str(tmp_path / "nowhere.nii.gz"), "-q"])
    assert code == 3
    assert capsys.readouterr().err.startswith("Error: There is no file or folder")
