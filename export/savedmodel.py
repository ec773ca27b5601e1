"""Finds and verifies a trained network's SavedModel, runs it by XLA, and freezes it for conversion."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from efficientscn_trt.bundle.label_list import MOST
from efficientscn_trt.errors import ExportError
from efficientscn_trt.io.paths import is_there
from efficientscn_trt.io.wording import by_axis

from .tensorflow_import import import_tensorflow

if TYPE_CHECKING:
    import tensorflow as tf

SIGNATURE = "serving_default"

Role = Literal["localization", "segmentation"]


@dataclass(frozen=True)
class SavedModel:
    """A SavedModel whose signature has been verified for its role.

    `signature` takes one image [n, 1, z, y, x] and returns one tensor: a mask [n, 1, z, y, x] (localization)
    or probabilities [n, `channels`, z, y, x] (segmentation). The first channel is the `background`, or there
    is none of it. Its variables exist as long as `loaded` does.
    """

    path: Path
    role: Role
    loaded: Any
    signature: Any
    input_name: str
    output_name: str
    parameters: int
    channels: int
    background: bool = True

    @property
    def labels(self) -> int:
        """The number of labels of a segmentation network, with the background."""
        return self.channels + (not self.background)

    def run(self, image: np.ndarray) -> np.ndarray:
        """The network's output for `image` float32 [1, 1, z, y, x], in the SavedModel's own precision.

        XLA compiles it, because TensorFlow on a CPU has neither channels-first `Conv3D` nor float16 pooling.
        Raises ExportError if the network cannot be run at this size.
        """
        tf = import_tensorflow()
        spec = self.signature.structured_input_signature[1][self.input_name]
        compiled = tf.function(lambda x: self.signature(**{self.input_name: x}), jit_compile=True)
        try:
            output = np.asarray(compiled(tf.constant(image, spec.dtype))[self.output_name])
        except (tf.errors.OpError, ValueError) as error:
            raise ExportError(
                f"The {self.role} SavedModel {self.path} does not run at {by_axis(image.shape[2:])} voxels, "
                f"a size that the pipeline gives it: {_first_line(error)}. Check the model, or the "
                "pipeline's valid sizes."
            ) from error
        if output.shape != (1, self.channels, *image.shape[2:]):
            raise ExportError(
                f"The {self.role} SavedModel {self.path} returns {_shape_text(output.shape)} for an image of "
                f"{_shape_text(image.shape)}, expected {_shape_text((1, self.channels, *image.shape[2:]))}. "
                "Check that this is the right network."
            )
        if not np.isfinite(output).all():
            raise ExportError(
                f"The {self.role} SavedModel {self.path} returns NaN or infinity for the check's scan, "
                "expected finite numbers. Check the weights, or give a scan like those it was trained on "
                "(--check-input)."
            )
        return output

    def freeze(self) -> FrozenGraph:
        """The graph of the signature with its variables as constants."""
        from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

        frozen = convert_variables_to_constants_v2(self.signature)
        return FrozenGraph(
            graph_def=frozen.graph.as_graph_def(),
            input=frozen.inputs[0].name,
            outputs={"output": frozen.outputs[0].name},
        )

    def sha256(self) -> str:
        """SHA-256 over the names and contents of all files of the SavedModel."""
        digest = hashlib.sha256()
        for file in sorted(path for path in self.path.rglob("*") if path.is_file()):
            digest.update(file.relative_to(self.path).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(file.read_bytes()).digest())
        return digest.hexdigest()


@dataclass(frozen=True)
class FrozenGraph:
    """A TensorFlow graph without variables.

    `input`: name of the input tensor. `outputs`: names of the output tensors by meaning, such as "logits".
    """

    graph_def: Any
    input: str
    outputs: dict[str, str]

    def run(self, image: np.ndarray) -> dict[str, np.ndarray]:
        """All outputs for `image` [1, 1, z, y, x], compiled by XLA."""
        tf = import_tensorflow()
        name = self.input.split(":")[0]
        placeholder = next(node for node in self.graph_def.node if node.name == name)
        body = type(self.graph_def)()
        body.CopyFrom(self.graph_def)
        body.node.remove(placeholder)  # XLA refuses even an unused placeholder

        def imported(x: Any) -> list[Any]:
            outputs = list(self.outputs.values())
            return list(tf.graph_util.import_graph_def(body, {self.input: x}, outputs, name=""))

        dtype = tf.dtypes.as_dtype(placeholder.attr["dtype"].type)
        values = tf.function(imported, jit_compile=True)(tf.constant(image, dtype))
        return {name: np.asarray(value) for name, value in zip(self.outputs, values, strict=True)}


def load_saved_model(
    path: Path, role: Role, labels: int | None = None, background: bool = True
) -> SavedModel:
    """Load the SavedModel in the folder `path` and verify that it can serve as `role`.

    `labels` is the number of labels of a segmentation network, the background included. By default it is any
    from 2 on. `background`: whether that is one of the network's channels, the first.
    Raises ExportError if there is no SavedModel, no signature `serving_default`, or an unexpected tensor.
    """
    if not is_there(path / "saved_model.pb", ExportError):
        what = "is not a folder" if not path.is_dir() else "holds no saved_model.pb"
        raise ExportError(
            f"{path} is not a TensorFlow SavedModel, because it {what}; give the folder of the {role} "
            "network that holds saved_model.pb and variables/."
        )
    tf = import_tensorflow()
    try:
        loaded = tf.saved_model.load(str(path))
    except Exception as error:  # TensorFlow raises its own errors, protobuf's, OSError and others
        raise ExportError(
            f"The SavedModel {path} cannot be loaded ({_first_line(error)}); copy or save the model again."
        ) from error
    if SIGNATURE not in loaded.signatures:
        found = ", ".join(sorted(loaded.signatures)) or "none"
        raise ExportError(
            f"The SavedModel {path} has no signature {SIGNATURE} (found: {found}); save it with "
            f"signatures={{'{SIGNATURE}': ...}}."
        )
    signature = loaded.signatures[SIGNATURE]
    inputs = signature.structured_input_signature[1]
    outputs = signature.structured_outputs
    where = f"The {role} SavedModel {path}"
    if len(inputs) != 1 or len(outputs) != 1:
        raise ExportError(
            f"{where} has {len(inputs)} inputs and {len(outputs)} outputs, expected one of each: "
            "an image in, and a mask or probabilities out."
        )
    ((input_name, image),) = inputs.items()
    ((output_name, result),) = outputs.items()
    _check_tensor(f"{where}: its input {input_name}", image, range(1, 2), floating=True)
    allowed = range(1, 2)
    if role == "segmentation":
        first, last = (2, MOST + 1) if labels is None else (labels, labels)
        allowed = range(first - (not background), last - (not background) + 1)
    channels = _check_tensor(
        f"{where}: its output {output_name}", result, allowed, floating=role == "segmentation"
    )
    parameters = sum(int(np.prod(variable.shape)) for variable in signature.variables)
    return SavedModel(
        path, role, loaded, signature, input_name, output_name, parameters, channels, background
    )


def _check_tensor(where: str, spec: tf.TensorSpec, channels: range, *, floating: bool) -> int:
    """The number of channels. Raises ExportError if it is not one of `channels`."""
    kind = "floating point" if floating else "bool"
    shape = spec.shape.as_list() if spec.shape.rank is not None else None
    found = f"{spec.dtype.name} of shape {_shape_text(shape)}"
    count = channels.start if len(channels) == 1 else "labels"
    expected = f"expected {kind} of shape [n, {count}, z, y, x] (channels first)"
    if (spec.dtype.is_floating if floating else spec.dtype.name == "bool") and shape is not None:
        fits = len(shape) == 5 and shape[1] in channels
        free = all(size is None for size in shape[2:])
        if fits and free:
            return int(shape[1])
        if fits:
            raise ExportError(
                f"{where} is {found}, so it takes one size only; {expected} with free z, y and x: "
                "save the model with None for these sizes."
            )
    raise ExportError(
        f"{where} is {found}; {expected}. Check that this is the right network, in its released form."
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _shape_text(shape: Sequence[int | None] | None) -> str:
    if shape is None:
        return "unknown"
    return "[" + ", ".join("?" if size is None else str(size) for size in shape) + "]"
