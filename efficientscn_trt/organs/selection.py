"""Choose organs by their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ..errors import InputError, OutputError
from ..io.wording import excerpt, listed
from .sides import sides_of


def chosen(organs: Iterable[str], names: Mapping[int, str]) -> dict[int, str]:
    """The labels but the background, by value: those with these names, or all if there are none.

    Raises InputError for a name that is not in `names`.
    """
    wanted = list(organs)
    values = values_of(wanted, names) if wanted else [value for value in names if value]
    return {value: names[value] for value in values}


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
    return any(name == organ or name in sides_of(organ) for organ in organs)


def mask_files(folder: Path, names: Mapping[int, str]) -> dict[int, Path]:
    """The file in `folder` for the mask of each label but the background, by value. Raises OutputError."""
    organs = {value: name for value, name in names.items() if value}
    check_file_names(organs.values())
    return {value: folder / f"{name}.nii.gz" for value, name in organs.items()}


def check_file_names(organs: Iterable[str]) -> None:
    """Raises OutputError for an organ whose name cannot be that of a file."""
    for name in organs:
        if Path(name).name != name or "\\" in name:
            raise OutputError(f"The label {excerpt(name)} cannot be the name of a file; write one label map.")
