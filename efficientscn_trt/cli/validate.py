"""`efficientscn-trt validate`: compare a bundle on this machine with the trained models."""

from __future__ import annotations

import dataclasses
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import FILE, check_outputs, make_folder, quiet_option, trusted_key_option

if TYPE_CHECKING:
    from ..export.validation import Verdict

REPORT = "validation.json"
LEGEND = """\
Mask ≠: voxels of the localization's mask that differ. Δp: difference of the
probabilities. Labels =: voxels with equal labels. Dice and NSD: the worst label."""


@click.command()
@click.argument("bundle", metavar="BUNDLE", type=FILE)
@click.option(
    "--localization",
    required=True,
    type=FILE,
    metavar="DIR",
    help="SavedModel that the localization network was exported from.",
)
@click.option(
    "--segmentation",
    required=True,
    type=FILE,
    metavar="DIR",
    help="SavedModel that the segmentation network was exported from.",
)
@click.option(
    "--input",
    "scans",
    required=True,
    multiple=True,
    type=FILE,
    metavar="CT",
    help="Scan to compare on; may be given several times.",
)
@click.option(
    "-o",
    "--output",
    type=FILE,
    metavar="DIR",
    default=Path("validation"),
    show_default=True,
    help=f"Folder for pictures of the worst slices and for {REPORT}.",
)
@click.option(
    "--least-dice",
    type=click.FloatRange(0, 1),
    default=0.998,
    show_default=True,
    help="Dice that every label must reach against the SavedModel in float32.",
)
@click.option(
    "--largest-difference",
    type=click.FloatRange(min=0),
    default=1e-3,
    show_default=True,
    help="Largest difference of a probability in float32. In fp16 and bf16 the mean difference is limited "
    "instead: to 4 and 32 times what float16 changes in the SavedModels.",
)
@trusted_key_option
@quiet_option
def validate(
    bundle: Path,
    localization: Path,
    segmentation: Path,
    scans: tuple[Path, ...],
    output: Path,
    least_dice: float,
    largest_difference: float,
    quiet: bool,
) -> None:
    """Compare BUNDLE, on every device and in every precision of this machine, with its original models.

    The bundle and the models segment the scans. Masks, probabilities and label maps must agree within
    limits, else the exit code is 8. The first row of each scan shows what rounding to float16 changes in the
    SavedModels themselves. This needs pip install 'efficientscn-trt[export]', and a minute or more per scan.

    \b
    Example:
        efficientscn-trt validate my-bundle/ --localization models/localization \\
            --segmentation models/segmentation --input ct.nii.gz
    """
    from .. import bundle as bundles
    from ..errors import FidelityError
    from ..export.tensorflow_import import import_tensorflow
    from ..export.validation import Limits
    from ..export.validation import validate as run
    from ..report.document import write_json
    from .progress import show_stages
    from .tables import show, table

    loaded = bundles.load(bundle)
    make_folder(output)
    check_outputs(output / REPORT)
    import_tensorflow()
    limits = Limits(least_dice, largest_difference)
    with show_stages(1, quiet=quiet) as stages:
        verdicts = list(
            run(
                loaded,
                localization,
                segmentation,
                scans,
                limits=limits,
                pictures=output,
                progress=stages.begin,
            )
        )
    write_json(output / REPORT, _document(verdicts))
    if not quiet:
        header = ("Candidate", "Mask ≠", "Largest Δp", "Mean Δp", "Labels = (%)", "Dice", "NSD (%)")
        for scan, found in groupby(verdicts, key=lambda verdict: verdict.scan):
            show(table(f"{scan}, against the SavedModels in float32", header, map(_row, found)))
        click.echo(LEGEND)
        click.echo(f"{output} has pictures of the worst slices, and {REPORT}.")
    failures = [f"{v.scan}, {v.backend}: {problem}" for v in verdicts for problem in v.problems]
    if failures:
        raise FidelityError(
            "The bundle differs from the SavedModels. "
            + "; ".join(failures)
            + ". Check that it was exported from these models; if so, export and build it again."
        )


def _row(verdict: Verdict) -> tuple[str, ...]:
    """One row of the table; Dice and NSD are those of the worst label."""
    found = verdict.fidelity
    return (
        verdict.backend,
        str(found.mask_unequal),
        f"{found.largest:.1e}",
        f"{found.mean:.1e}",
        f"{100 * found.agreement:.3f}",
        f"{min(found.dice.values()):.4f}",
        f"{100 * min(found.nsd.values()):.2f}",
    )


def _document(verdicts: list[Verdict]) -> list[dict[str, object]]:
    return [
        dataclasses.asdict(verdict) | {"picture": verdict.picture and verdict.picture.name}
        for verdict in verdicts
    ]
