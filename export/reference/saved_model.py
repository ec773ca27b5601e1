"""Writes SavedModels with the signature and the checkpoint names of the released ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from efficientscn_trt.errors import ExportError, OutputError
from efficientscn_trt.io.label_details import LabelDetails
from efficientscn_trt.io.unfinished import unfinished_folder
from efficientscn_trt.io.wording import counted, listed

from ..labels import write_names
from .architecture import ScnArchitecture, released_form
from .form import RELEASED, Form
from .localization import Localization
from .scn import Scn
from .weights import check_weights


def write_saved_model(
    network: str,
    weights: Mapping[str, np.ndarray],
    directory: str | Path,
    labels: Sequence[LabelDetails] = (),
    *,
    scn: ScnArchitecture | None = None,
    form: Form = RELEASED,
) -> None:
    """Write `network` as a SavedModel, by default in its released form: float16, channels first.

    Its signature ``serving_default`` takes ``image``, float16 [n, 1, z, y, x], and returns ``output_0``. For
    ``localization`` that is the mask, bool [n, 1, z, y, x], and sizes are multiples of 16. For
    ``segmentation`` it is the probabilities, float16 [n, labels, z, y, x], and sizes are multiples of 32.
    The folder appears complete or not at all.

    Args:
        network: ``localization`` or ``segmentation``.
        weights: arrays by checkpoint name.
        directory: folder to create; it may exist only if it is empty.
        labels: of ``segmentation``, without the background. The export finds them in the SavedModel.
        scn: the architecture of ``segmentation``; by default the released one, with as many labels as there
            are local logits.
        form: layout and number format.

    Raises:
        ExportError: the weights are not those of `network`, or `labels` are of another number.
        OutputError: the folder exists and is not empty, or cannot be written.
    """
    target = Path(directory).absolute()
    weights = check_weights(network, weights, "the given weights", scn)
    _check_labels(network, (scn or released_form(weights)).labels - 1, labels)
    if target.is_file() or (target.is_dir() and any(target.iterdir())):
        raise OutputError(f"{target} exists already; give a new folder, or remove this one first")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with unfinished_folder(target) as partial:
            _save(network, weights, partial, scn, form)
            if labels:
                write_names(partial, labels)
            if target.is_dir():
                target.rmdir()
            partial.rename(target)
    except (OSError, tf.errors.OpError) as error:
        raise OutputError(f"{target} cannot be written: {error}") from error


def _check_labels(network: str, count: int, labels: Sequence[LabelDetails]) -> None:
    if labels and network != "segmentation":
        raise ExportError(f"the {network} network has no labels; name those of the segmentation network")
    if labels and len(labels) != count:
        names = listed(label.name for label in labels)
        raise ExportError(
            f"the weights are for {counted(count, 'label')} beside the background, but {len(labels)} are "
            f"named: {names}; name each once"
        )


def _save(
    network: str,
    weights: Mapping[str, np.ndarray],
    directory: Path,
    scn: ScnArchitecture | None,
    form: Form,
) -> None:
    module: Localization | Scn
    module = Localization(weights, form) if network == "localization" else Scn(weights, form, scn)

    @tf.function(input_signature=[tf.TensorSpec(form.shape(1), form.dtype, name="image")])
    def serve(image: tf.Tensor) -> tf.Tensor:
        return module(image) if isinstance(module, Localization) else module(image).probabilities

    root = tf.Module()
    root.model = _trackable(module.checkpoint())
    tf.saved_model.save(root, str(directory), signatures={"serving_default": serve.get_concrete_function()})


class _Group(tf.Module):
    """Saves its variables as ``variables/0``, ``variables/1``, …"""

    # A plain attribute in place of tf.Module's property, which is not saved.
    variables: Any = None


def _trackable(named: Mapping[str, tf.Variable]) -> tf.Module:
    """An object that saves the variables under their names."""
    groups: dict[str, list[tf.Variable]] = {}
    for name, variable in named.items():
        groups.setdefault(name.rpartition("variables/")[0].rstrip("/"), []).append(variable)
    model = _Group()
    for name, variables in groups.items():
        group = model
        if name:
            group = _Group()
            setattr(model, name, group)
        group.variables = variables
    return model
