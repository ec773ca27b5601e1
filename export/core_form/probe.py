"""What a graph computes from given values of tensors inside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from efficientscn_trt.backends.openvino_start import compile_model, op, ov


def computed_from(network: ov.Model, given: Sequence[tuple[ov.Output, np.ndarray]]) -> np.ndarray | None:
    """The first output of `network` where its tensors, float32 [1, channels, z, y, x], have these values.

    None if that depends on more, or if the values do not fit. Do not use `network` afterwards.
    """
    parameters = [_replaced(tensor) for tensor, _ in given]
    try:
        rest = ov.Model(network.get_results(), parameters, "rest")
        compiled = compile_model(rest, {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1})
        found: np.ndarray = compiled([values for _, values in given])[0]
    except RuntimeError:
        return None
    return found


def _replaced(tensor: ov.Output) -> ov.Node:
    """The parameter, of any z, y, x, that takes the place of `tensor` wherever it is used."""
    channels = tensor.get_partial_shape()[1].get_length()
    parameter = op.parameter([1, channels, -1, -1, -1], tensor.get_element_type())
    for use in list(tensor.get_target_inputs()):
        use.replace_source_output(parameter.output(0))
    return parameter
