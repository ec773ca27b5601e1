"""`efficientscn-trt export`: two trained TensorFlow models to one bundle."""

from __future__ import annotations

from pathlib import Path

import click

from .options import FILE, quiet_option


@click.command()
@click.option(
    "--localization",
    required=True,
    type=FILE,
    metavar="DIR",
    help="SavedModel of the localization network: CT at 6 mm in, mask of the organs out.",
)
@click.option(
    "--segmentation",
    required=True,
    type=FILE,
    metavar="DIR",
    help="SavedModel of the segmentation network: CT at 2 mm in, probabilities of the labels out.",
)
@click.option("-o", "--output", required=True, type=FILE, metavar="BUNDLE", help="Folder to write.")
@click.option("--name", metavar="TEXT", help="Name of the bundle. Default: the name of the folder.")
@click.option("--description", default="", metavar="TEXT", help="What the networks are.")
@click.option(
    "--notice", default="", metavar="TEXT", help="What must be known of them; shown with each segmentation."
)
@click.option("--training-data", default="", metavar="TEXT", help="What they were trained on.")
@click.option(
    "--parameters",
    type=FILE,
    metavar="JSON",
    help='File with what differs from the released pipeline, as in a manifest\'s "pipeline": '
    '{"segmentation": {"outside_hu": -1024}}.',
)
@click.option(
    "--check-input",
    type=FILE,
    metavar="CT",
    help="Scan that each step is checked on. Default: a phantom.",
)
@click.option("--force", is_flag=True, help="Replace a bundle that is there already.")
@quiet_option
def export(
    localization: Path,
    segmentation: Path,
    output: Path,
    name: str | None,
    description: str,
    notice: str,
    training_data: str,
    parameters: Path | None,
    check_input: Path | None,
    force: bool,
    quiet: bool,
) -> None:
    """Turn two trained TensorFlow models into a bundle that `efficientscn-trt segment` takes.

    The models are SavedModels as the released training code writes them, with the signature serving_default.
    Their graphs are converted to ONNX and simplified step by step. Each step is checked: it must not change
    what the network says. This takes a minute or two, and needs pip install 'efficientscn-trt[export]'.

    \b
    Example:
        efficientscn-trt export --localization models/localization \\
            --segmentation models/segmentation -o my-bundle --check-input ct.nii.gz
    """
    from ..export import export_bundle
    from ..export.bundle_export import PROGRESS_STEPS
    from ..export.report import HEADER, rows, title
    from .progress import show_stages
    from .tables import print_warnings, show, table

    with show_stages(PROGRESS_STEPS, quiet=quiet) as stages:
        report = export_bundle(
            localization,
            segmentation,
            output,
            name=name,
            description=description,
            notice=notice,
            training_data=training_data,
            parameters=parameters,
            check_input=check_input,
            force=force,
            progress=stages.begin,
        )
    for network in (report.localization, report.segmentation):
        if not quiet:
            show(table(title(network), HEADER, rows(network)))
        print_warnings(f"{network.role}: {sentence}" for sentence in (*network.slow, *network.warnings))
    if not quiet:
        click.echo(f"{output}: checked on {report.check_input}")
