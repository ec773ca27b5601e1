"""`efficientscn-trt evaluate`: compare label maps with reference label maps."""

from __future__ import annotations

from pathlib import Path

import click

from .options import FILE, check_outputs, quiet_option


@click.command()
@click.argument("predictions", type=FILE)
@click.argument("references", type=FILE)
@click.option(
    "--bundle",
    type=FILE,
    metavar="DIR",
    help="Bundle that names the labels. Default: 1 liver, 2 kidneys, 3 spleen, 4 pancreas.",
)
@click.option("--csv", "csv_file", type=FILE, metavar="FILE", help="Also write every score, one per line.")
@click.option("--markdown", type=FILE, metavar="FILE", help="Also write the tables as Markdown.")
@quiet_option
def evaluate(
    predictions: Path,
    references: Path,
    bundle: Path | None,
    csv_file: Path | None,
    markdown: Path | None,
    quiet: bool,
) -> None:
    """Compare PREDICTIONS with REFERENCES: two label maps, or two folders with files of the same names.

    DSC (Dice similarity coefficient) is the overlap of the two volumes. NSD (normalized surface distance) is
    the share of both surfaces that is within 1 mm of the other surface. Both are 100 % for a perfect match.
    As in the FLARE challenge, an organ that neither label map has counts 100 %, and an organ that only one
    has counts 0 %. The table shows mean ± SD over the cases.

    \b
    Example:
        efficientscn-trt evaluate predictions/ references/ --csv scores.csv --markdown scores.md
    """
    from .. import bundle as bundles
    from ..evaluation import Score, find_cases, score_case, summarize, to_markdown, write_csv
    from ..io.atomic import replacing
    from ..phantom import LABEL_NAMES
    from .progress import show_stages
    from .tables import show, table

    check_outputs(csv_file, markdown)
    labels = bundles.load(bundle).manifest.labels if bundle else LABEL_NAMES
    cases = find_cases(predictions, references)
    scores: list[Score] = []
    with show_stages(len(cases), quiet=quiet) as stages:
        for case in cases:
            with stages.stage(case.name):
                scores += score_case(case, dict(enumerate(labels)))
    if csv_file is not None:
        write_csv(scores, csv_file)
    if markdown is not None:
        with replacing(markdown) as temporary:
            temporary.write_text(to_markdown(scores), encoding="utf-8")
    if not quiet:
        rows = [(summary.label.capitalize(), summary.dsc, summary.nsd) for summary in summarize(scores)]
        cases_text = "1 case" if len(cases) == 1 else f"{len(cases)} cases, mean ± SD"
        show(table(f"Agreement ({cases_text})", ("Organ", "DSC (%)", "NSD (%)"), rows))
