"""`efficientscn-trt reference-model`: write one of the two networks as a SavedModel."""

from __future__ import annotations

from pathlib import Path

import click

PATH = click.Path(path_type=Path)


@click.command("reference-model")
@click.argument("network", type=click.Choice(["localization", "segmentation"]))
@click.option(
    "--weights",
    type=PATH,
    metavar="NPZ",
    help="File with the network's arrays, named as in a released checkpoint. Default: untrained weights.",
)
@click.option("-o", "--output", required=True, type=PATH, metavar="DIR", help="Folder to create.")
def reference_model(network: str, weights: Path | None, output: Path) -> None:
    """Write the localization or segmentation network as a SavedModel with the signature of the released one.

    Without --weights the network is untrained: its weights are random, but the same every time.

    \b
    Example:
        efficientscn-trt reference-model localization -o models/localization
    """
    from efficientscn_trt.export.tensorflow_import import import_tensorflow

    import_tensorflow()
    from efficientscn_trt.export.reference.architecture import parameter_count
    from efficientscn_trt.export.reference.saved_model import write_saved_model
    from efficientscn_trt.export.reference.weights import initial_weights, load_weights

    arrays = load_weights(network, weights) if weights is not None else initial_weights(network)
    write_saved_model(network, arrays, output)
    origin = f"weights from {weights}" if weights is not None else "untrained"
    click.echo(f"{output}: {network} network, {parameter_count(network):,} parameters, {origin}")
