"""Runs a graph on the CPU, and measures how far apart two results are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime

Outputs = Mapping[str, np.ndarray]


def options_for(*, optimised: bool) -> onnxruntime.SessionOptions:
    """Of a session without warnings. `optimised`: ONNX Runtime may rewrite the graph."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if not optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return options


def session_of(model: onnx.ModelProto, options: onnxruntime.SessionOptions) -> onnxruntime.InferenceSession:
    """A session of `model` on the CPU."""
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def run(
    model: ir.Model, image: np.ndarray, options: onnxruntime.SessionOptions | None = None
) -> dict[str, np.ndarray]:
    """All outputs of `model` for `image` float32 [1, 1, z, y, x], computed by ONNX Runtime."""
    return run_on(model, {"image": image}, options or options_for(optimised=True))


def run_on(
    model: ir.Model, inputs: Mapping[str, np.ndarray], options: onnxruntime.SessionOptions
) -> dict[str, np.ndarray]:
    """All outputs of `model`, computed by ONNX Runtime for those of `inputs` that it has."""
    session = session_of(ir.to_proto(model), options)
    names = [output.name for output in session.get_outputs()]
    feeds = {each.name: inputs[each.name] for each in session.get_inputs()}
    return dict(zip(names, session.run(names, feeds), strict=True))


@dataclass(frozen=True)
class Difference:
    """How far apart two results of one network are.

    `largest`: largest difference of the probabilities, or of a mask's logits; None if a result has no logits.
    `scale`: largest absolute value of these in the first result. `agreement`: share of voxels with equal
    mask, or equal label.
    """

    largest: float | None
    scale: float
    agreement: float

    @property
    def relative(self) -> float:
        """`largest` as a share of `scale`; the share of unequal voxels if `largest` is None."""
        return 1 - self.agreement if self.largest is None else self.largest / self.scale


def difference(before: Outputs, after: Outputs) -> Difference:
    """Compare two results of one network.

    Each holds `mask` and, if known, `logits`; or `probabilities` [1, labels, z, y, x].
    """
    if "mask" in before:
        agreement = float(np.mean(before["mask"].ravel() == after["mask"].ravel()))
        values = "logits"
    else:
        labels = (outputs["probabilities"].argmax(axis=1) for outputs in (before, after))
        agreement = float(np.mean(np.equal(*labels)))
        values = "probabilities"
    if values not in before or values not in after:
        return Difference(None, 1.0, agreement)
    old, new = (outputs[values].astype(np.float64) for outputs in (before, after))
    largest = float(np.abs(old - new).max())
    # Every comparison with NaN is false; infinity exceeds every limit.
    return Difference(np.inf if np.isnan(largest) else largest, float(np.abs(old).max()) or 1.0, agreement)
