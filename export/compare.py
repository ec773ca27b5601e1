"""Running a graph on the CPU, and how far two results are apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir
import onnxruntime

Outputs = Mapping[str, np.ndarray]


def run(model: ir.Model, image: np.ndarray) -> dict[str, np.ndarray]:
    """All outputs of `model` for `image` float32 [1, 1, z, y, x], by ONNX Runtime."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        ir.to_proto(model).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"image": image}), strict=True))


@dataclass(frozen=True)
class Difference:
    """How far two results of one network are apart.

    `largest`: of the probabilities, or of the logits behind a mask where both results have them, else None;
    `scale`: the largest value that these have. `agreement`: share of voxels with equal mask, or equal label.
    """

    largest: float | None
    scale: float
    agreement: float

    @property
    def relative(self) -> float:
        """`largest` as a share of `scale`; the share of unequal voxels where it is not known."""
        return 1 - self.agreement if self.largest is None else self.largest / self.scale


def difference(before: Outputs, after: Outputs) -> Difference:
    """Compare the outputs of one network; `mask` and `logits`, or `probabilities` [1, labels, z, y, x]."""
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
    # NaN compares as no difference by max alone; it must never pass.
    return Difference(np.inf if np.isnan(largest) else largest, float(np.abs(old).max()) or 1.0, agreement)
