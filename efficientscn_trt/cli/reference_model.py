"""`efficientscn-trt reference-model`: write one of the two networks as a SavedModel."""

from __future__ import annotations

from pathlib import Path

import click

from .options import labels_option

PATH = click.Path(path_type=Path)


@click.command("reference-model")
@click.argument("network", type=click.Choice(["localization", "segmentation"]))
@click.option(
    "--weights",
    type=PATH,
    metavar="NPZ",
    help="File with the network's arrays, named as in a released checkpoint. Default: untrained weights.",
)
@labels_option("Default: those that --weights has logits for, else the released ones.")
@click.option("-o", "--output", required=True, type=PATH, metavar="DIR", help="Folder to create.")
def reference_model(network: str, weights: Path | None, labels: str | None, output: Path) -> None:
    """Write the localization or segmentation network as a SavedModel with the signature of the released one.

    Without --weights the network is untrained: its weights are random, but the same every time. The export
    finds the names of --labels in the SavedModel.

    \b
    Examples:
        efficientscn-trt reference-model localization -o models/localization
        efficientscn-trt reference-model segmentation --labels liver,aorta -o models/segmentation
    """
    from efficientscn_trt.bundle.label_list import parse_labels
    from efficientscn_trt.export.tensorflow_import import import_tensorflow

    import_tensorflow()
    from efficientscn_trt.export.reference.architecture import LABELS, label_count, parameter_count
    from efficientscn_trt.export.reference.saved_model import write_saved_model
    from efficientscn_trt.export.reference.weights import initial_weights, load_weights

    names = parse_labels(labels) if labels is not None else ()
    if weights is not None:
        arrays = load_weights(network, weights)
    else:
        arrays = initial_weights(network, labels=1 + len(names) if names else LABELS)
    write_saved_model(network, arrays, output, names)
    origin = f"weights from {weights}" if weights is not None else "untrained"
    count = parameter_count(network, label_count(arrays))
    click.echo(f"{output}: {network} network, {count:,} parameters, {origin}")
