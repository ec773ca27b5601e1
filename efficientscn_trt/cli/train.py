"""`efficientscn-trt train`: train one of the two networks on your own cases, on phantoms, or on both."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import ExportError
from ..triples import Size
from .options import Device, labels_option, quiet_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from efficientscn_trt.io.label_details import LabelDetails
    from efficientscn_trt.training.cases import CaseSource

PATH = click.Path(path_type=Path)
SAVED_MODEL = "the network with the released signature"
Report = Callable[[int, dict[str, float]], None]


@click.command("train")
@click.argument("network", type=click.Choice(["localization", "segmentation"]))
@click.option(
    "--cases",
    type=PATH,
    metavar="DIR",
    help="Folder with images/NAME.nii.gz (CT in HU) and labels/NAME.nii.gz (values as in --labels).",
)
@labels_option("Default: liver,kidneys,spleen,pancreas, which are also those of phantoms.")
@click.option(
    "--phantoms",
    type=click.IntRange(min=1),
    metavar="N",
    help="Train on N phantoms, alone or with the cases.",
)
@click.option(
    "--cases-share",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="With --cases and --phantoms: the share of steps that train on --cases.",
)
@click.option(
    "--ignore-missing",
    is_flag=True,
    help="Treat an organ that is missing from a label map as not annotated, instead of as absent.",
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=PATH,
    metavar="RUN",
    help="Folder of the run. An existing run is resumed.",
)
@click.option(
    "--steps",
    required=True,
    type=click.IntRange(min=1),
    metavar="N",
    help="Number of steps. A step trains on one case.",
)
@click.option("--start", type=PATH, metavar="NPZ", help="Weights to start from. Default: random weights.")
@click.option(
    "--quick",
    is_flag=True,
    help="Train by a schedule for short runs, not the paper's: learning rate 1e-3 with warm-up and cosine "
    "decay, no dropout, clipped gradients, and first weights scaled to the contrast of soft tissue.",
)
@click.option(
    "--learning-rate",
    type=click.FloatRange(0, min_open=True),
    help="Learning rate of Adam. Default: 1e-4; with --quick 1e-3.",
)
@click.option(
    "--crop",
    "crops",
    type=(int, int, int),
    multiple=True,
    metavar="Z Y X",
    help="Train on random crops of this size in voxels, to save time; several sizes may be given. Default: "
    "the whole input, as in inference.",
)
@click.option(
    "--spacing",
    type=click.FloatRange(0.5, 10),
    default=2.0,
    show_default=True,
    metavar="MM",
    help="Spacing of the segmentation network's input. For the export, --parameters must have the same "
    "spacing_mm, and a spacing_threshold that is 0.1 mm lower.",
)
@click.option(
    "--augmentation",
    type=click.Choice(["usual", "strong"]),
    default="usual",
    show_default=True,
    help="Strength of the random translations, rotations, scalings, deformations and intensity changes. Use "
    "strong if there are few cases.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of all random numbers."
)
@click.option(
    "--device",
    type=Device(("cpu", "cuda")),
    default="cpu",
    show_default=True,
    help="Device to train on; cuda:1 is the second GPU.",
)
@click.option(
    "--threads", type=click.IntRange(min=0), default=0, metavar="N", help="CPU threads. Default: all."
)
@click.option("--cache", type=PATH, metavar="DIR", help="Folder for prepared cases. Default: RUN/cache.")
@quiet_option
def train(
    network: str,
    cases: Path | None,
    labels: str | None,
    phantoms: int | None,
    cases_share: float,
    ignore_missing: bool,
    output: Path,
    steps: int,
    start: Path | None,
    quick: bool,
    learning_rate: float | None,
    crops: tuple[Size, ...],
    spacing: float,
    augmentation: str,
    seed: int,
    device: str,
    threads: int,
    cache: Path | None,
    quiet: bool,
) -> None:
    """Train the localization or segmentation network with the losses and the protocol of the paper.

    A run may be stopped at any time; the same command resumes it. At the end, RUN has weights.npz (the
    averaged weights), saved_model (if TensorFlow is installed), history.csv and curves.png.

    \b
    Examples:
        efficientscn-trt train localization --cases data -o runs/loc --steps 1000000 --device cuda
        efficientscn-trt train segmentation --cases data -o runs/seg --steps 500000 --device cuda
    """
    if cases is None and phantoms is None:
        raise click.UsageError("There is nothing to train on; give --cases, --phantoms or both.")
    from efficientscn_trt.bundle.label_list import parse_labels
    from efficientscn_trt.training.augment import STRENGTHS
    from efficientscn_trt.training.cases import ORGANS, Cache
    from efficientscn_trt.training.config import paper, quick_work
    from efficientscn_trt.training.prepare import prepare_localization, prepare_segmentation
    from efficientscn_trt.training.trainer import Trainer, set_threads

    described = parse_labels(labels) if labels is not None else ()
    names = tuple(label.name for label in described) or ORGANS
    if phantoms is not None and names != ORGANS:
        raise click.UsageError(
            f"Phantoms have the labels {', '.join(ORGANS)}, but --labels gives others; train on --cases "
            "alone."
        )
    set_threads(threads)
    protocol = quick_work if quick else paper
    config = protocol(
        network,
        steps,
        learning_rate,
        labels=names,
        spacing_mm=spacing,
        crops=crops,
        augmentation=STRENGTHS[augmentation],
        seed=seed,
        device=device,
    )
    prepare = (
        prepare_localization
        if network == "localization"
        else partial(prepare_segmentation, spacing_mm=spacing)
    )
    source = _source(cases, names, phantoms, cases_share, ignore_missing)
    trainer = Trainer(config, Cache(source, prepare, cache or output / "cache"), output, start)
    with _progress(trainer.step, steps, quiet) as report:
        trainer.train(report)
    _write_saved_model(network, output, described if network == "segmentation" else (), labels)


def _source(
    cases: Path | None, labels: tuple[str, ...], phantoms: int | None, share: float, ignore_missing: bool
) -> CaseSource:
    from efficientscn_trt.training.cases import Folder, Mixture, Phantoms

    if cases is None:
        assert phantoms is not None
        return Phantoms(phantoms)
    folder = Folder(cases, ignore_missing, labels)
    if (
        not folder.names or phantoms is None
    ):  # reads the names now, so that an empty folder is refused at once
        return folder
    return Mixture(folder, Phantoms(phantoms), share)


def _progress(done: int, steps: int, quiet: bool) -> AbstractContextManager[Report]:
    """A bar on stderr with running means of the loss and the Dice coefficients."""
    import math

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    text, bar_column = TextColumn("{task.description}"), BarColumn(bar_width=24)
    columns = (text, bar_column, MofNCompleteColumn(), TimeRemainingColumn())

    @contextmanager
    def show() -> Iterator[Report]:
        means: dict[str, float] = {}
        with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as bar:
            task = bar.add_task("Training", total=steps, completed=done)

            def report(step: int, row: dict[str, float]) -> None:
                for name, value in row.items():
                    if not math.isnan(value):
                        means[name] = means.get(name, value) + 0.05 * (value - means.get(name, value))
                dice = " ".join(f"{value:.2f}" for name, value in means.items() if name.startswith("dice"))
                bar.update(task, completed=step + 1, description=f"Loss {means['loss']:.3f}  Dice {dice}")

            yield report

    return show()


def _write_saved_model(network: str, run: Path, labels: tuple[LabelDetails, ...], given: str | None) -> None:
    """Write RUN/saved_model with the names of `labels` or, without TensorFlow, print the command that does.

    `given`: the text of --labels.
    """
    weights, model = run / "weights.npz", run / "saved_model"
    click.echo(f"{weights}: the averaged weights")
    if (model / "saved_model.pb").is_file():  # the run had ended before, with the same weights
        click.echo(f"{model}: {SAVED_MODEL}")
        return
    try:
        from efficientscn_trt.export.tensorflow_import import import_tensorflow

        import_tensorflow()
    except ExportError:
        option = f" --labels {shlex.quote(given)}" if labels and given else ""
        command = f"efficientscn-trt reference-model {network} --weights {weights}{option} -o {model}"
        click.echo(
            f"There is no SavedModel, because TensorFlow is not installed. With TensorFlow, run: {command}"
        )
        return
    from efficientscn_trt.export.reference.saved_model import write_saved_model
    from efficientscn_trt.export.reference.weights import load_weights

    write_saved_model(network, load_weights(network, weights), model, labels)
    click.echo(f"{model}: {SAVED_MODEL}")
