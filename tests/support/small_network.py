"""A U-Net of two levels with the SCN's end and few channels: all that the float16 form treats specially."""

from __future__ import annotations

import numpy as np
import onnx
import onnx.parser
import onnx_ir as ir

CHANNELS = 4
LABELS = 3

_TEXT = """
<ir_version: 8, opset_import: ["" : 17]>
network (float[1,1,z,y,x] image) => (float[1,3,z,y,x] probabilities)
{
  first = Conv <kernel_shape=[3,3,3], pads=[1,1,1,1,1,1]> (image, w_first, b_first)
  skip = LeakyRelu <alpha=0.1> (first)
  pooled = AveragePool <kernel_shape=[2,2,2], strides=[2,2,2]> (skip)
  low = Conv <kernel_shape=[3,3,3], pads=[1,1,1,1,1,1]> (pooled, w_low, b_low)
  half = AveragePool <kernel_shape=[2,2,2], strides=[2,2,2]> (low)
  lowest = Resize <mode="linear", coordinate_transformation_mode="half_pixel"> (half, , scales)
  low_both = Concat <axis=1> (low, lowest)
  low_out = Conv <kernel_shape=[3,3,3], pads=[1,1,1,1,1,1]> (low_both, w_low_both, b_low)
  upsampled = Resize <mode="linear", coordinate_transformation_mode="half_pixel"> (low_out, , scales)
  both = Concat <axis=1> (skip, upsampled)
  expanded = Conv <kernel_shape=[3,3,3], pads=[1,1,1,1,1,1]> (both, w_both, b_first)
  active = LeakyRelu <alpha=0.1> (expanded)
  local_logits = Conv <kernel_shape=[1,1,1]> (active, w_local, b_labels)
  spatial_logits = Conv <kernel_shape=[1,1,1]> (upsampled, w_spatial, b_labels)
  l = Sigmoid (local_logits)
  s = Sigmoid (spatial_logits)
  soft = Softplus (spatial_logits)
  product = Mul (spatial_logits, s)
  entropy = Sub (soft, product)
  h = Mul (entropy, per_ln2)
  from_local = Mul (l, h)
  rest = Sub (one, h)
  from_spatial = Mul (s, rest)
  p = Add (from_local, from_spatial)
  total = ReduceSum <keepdims=1> (p, label_axis)
  divisor = Add (total, epsilon)
  probabilities = Div (p, divisor)
}
"""


def small_network(seed: int = 7) -> ir.Model:
    """float32; `image` [1, 1, z, y, x] in, `probabilities` [1, 3, z, y, x] out; sizes divisible by 4."""
    rng = np.random.default_rng(seed)

    def kernel(outputs: int, inputs: int, size: int = 3) -> np.ndarray:
        scale = np.sqrt(2 / (inputs * size**3))
        return (scale * rng.standard_normal((outputs, inputs, size, size, size))).astype(np.float32)

    constants = {
        "w_first": kernel(CHANNELS, 1),
        "b_first": rng.standard_normal(CHANNELS).astype(np.float32) / 10,
        "w_low": kernel(CHANNELS, CHANNELS),
        "w_low_both": kernel(CHANNELS, 2 * CHANNELS),
        "b_low": rng.standard_normal(CHANNELS).astype(np.float32) / 10,
        "w_both": kernel(CHANNELS, 2 * CHANNELS),
        "w_local": 3 * kernel(LABELS, CHANNELS, 1),
        "w_spatial": 3 * kernel(LABELS, CHANNELS, 1),
        "b_labels": rng.standard_normal(LABELS).astype(np.float32),
        "scales": np.array([1, 1, 2, 2, 2], np.float32),
        "per_ln2": np.float32(1 / np.log(2)),
        "one": np.float32(1),
        "epsilon": np.float32(1e-5),
        "label_axis": np.array([1], np.int64),
    }
    proto = onnx.parser.parse_model(_TEXT)
    proto.graph.initializer.extend(
        onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()
    )
    onnx.checker.check_model(proto, full_check=True)
    return ir.from_proto(proto)
