"""`efficientscn-trt batch`: label the organs in many scans."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..backends import DEVICES
from ..io.wording import without_controls
from .options import (
    FILE,
    Device,
    MemorySize,
    Names,
    make_folder,
    network_options,
    quiet_option,
    trusted_key_option,
)

if TYPE_CHECKING:
    from ..batch.machine import Machine
    from ..batch.slots import Slots

_DEVICE = Device(DEVICES)


class DeviceList(click.ParamType):
    """Devices, separated by commas."""

    name = "devices"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple):
            return value
        return tuple(_DEVICE.convert(each.strip(), param, ctx) for each in str(value).split(","))


class Part(click.ParamType):
    """A part of all scans, as 3/8."""

    name = "part"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", str(value))
        number, count = map(int, found.groups()) if found else (0, 0)
        if not 1 <= number <= count:
            self.fail(f"{value} is no part, expected such as 1/8, the first of eight.", param, ctx)
        return number, count


@click.command()
@click.argument("inputs", metavar="INPUT...", type=FILE, nargs=-1, required=True)
@click.option(
    "-o", "--output", required=True, type=FILE, metavar="DIR", help="Folder for label maps and tables."
)
@click.option(
    "--name",
    "pattern",
    default="{id}/{kind}",
    show_default=True,
    metavar="PATTERN",
    help="Names of the files without their extensions. {kind} is labels, report, preview, rtstruct, sr or an "
    "organ.",
)
@click.option(
    "--format",
    "extension",
    type=click.Choice((".nii.gz", ".nii", ".nrrd", ".mha", ".seg.nrrd", ".dcm")),
    default=".nii.gz",
    show_default=True,
    help="Extension of the label maps.",
)
@click.option("--rtstruct", is_flag=True, help="Also write contours as DICOM RTSTRUCT.")
@click.option("--sr", is_flag=True, help="Also write volumes and HU as DICOM SR; needs --format .dcm.")
@click.option("--report", is_flag=True, help="Also write a page about each scan (.html).")
@click.option("--with-patient", is_flag=True, help="Name the patient and the scan on that page.")
@click.option("--preview", is_flag=True, help="Also write a picture of each scan (.png).")
@click.option("--json", "document", is_flag=True, help="Also write a report of each scan (.json).")
@click.option("--organs", type=Names(), metavar="NAME,...", help="Only these organs, in all outputs.")
@click.option("--per-organ", is_flag=True, help="Also write a mask of each organ; {kind} is its name.")
@click.option(
    "--memory",
    type=MemorySize(),
    metavar="SIZE",
    help="Memory for all processes of a machine, such as 4G. Default: 80 % of what the machine, or the job, "
    "has free.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="Processes for each device. On a CPU they share the cores.",
)
@click.option(
    "--part",
    type=Part(),
    metavar="I/N",
    help="Do only part I of N, for jobs of a cluster. Which part a scan is in depends on its id alone.",
)
@click.option(
    "--ray",
    "cluster",
    metavar="ADDRESS",
    help="Use the nodes of a Ray cluster: its host:port, auto for this machine's, local to start one.",
)
@click.option(
    "--retries",
    type=click.IntRange(0, 100),
    default=1,
    show_default=True,
    help="How often a scan is tried again that failed, unless it is refused for what it is.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=1800.0,
    show_default=True,
    metavar="SECONDS",
    help="How long one scan may take.",
)
@click.option(
    "--tables",
    "table_kind",
    type=click.Choice(("csv", "parquet")),
    default="csv",
    show_default=True,
    help="Format of the tables of results and failures. parquet needs the extra of this name.",
)
@click.option("--retry-refused", is_flag=True, help="Also try scans again that an earlier run refused.")
@click.option(
    "--bundle",
    type=FILE,
    metavar="DIR",
    help="Folder with the trained networks. Default: $EFFICIENTSCN_BUNDLE, else the demo bundle.",
)
@click.option(
    "--device",
    type=DeviceList(),
    default="auto",
    show_default=True,
    metavar="DEVICES",
    help="Devices that run the networks, such as cuda:0,cuda:1; each has a process of its own.",
)
@trusted_key_option
@network_options
@quiet_option
def batch(
    inputs: tuple[Path, ...],
    output: Path,
    pattern: str,
    extension: str,
    rtstruct: bool,
    sr: bool,
    report: bool,
    with_patient: bool,
    preview: bool,
    document: bool,
    organs: tuple[str, ...] | None,
    per_organ: bool,
    memory: int | None,
    workers: int,
    part: tuple[int, int] | None,
    cluster: str | None,
    retries: int,
    timeout: float,
    table_kind: str,
    retry_refused: bool,
    bundle: Path | None,
    device: tuple[str, ...],
    precision: str,
    threads: int,
    quiet: bool,
) -> None:
    """Label liver, kidneys, spleen and pancreas in many CT scans, with the networks loaded once.

    INPUT is a folder, an image file, a zip archive, or a table (.csv, .parquet) with the columns id, path
    and, if needed, series_uid. Folders are searched: each image file and each DICOM series is a scan.

    A scan that fails costs no other scan. results.csv lists all scans, failures.csv those that failed, each
    with a sentence. The same command goes on where it was stopped: what is done is left out, unless the scan,
    the bundle or the options changed.

    \b
    Examples:
        efficientscn-trt batch scans/ -o labels/
        efficientscn-trt batch scans.csv -o labels/ --preview --json --memory 8G
    """
    from .. import bundle as bundles
    from ..batch.batch import Batch
    from ..batch.machine import Machine
    from ..batch.outputs import Naming
    from ..batch.slots import LocalSlots
    from ..organs.selection import chosen
    from ..segmenter import default_bundle
    from .batch_progress import show_scans

    folder = bundle or default_bundle()
    loaded = bundles.load(folder)
    names = chosen(organs or (), dict(enumerate(loaded.manifest.labels)))
    masks = tuple(names.values()) if per_organ else ()
    if with_patient and not report:
        raise click.UsageError("--with-patient is about the page; write that too: --report.")
    naming = Naming(
        pattern,
        extension,
        preview=preview,
        document=document,
        organs=organs or (),
        masks=masks,
        rtstruct=rtstruct,
        sr=sr,
        page=report,
        with_patient=with_patient,
    )
    devices = tuple(name for name in device for _ in range(workers))
    machine = Machine(folder, devices, precision, threads, memory, timeout, retries, loaded.trusted)
    slots = _ray_slots(cluster, device, inputs, quiet) if cluster else LocalSlots
    make_folder(output)
    scans = Batch(inputs, output, machine, naming, part, retry_refused, slots, table_kind)
    done_before = len(scans.entries) - len(scans.tasks)
    with show_scans(len(scans.tasks), quiet=quiet) as show:
        scans.run(show)
    if not quiet:
        before = f" ({done_before} before)" if done_before else ""
        click.echo(
            f"{output}: {len(scans.done)} of {len(scans.entries)} scans done{before}, {len(scans.failed)} "
            f"failed, {len(scans.to_review)} to review; see {scans.tables[0]}"
        )
    scans.check()


def _ray_slots(
    address: str, devices: tuple[str, ...], inputs: tuple[Path, ...], quiet: bool
) -> Callable[[Machine, Path], Slots]:
    """Make the slots of the cluster at `address`."""
    if len(devices) > 1 or devices[0].startswith("cuda:"):
        raise click.BadParameter(
            "Ray finds the GPUs of each node; give --device cuda.", param_hint="--device"
        )
    from ..batch.cluster.slots import RaySlots

    def say(words: str) -> None:
        if not quiet:
            click.echo(without_controls(words), err=True)

    return partial(RaySlots, address=address, inputs=inputs, say=say)
