"""`efficientscn-trt validate`: is a bundle on this machine still the trained model?"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import FILE, check_outputs, make_folder, quiet_option

if TYPE_CHECKING:
    from ..export.validation import Verdict

REPORT = "validation.json"


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
    "--input", "scans", required=True, multiple=True, type=FILE, metavar="CT", help="Scan; may be repeated."
)
@click.option(
    "-o",
    "--output",
    type=FILE,
    metavar="DIR",
    default=Path("validation"),
    show_default=True,
    help=f"Folder for the worst slices as pictures and for {REPORT}.",
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
    help="Largest difference of a probability in float32. Precisions of 16 bits are held to what float16 "
    "does to the SavedModel itself.",
)
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
    """Compare BUNDLE, on every device and precision that runs here, with the models it was exported from.

    Both are run on the scans: mask, probabilities and label map must agree within limits, else this ends with
    the exit code 8. The first row of a scan tells what the rounding to float16 costs the SavedModels
    themselves. This needs pip install 'efficientscn-trt[export]' and a minute or more a scan.

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
    from .progress import show_stages
    from .report import write_json
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
        header = ("Scan", "What runs", "Mask ≠", "Largest Δp", "Mean Δp", "Labels = (%)", "Dice", "NSD (%)")
        show(table("Against the SavedModel in float32", header, map(_row, verdicts), text_columns=2))
        click.echo(f"{output}: the worst slices, and {REPORT}")
    failures = [f"{v.scan}, {v.backend}: {problem}" for v in verdicts for problem in v.problems]
    if failures:
        raise FidelityError(
            "The bundle does not say what the SavedModels say. "
            + "; ".join(failures)
            + ". Are these the models that it was exported from? If so, export and build it again."
        )


def _row(verdict: Verdict) -> tuple[str, ...]:
    """The least Dice and NSD of all labels."""
    found = verdict.fidelity
    return (
        verdict.scan,
        verdict.backend,
        f"{found.mask_unequal} of {found.mask_voxels}",
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
