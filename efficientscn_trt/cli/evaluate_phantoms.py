"""`efficientscn-trt evaluate-phantoms`: how well a bundle labels phantoms that were not used in training."""

from __future__ import annotations

from pathlib import Path
from statistics import mean, stdev

import click

from .options import FILE, check_outputs, quiet_option, segmenter_options


@click.command("evaluate-phantoms")
@click.option(
    "--count",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    metavar="N",
    help="Number of phantoms.",
)
@click.option(
    "--json", "report", type=FILE, metavar="FILE", help="Also write the DSC of every phantom as JSON."
)
@segmenter_options
@quiet_option
def evaluate_phantoms(
    count: int,
    report: Path | None,
    bundle: Path | None,
    device: str,
    precision: str,
    threads: int,
    quiet: bool,
) -> None:
    """Label phantoms, and compare the label maps with the ground truth (Dice similarity coefficient, DSC).

    The phantoms have the seeds 1000000 and up, which training never uses.

    \b
    Example:
        efficientscn-trt evaluate-phantoms --count 5
    """
    from ..demo.cases import phantom_case, segment_case
    from ..phantom import FIRST_UNSEEN_SEED
    from ..report.document import write_json
    from ..segmenter import Segmenter
    from .progress import show_stages
    from .tables import print_warnings, show, table

    check_outputs(report)
    seeds = range(FIRST_UNSEEN_SEED, FIRST_UNSEEN_SEED + count)
    scores: dict[int, dict[str, float]] = {}
    with show_stages(1 + count, quiet=quiet) as stages:
        with stages.stage("networks"):
            segmenter = Segmenter(bundle, device, precision, threads)
        for seed in seeds:
            with stages.stage(f"phantom {seed}"):
                run = segment_case(segmenter, phantom_case(seed, segmenter.bundle.manifest.labels))
                scores[seed] = run.dice
    if report is not None:
        document = {
            "bundle": segmenter.bundle.manifest.name,
            "device": segmenter.device,
            "precision": segmenter.precision,
            "dsc": scores,
        }
        write_json(report, document)
    print_warnings(run.segmentation.warnings)
    if not quiet:
        organs = list(run.dice)
        rows = [[str(seed), *(f"{100 * own[organ]:.1f}" for organ in organs)] for seed, own in scores.items()]
        rows.append(
            ["Mean", *(f"{100 * mean(own[organ] for own in scores.values()):.1f}" for organ in organs)]
        )
        if count > 1:
            rows.append(
                ["SD", *(f"{100 * stdev(own[organ] for own in scores.values()):.1f}" for organ in organs)]
            )
        show(table("DSC (%)", ("Phantom", *(organ.capitalize() for organ in organs)), rows))
