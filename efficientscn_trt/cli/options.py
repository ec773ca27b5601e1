"""Options that several commands share, and the check of output files before any work starts."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ..backends import DEVICES, MOST_THREADS, PRECISIONS
from ..errors import OutputError
from ..io.atomic import check_writable
from ..io.paths import identity
from ..io.wording import shown, system_reason

Command = TypeVar("Command", bound=Callable[..., Any])


class _Path(click.Path):
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":  # pathlib would take it for the current folder
            self.fail("The path is empty.", param, ctx)
        return super().convert(value, param, ctx)


FILE = _Path(readable=False, path_type=Path)  # our error for an unreadable file has its own exit code


class Device(click.Choice):
    """A device by name, a GPU also by number."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if re.fullmatch(r"cuda:\d+", value) else super().convert(value, param, ctx)


class Names(click.ParamType):
    """Names with commas between."""

    name = "names"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        names = tuple(name.strip() for name in str(value).split(","))
        if not all(names):
            self.fail("A name is empty.", param, ctx)
        return names


class MemorySize(click.ParamType):
    """A number of bytes, such as 4G or 512M; units are powers of 1024, as in Slurm and Docker."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = _MEMORY.fullmatch(str(value).strip())
        count = int(float(found[1]) * 1024 ** "KMGT".index(found[2].upper()) * 1024) if found else 0
        if count < 1:
            self.fail(f"{shown(str(value))} is no amount of memory, expected such as 4G or 512M.", param, ctx)
        return count


_MEMORY = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)\s*([KMGT])i?B?", re.IGNORECASE)


def trusted_key_option(command: Command) -> Command:
    """--trusted-key, which replaces the configured keys in this process and in those that it starts."""

    def trust(ctx: click.Context, param: click.Parameter, files: tuple[Path, ...]) -> None:
        if not files:
            return
        from ..bundle.trust import TRUSTED_KEYS_VARIABLE, TrustedKeys

        before = os.environ.get(TRUSTED_KEYS_VARIABLE)
        os.environ[TRUSTED_KEYS_VARIABLE] = TrustedKeys.from_files(*files).to_pem()

        def restore() -> None:
            if before is None:
                del os.environ[TRUSTED_KEYS_VARIABLE]
            else:
                os.environ[TRUSTED_KEYS_VARIABLE] = before

        ctx.call_on_close(restore)

    return click.option(
        "--trusted-key",
        type=FILE,
        multiple=True,
        metavar="FILE",
        expose_value=False,
        callback=trust,
        help="Refuse bundles without this key's signature.",
    )(command)


def segmenter_options(command: Command) -> Command:
    """--bundle, --trusted-key, and `machine_options`: the arguments of `Segmenter`."""
    bundle = click.option(
        "--bundle",
        type=FILE,
        metavar="DIR",
        help="Folder with the trained networks. Default: $EFFICIENTSCN_BUNDLE, else the demo bundle.",
    )
    return bundle(trusted_key_option(machine_options(command)))


def machine_options(command: Command) -> Command:
    """--device, --precision and --threads."""
    device = click.option(
        "--device",
        type=Device(DEVICES),
        default="auto",
        show_default=True,
        help="Device that runs the networks; cuda:1 is the second GPU.",
    )
    return device(network_options(command))


def network_options(command: Command) -> Command:
    """--precision and --threads."""
    options = (
        click.option(
            "--precision",
            type=click.Choice(PRECISIONS),
            default="auto",
            show_default=True,
            help="Precision of the networks; auto is the fastest on the device.",
        ),
        click.option(
            "--threads",
            type=click.IntRange(0, MOST_THREADS),
            default=0,
            metavar="N",
            help="CPU threads. Default: all cores.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def labels_option(text: str) -> Callable[[Command], Command]:
    """--labels, with what `text` says of their default."""
    return click.option(
        "--labels",
        metavar="NAME,...|FILE",
        help="Labels of the segmentation network in the order of their values, from 1, with or without the "
        f"background before them; or a JSON file with their names, colours and codes. {text}",
    )


quiet_option = click.option("-q", "--quiet", is_flag=True, help="Print warnings and errors only.")


def check_outputs(*outputs: Path | None, source: Path | None = None) -> None:
    """Refuse outputs that cannot be written, that share a file, or that would replace `source`.

    Raises OutputError.
    """
    named = [path for path in outputs if path is not None]
    seen = {(identity(source) or os.path.realpath(source)): "the input"} if source else {}
    for path in named:
        place = identity(path) or os.path.realpath(path)
        if place in seen:
            raise OutputError(f"{path} is {seen[place]} as well; give another file name.")
        seen[place] = "another output"
        check_writable(path)


def make_folder(folder: Path) -> None:
    """Create `folder` if needed. Raises OutputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder {folder} cannot be created: {system_reason(error)}; give another one."
        ) from error


def check_picture(path: Path | None) -> None:
    """Refuse a picture that is not a PNG file. Raises OutputError."""
    if path is not None and path.suffix.lower() != ".png":
        raise OutputError(f"{path} has no known extension for a picture, expected .png.")
