"""`efficientscn-trt demo`: the whole way on a phantom, with nothing to download."""

from __future__ import annotations

from pathlib import Path

import click

from .options import FILE, check_outputs, make_folder, quiet_option, segmenter_options


@click.command()
@click.option(
    "-o",
    "--output",
    type=FILE,
    metavar="DIR",
    default=Path("demo-output"),
    show_default=True,
    help="Folder for the files; made if it is not there.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), metavar="N", help="Which phantom. Default: one never trained on."
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
    """Make a phantom CT of the abdomen, label its organs, and compare with the truth.

    Writes ct.nii.gz, labels.nii.gz, truth.nii.gz and preview.png. The networks that come with this package
    were trained on such phantoms and know nothing else: for a patient's scan give `efficientscn-trt segment`
    a bundle exported from models that were trained on patients.

    \b
    Example:
        efficientscn-trt demo -o demo-output
    """
    from ..demo import FILES, FIRST_UNSEEN_SEED, PREVIEW, check_labels, segment_phantom, write_files
    from ..phantom import make_phantom
    from ..segmenter import STAGES, Segmenter
    from .progress import show_stages
    from .tables import comparison_table, machine_line, print_warnings, seconds_table, show

    make_folder(output)
    check_outputs(*(output / name for name in FILES))
    with show_stages(len(STAGES) + 3, quiet=quiet) as stages:
        with stages.stage("networks"):
            segmenter = Segmenter(bundle, device, precision, threads)
            check_labels(segmenter)
        with stages.stage("phantom"):
            phantom = make_phantom(FIRST_UNSEEN_SEED if seed is None else seed)
        run = segment_phantom(segmenter, phantom, stages.begin)
        with stages.stage("writing"):
            write_files(output, run, segmenter)
    print_warnings(run.segmentation.warnings)
    if not quiet:
        seconds = {key: stages.seconds.pop(key) for key in ("networks", "phantom")}
        show(comparison_table(run), seconds_table(seconds | run.segmentation.seconds | stages.seconds))
        click.echo(
            f"{machine_line(run.segmentation)}\nLook at {output / PREVIEW}\n"
            "A phantom is drawn, not scanned: this shows that the installation works, nothing about patients."
        )
