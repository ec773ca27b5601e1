"""The package's structure: imports go one way only, and the top folder holds few modules."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import efficientscn_trt

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = Path(efficientscn_trt.__file__).parent

MOST_MODULES_AT_THE_TOP = 10


def test_imports_keep_to_the_order_and_make_no_circle(tmp_path: Path) -> None:
    """The order is in pyproject.toml, under tool.importlinter."""
    pytest.importorskip("importlinter")
    if not (PACKAGE / "export").is_dir():
        pytest.skip("import-linter does not see export and training in an editable install")
    # From a folder without sources, so that the installed package is read.
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", errors="replace")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_top_of_the_package_holds_few_modules() -> None:
    modules = sorted(path.name for path in PACKAGE.glob("*.py"))
    assert len(modules) <= MOST_MODULES_AT_THE_TOP, modules
