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
    help="File with the network's arrays, named as in a released SavedModel or checkpoint.",
)
@click.option(
    "--checkpoint",
    type=PATH,
    metavar="PREFIX",
    help="TensorFlow checkpoint of the released training code: its path without .index, or the folder with "
    "the latest, or a SavedModel. Moving averages are taken where it holds them.",
)
@labels_option("Default: those that the weights have logits for, else the released ones.")
@click.option("-o", "--output", required=True, type=PATH, metavar="DIR", help="Folder to create.")
def reference_model(
    network: str, weights: Path | None, checkpoint: Path | None, labels: str | None, output: Path
) -> None:
    """Write the localization or segmentation network as a SavedModel with the signature of the released one.

    Without --weights and --checkpoint the network is untrained: its weights are random, but the same every
    time. The export finds the names of --labels in the SavedModel.

    \b
    Examples:
        efficientscn-trt reference-model localization --checkpoint weights/ckpt-100000 \\
            -o models/localization
        efficientscn-trt reference-model segmentation --labels liver,aorta -o models/segmentation
    """
    if weights is not None and checkpoint is not None:
        raise click.UsageError("--weights and --checkpoint both give the weights; give one of them.")
    from efficientscn_trt.bundle.label_list import parse_labels
    from efficientscn_trt.export.tensorflow_import import import_tensorflow

    import_tensorflow()
    from efficientscn_trt.export.reference.architecture import (
        RELEASED,
        ScnArchitecture,
        parameter_count,
        released_form,
    )
    from efficientscn_trt.export.reference.checkpoint import read_checkpoint
    from efficientscn_trt.export.reference.saved_model import write_saved_model
    from efficientscn_trt.export.reference.weights import initial_weights, load_weights

    names = parse_labels(labels) if labels is not None else ()
    if weights is not None:
        arrays, origin = load_weights(network, weights), f"weights from {weights}"
    elif checkpoint is not None:
        read = read_checkpoint(network, checkpoint)
        arrays = read.arrays
        origin = f"{'moving averages' if read.averaged else 'weights'} from {checkpoint}"
    else:
        arrays = initial_weights(network, scn=ScnArchitecture(1 + len(names)) if names else RELEASED)
        origin = "untrained"
    write_saved_model(network, arrays, output, names)
    count = parameter_count(network, released_form(arrays))
    click.echo(f"{output}: {network} network, {count:,} parameters, {origin}")
