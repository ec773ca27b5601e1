"""Choose organs by their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ..errors import InputError, OutputError
from ..io.wording import excerpt, listed
from .sides import PAIRS


def values_of(organs: Iterable[str], names: Mapping[int, str]) -> list[int]:
    """The values of the labels with these names.

    Raises InputError for one that is not in `names`, or if there are none.
    """
    values = {name: value for value, name in names.items() if value}
    wanted = list(organs)
    missing = [name for name in wanted if name not in values]
    if missing or not wanted:
        found = f"The networks do not label {listed(missing)}" if missing else "No organ is named"
        raise InputError(f"{found}, expected some of {listed(values)}.")
    return sorted({values[name] for name in wanted})


def is_of(name: str, organs: Iterable[str]) -> bool:
    """Whether `name` is one of `organs`, or a side of one."""
    return any(name == organ or name in PAIRS.get(organ, ()) for organ in organs)


def mask_files(folder: Path, names: Mapping[int, str]) -> dict[int, Path]:
    """The file in `folder` for the mask of each label but the background, by its value.

    Raises OutputError for a label whose name cannot be that of a file.
    """
    for value, name in names.items():
        if value and (Path(name).name != name or "\\" in name):
            raise OutputError(f"The label {excerpt(name)} cannot be the name of a file; write one label map.")
    return {value: folder / f"{name}.nii.gz" for value, name in names.items() if value}
