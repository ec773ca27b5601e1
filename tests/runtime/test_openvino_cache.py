"""A compiled network enters the cache only when it is complete; no file there is written in place."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from efficientscn_trt.backends import load
from efficientscn_trt.backends.openvino_cache import cache_option
from efficientscn_trt.bundle import Bundle


def kept(folder: Path) -> dict[str, str]:
    """Return the contents of the folder's files by OpenVINO's names for them."""
    return {file.name.partition(".")[0]: file.read_text() for file in folder.iterdir()}


def add(folder: Path, name: str, text: str) -> Path:
    """Compile `name`, and return the file that is kept in the cache."""
    with cache_option(folder) as option:
        own = Path(option["CACHE_DIR"], f"{name}.blob")
        own.unlink(missing_ok=True)
        own.write_text(text)
    return next(folder.glob(f"{name}.*.blob"))


def test_what_is_added_appears_when_it_is_whole(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    with cache_option(folder) as option:
        Path(option["CACHE_DIR"], "1.blob").write_text("whole")
        assert not list(folder.glob("*.blob"))
    assert kept(folder) == {"1": "whole"}


@pytest.mark.parametrize("links", [True, False])
def test_what_is_there_is_seen_and_may_be_replaced(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError

    if not links:
        monkeypatch.setattr(os, "link", no_links)
    one, _ = (add(tmp_path, name, "old") for name in ("1", "2"))
    before = one.stat()
    with cache_option(tmp_path) as option:
        own = Path(option["CACHE_DIR"])
        assert (own / "1.blob").read_text() == "old"
        (own / "2.blob").unlink()
        (own / "2.blob").write_text("new")
        assert {file.read_text() for file in tmp_path.glob("2.*.blob")} == {"old"}
    assert one.stat().st_ino == before.st_ino
    assert kept(tmp_path) == {"1": "old", "2": "new"}
    assert len(list(tmp_path.iterdir())) == 2


def test_what_was_altered_is_not_seen(tmp_path: Path) -> None:
    add(tmp_path, "1", "whole").write_text("whose")
    with cache_option(tmp_path) as option:
        assert list(Path(option["CACHE_DIR"]).iterdir()) == []
    add(tmp_path, "1", "whole")
    assert kept(tmp_path) == {"1": "whole"}


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
    found, maps = [], Path("/proc/self/maps")
    for _ in range(2):
        load(tiny_bundle).segment(np.zeros((32, 32, 32), np.float32))
        found.append({file.name: file.stat().st_ino for file in tmp_path.rglob("*.blob")})
    assert found[0] == found[1]
    assert len(found[0]) == 2
    assert not maps.exists() or ".blob" not in maps.read_text()
