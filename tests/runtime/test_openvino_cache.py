"""Compiled networks are handed to the next process whole, and not written where another may read."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from efficientscn_trt.backends import load
from efficientscn_trt.backends.openvino_cache import cache_option
from efficientscn_trt.bundle import Bundle


def test_what_is_added_appears_when_it_is_whole(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    with cache_option(folder) as option:
        Path(option["CACHE_DIR"], "1.blob").write_text("whole")
        assert not list(folder.glob("*.blob"))
    assert [file.name for file in folder.iterdir()] == ["1.blob"]
    assert (folder / "1.blob").read_text() == "whole"


@pytest.mark.parametrize("links", [True, False])
def test_what_is_there_is_seen_and_may_be_replaced(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError

    if not links:
        monkeypatch.setattr(os, "link", no_links)
    for name in ("1.blob", "2.blob"):
        (tmp_path / name).write_text("old")
    before = (tmp_path / "1.blob").stat()
    with cache_option(tmp_path) as option:
        own = Path(option["CACHE_DIR"])
        assert (own / "1.blob").read_text() == "old"
        (own / "2.blob").unlink()
        (own / "2.blob").write_text("new")
        assert (tmp_path / "2.blob").read_text() == "old"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["1.blob", "2.blob"]
    assert (tmp_path / "1.blob").stat().st_ino == before.st_ino
    assert [(tmp_path / name).read_text() for name in ("1.blob", "2.blob")] == ["old", "new"]


def test_a_failure_adds_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), cache_option(tmp_path) as option:
        Path(option["CACHE_DIR"], "1.blob").write_text("half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folder", [None, Path("/proc/cache")])
def test_without_a_folder(folder: Path | None) -> None:
    with cache_option(folder) as option:
        assert option == {}


def test_openvino_finds_what_another_process_compiled(
    tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EFFICIENTSCN_CACHE", str(tmp_path))
    kept, maps = [], Path("/proc/self/maps")
    for _ in range(2):
        load(tiny_bundle).segment(np.zeros((32, 32, 32), np.float32))
        kept.append({file.name: file.stat().st_ino for file in tmp_path.rglob("*.blob")})
    assert kept[0] == kept[1]
    assert len(kept[0]) == 2
    assert not maps.exists() or ".blob" not in maps.read_text()
