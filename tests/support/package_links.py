"""The package laid out as installed, by links to the repository, with a core that was built elsewhere."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def link_package(parent: Path, core: Path) -> None:
    """Make `parent` a folder to import the package from; `core`, the compiled `_core`, is copied."""
    shutil.rmtree(parent, ignore_errors=True)
    folders: dict[str, str] = runpy.run_path(str(REPOSITORY / "setup.py"))["FOLDERS"]
    top, *inner = sorted(folders)
    package = parent / top
    package.mkdir(parents=True)
    for item in (REPOSITORY / folders[top]).iterdir():
        compiled = item.name.startswith("_core.") and item.suffix != ".pyi"
        if item.name != "__pycache__" and not compiled:
            (package / item.name).symlink_to(item)
    for name in inner:
        (package / name.removeprefix(f"{top}.")).symlink_to(REPOSITORY / folders[name])
    shutil.copy(core, package / core.name)
