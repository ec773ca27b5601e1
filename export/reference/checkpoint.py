"""Reads the weights of a TensorFlow checkpoint, such as training writes, or as is in a SavedModel."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

from efficientscn_trt.errors import ExportError
from efficientscn_trt.io.wording import listed

from .checkpoint_names import VALUE, in_our_names
from .weights import check_weights

_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_SLOT = "/.OPTIMIZER_SLOT/"

# How Keras and tf.train name the moving average of a variable.
_AVERAGE = re.compile(r"(?:.*/)?average/(?P<keras>.+)|(?P<tf>.+)/ExponentialMovingAverage")


@dataclass(frozen=True)
class CheckpointWeights:
    """The arrays of a network by checkpoint name, float32. `averaged`: they are moving averages."""

    arrays: dict[str, np.ndarray]
    averaged: bool


def read_checkpoint(network: str, path: str | Path) -> CheckpointWeights:
    """Read the weights of ``localization`` or ``segmentation`` from a checkpoint.

    Moving averages are taken where the checkpoint holds them: those of Keras' optimizers, and those of
    `tf.train.ExponentialMovingAverage`.

    Args:
        network: ``localization`` or ``segmentation``.
        path: of the checkpoint without .index; or a folder with checkpoints, of which the latest is read; or
            a SavedModel.

    Raises:
        ExportError: there is no checkpoint, or it cannot be read, or its arrays are not those of `network`.
    """
    prefix = _prefix(Path(path))
    try:
        reader = tf.train.load_checkpoint(prefix)
        saved = reader.get_variable_to_shape_map()
        keys = [key for key in saved if key.endswith(VALUE) and _SLOT not in key]
        found, _ = in_our_names(network, {key: key for key in keys}, str(path))
        averages = _averages(reader, list(found.values()), str(path)) if found else {}
        arrays = {name: reader.get_tensor(averages.get(key, key)) for name, key in found.items()}
    except (tf.errors.OpError, ValueError) as error:
        raise ExportError(f"{path} holds no readable TensorFlow checkpoint: {error}") from error
    return CheckpointWeights(check_weights(network, arrays, str(path)), bool(averages))


def _prefix(path: Path) -> str:
    """What TensorFlow calls the checkpoint at `path`. Raises ExportError if there is none."""
    if path.suffix == ".index":
        path = path.with_suffix("")
    inside = path / "variables" / "variables"
    for prefix in (path, inside):
        if prefix.with_name(f"{prefix.name}.index").is_file():
            return str(prefix)
    latest = tf.train.latest_checkpoint(str(path)) if path.is_dir() else None
    if latest is None:
        raise ExportError(
            f"{path} is no TensorFlow checkpoint: there is no {path.name}.index; give the path of one "
            "without .index, or a folder with checkpoints, or a SavedModel"
        )
    return str(latest)


def _averages(reader: tf.train.CheckpointReader, keys: list[str], source: str) -> dict[str, str]:
    """The key of the moving average of each of `keys`; empty if the checkpoint holds none.

    Raises ExportError if it holds some that are not those of all `keys`.
    """
    if not reader.has_tensor(_GRAPH):
        return {}
    graph = TrackableObjectGraph.FromString(reader.get_tensor(_GRAPH))
    saved = [attribute for node in graph.nodes for attribute in node.attributes]
    name_of = {attribute.checkpoint_key: attribute.full_name for attribute in saved}
    average_of = {
        match["keras"] or match["tf"]: attribute.checkpoint_key
        for attribute in saved
        if (match := _AVERAGE.fullmatch(attribute.full_name))
    }
    wanted = {key: name_of.get(key, "") for key in keys}
    found = {key: average_of[name] for key, name in wanted.items() if name in average_of}
    if not found:
        return {}
    missing = [key.removesuffix(VALUE) for key in keys if key not in found]
    names = Counter(wanted.values())
    twice = sorted(name for name, count in names.items() if count > 1)
    if missing or twice:
        reason = f"lacks that of {listed(missing)}" if missing else f"has several variables {listed(twice)}"
        raise ExportError(
            f"{source} holds moving averages, but {reason}, so it is unknown which belongs to which array; "
            "write a checkpoint whose variables are the averages"
        )
    return found
