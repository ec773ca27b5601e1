"""`efficientscn-trt export`: turn two trained TensorFlow models into a bundle."""

from __future__ import annotations

from pathlib import Path

import click

from .options import FILE, labels_option, quiet_option


@click.command()
@click.option(
    "--localization",
    required=True,
    type=FILE,
    metavar="DIR",
    help="SavedModel of the localization network (input: CT at 6 mm; output: mask of the organs).",
)
@click.option(
    "--segmentation",
    required=True,
    type=FILE,
    metavar="DIR",
    help="SavedModel of the segmentation network (input: CT at 2 mm; output: probabilities of the labels).",
)
@click.option("-o", "--output", required=True, type=FILE, metavar="BUNDLE", help="Folder to write.")
@labels_option("Default: those in the SavedModel; else the released ones for five channels.")
@click.option(
    "--no-background",
    is_flag=True,
    help="The segmentation network has no channel for the background. The bundle's network gets one: what "
    "the predictions of the labels leave of 1.",
)
@click.option("--name", metavar="TEXT", help="Name of the bundle. Default: the name of the folder.")
@click.option("--description", default="", metavar="TEXT", help="One sentence about the networks.")
@click.option("--notice", default="", metavar="TEXT", help="Warning that is shown with each segmentation.")
@click.option("--training-data", default="", metavar="TEXT", help="What the networks were trained on.")
@click.option(
    "--parameters",
    type=FILE,
    metavar="JSON",
    help='JSON file with the values that differ from the released pipeline, as in a manifest\'s "pipeline": '
    '{"segmentation": {"outside_hu": -1024}}.',
)
@click.option(
    "--check-input",
    type=FILE,
    metavar="CT",
    help="Scan to check each step on. Default: a phantom.",
)
@click.option("--force", is_flag=True, help="Replace an existing bundle.")
@quiet_option
def export(
    localization: Path,
    segmentation: Path,
    output: Path,
    labels: str | None,
    no_background: bool,
    name: str | None,
    description: str,
    notice: str,
    training_data: str,
    parameters: Path | None,
    check_input: Path | None,
    force: bool,
    quiet: bool,
) -> None:
    """Turn two trained TensorFlow models into a bundle for `efficientscn-trt segment`.

    The models are SavedModels with the signature serving_default, as the released training code writes them.
    Their graphs are converted to ONNX and simplified step by step. Each step is checked: it must not change
    the output of the network. This takes a minute or two, and needs pip install 'efficientscn-trt[export]'.

    \b
    Example:
        efficientscn-trt export --localization models/localization \\
            --segmentation models/segmentation -o my-bundle --check-input ct.nii.gz
    """
    from ..bundle.label_list import parse_labels
    from ..export import export_bundle
    from ..export.bundle_export import PROGRESS_STEPS
    from ..export.report import HEADER, LABEL_HEADER, LEGEND, label_rows, rows, title
    from .progress import show_stages
    from .tables import print_warnings, show, table

    with show_stages(PROGRESS_STEPS, quiet=quiet) as stages:
        report = export_bundle(
            localization,
            segmentation,
            output,
            labels=None if labels is None else parse_labels(labels),
            background=not no_background,
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
    print_warnings(f"{run.role}: {run}" for run in report.cpu if run.not_core)
    if report.not_on_cpu:
        print_warnings([f"This CPU cannot run the bundle: {report.not_on_cpu}"])
    if not report.labels.known:
        print_warnings([f"The labels are called label 1 and so on. {report.labels.origin}"])
    if not quiet:
        click.echo(LEGEND)
        show(table("Labels", LABEL_HEADER, label_rows(report.labels.labels), text_columns=len(LABEL_HEADER)))
        click.echo(report.labels.origin)
        for run in report.cpu:
            if not run.not_core:
                click.echo(f"{run.role}: {run}")
        click.echo(f"{output}: checked on {report.check_input}")
