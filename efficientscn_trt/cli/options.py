"""Options that several commands share, and the check of output files before the work starts."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ..backends import DEVICES, PRECISIONS
from ..errors import OutputError
from ..io.atomic import check_writable

Command = TypeVar("Command", bound=Callable[..., Any])

FILE = click.Path(readable=False, path_type=Path)  # what may not be read has an exit code of its own


class Device(click.Choice):
    """A device by name, a GPU also by number."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if re.fullmatch(r"cuda:\d+", value) else super().convert(value, param, ctx)


def segmenter_options(command: Command) -> Command:
    """--bundle, and `machine_options`: the arguments of `Segmenter`."""
    bundle = click.option(
        "--bundle",
        type=FILE,
        metavar="DIR",
        help="Folder with the trained networks. Default: the one that the variable EFFICIENTSCN_BUNDLE "
        "names, else the demo bundle, which knows phantoms and one CT.",
    )
    return bundle(machine_options(command))


def machine_options(command: Command) -> Command:
    """--device, --precision and --threads."""
    options = (
        click.option(
            "--device",
            type=Device(DEVICES),
            default="auto",
            show_default=True,
            help="Where to compute; cuda:1 is the second GPU.",
        ),
        click.option(
            "--precision",
            type=click.Choice(PRECISIONS),
            default="auto",
            show_default=True,
            help="Arithmetic of the networks; auto is the fastest that the device has.",
        ),
        click.option(
            "--threads",
            type=click.IntRange(min=0),
            default=0,
            metavar="N",
            help="CPU threads. Default: all that the machine has.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


quiet_option = click.option("-q", "--quiet", is_flag=True, help="Print warnings and errors only.")


def check_outputs(*outputs: Path | None, source: Path | None = None) -> None:
    """Refuse outputs that could not be written, that are one file, or that would replace `source`.

    Raises OutputError.
    """
    named = [path for path in outputs if path is not None]
    seen = {source.resolve(): "the input"} if source else {}
    for path in named:
        if path.resolve() in seen:
            raise OutputError(f"{path} is {seen[path.resolve()]} as well; give another file name.")
        seen[path.resolve()] = "another output"
        check_writable(path)


def make_folder(folder: Path) -> None:
    """Make `folder` if it is not there. Raises OutputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputError(f"The folder {folder} cannot be made: {reason}; give another one.") from error


def check_picture(path: Path | None) -> None:
    """Refuse a picture that is no PNG. Raises OutputError."""
    if path is not None and path.suffix.lower() != ".png":
        raise OutputError(f"{path} has no known extension for a picture, expected .png.")
