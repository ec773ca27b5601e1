"""``efficientscn-trt reference-model``: write one of the two networks as a SavedModel."""

from __future__ import annotations

import os
from pathlib import Path

import click


@click.command("reference-model")
@click.argument("network", type=click.Choice(["localization", "segmentation"]))
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    help="An .npz file of the network's arrays, named as in a released checkpoint. Default: untrained.",
)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder to create.")
def reference_model(network: str, weights: Path | None, output: Path) -> None:
    """Write NETWORK as a TensorFlow SavedModel with the signature of the released models.

    Without --weights the network is untrained: its weights are drawn at random, the same ones every time.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        import tensorflow as tf
    except ImportError as error:
        raise click.ClickException(
            "reference-model needs TensorFlow, which is not installed: pip install 'efficientscn-trt[export]'"
        ) from error
    from efficientscn_trt.export.reference.architecture import parameter_count
    from efficientscn_trt.export.reference.saved_model import write_saved_model
    from efficientscn_trt.export.reference.weights import initial_weights, load_weights

    tf.get_logger().setLevel("ERROR")
    arrays = load_weights(network, weights) if weights is not None else initial_weights(network)
    write_saved_model(network, arrays, output)
    origin = f"weights from {weights}" if weights is not None else "untrained"
    click.echo(f"{output}: {network} network, {parameter_count(network):,} parameters, {origin}")
