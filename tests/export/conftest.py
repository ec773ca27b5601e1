"""Fixtures of the export's tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from efficientscn_trt import cli

if TYPE_CHECKING:
    from efficientscn_trt.bundle import Bundle


@pytest.fixture(scope="session")
def golden_bundle(shared: Path, pytestconfig: pytest.Config) -> Bundle:
    """The released localization network and the SCN of the golden weights, exported once for all tests."""
    from support.released_bundle import released_bundle

    return released_bundle(shared, pytestconfig.cache.mkdir("released-bundle"))


@pytest.fixture
def refusal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    """Export two SavedModels with these options, and return the error. No scan may be made before it."""
    monkeypatch.setattr("efficientscn_trt.export.bundle_export.CheckScan", None)

    def refused(localization: Path, segmentation: Path, *options: str) -> str:
        out = tmp_path / "out"
        command = ["export", "--localization", str(localization), "--segmentation", str(segmentation)]
        assert cli.run([*command, "-o", str(out), *options]) == 7
        assert not out.exists()
        return " ".join(capsys.readouterr().err.split())

    return refused
