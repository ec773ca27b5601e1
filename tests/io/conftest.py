"""What holds for every warning of a reader, whichever test provokes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from efficientscn_trt import ScanWarning


@pytest.fixture(autouse=True)
def _warnings_have_a_sentence_without_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Each has one, and it names no folder and no file of the test."""
    made: list[ScanWarning] = []
    init = ScanWarning.__init__

    def note(self: ScanWarning, *arguments: Any) -> None:
        init(self, *arguments)
        made.append(self)

    monkeypatch.setattr(ScanWarning, "__init__", note)
    yield
    files = {path.name for path in tmp_path.rglob("*.*")}
    for warning in made:
        assert warning.nameless, warning
        assert str(tmp_path.parent.parent) not in warning.nameless
        assert not [name for name in files if name in warning.nameless], warning.nameless
