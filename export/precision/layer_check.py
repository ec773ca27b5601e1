"""Finds the layers of a float16 network that do not compute what the float32 network computes.

Each layer gets the float32 network's own tensors as inputs. So its error is its own: no layer hides behind
the rounding of those before it, and none is blamed for them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from ..compare import options_for, run_on
from . import for_tensorrt
from .rounding import with_rounding

LARGEST_ERROR = 5e-3
"""Sound layers of the released and of the demo networks have at most 2e-3. A kernel that is scaled by 5 % has
at least 0.015, also where a bias outweighs it."""

FLOOR = 0.1
"""Share of the whole result's size that counts as the size of a channel too. Rounding may change a channel of
nearly zeros by more than its size."""

TIMES_SOUND = 3.0
"""A layer may also have this multiple of its error in a new float16 form of the float32 network. Where large
numbers cancel each other, or all are tiny, float16 alone may cost more than LARGEST_ERROR."""

COMPARED = (ir.DataType.FLOAT16, ir.DataType.FLOAT, ir.DataType.BOOL)


@dataclass(frozen=True)
class LayerError:
    """How far the result of a layer is from the float32 network's, for equal inputs.

    `name`, `operator`: of the ONNX node's result. `before`, `after`: the nodes that it takes its inputs from,
    and that use its result. `error`: root mean square of the difference as a share of that of the result, in
    the worst channel; infinity if a value is not finite; for a mask the share of unequal voxels.
    """

    name: str
    operator: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    error: float

    def __str__(self) -> str:
        sides = (("after", self.before), ("before", self.after))
        place = ", ".join(f"{side} {' and '.join(names)}" for side, names in sides if names)
        found = (
            "has values that are not finite"
            if np.isinf(self.error)
            else f"differs by {100 * self.error:.1f} %"
        )
        return f"the result of the {self.operator} {self.name} ({place}) {found}"


def layers_astray(single: ir.Model, half: ir.Model, image: np.ndarray) -> list[LayerError]:
    """The layers of `half` whose error float16 does not explain, in the order in which they are computed.

    `half` is the float16 form of `single`, with the same names. `image`: float32 [1, 1, z, y, x].
    """
    expected = results_of(single, image)
    sound = {layer.name: layer.error for layer in layer_errors(for_tensorrt(single)[0], image, expected)}

    def is_sound(layer: LayerError) -> bool:
        allowed = max(LARGEST_ERROR, TIMES_SOUND * sound.get(layer.name, 0.0))
        return bool(np.isfinite(layer.error)) and layer.error <= allowed

    return [layer for layer in layer_errors(half, image, expected) if not is_sound(layer)]


def results_of(single: ir.Model, image: np.ndarray) -> dict[str, np.ndarray]:
    """The result of each node of a network for `image`, by name."""
    names = [str(value.name) for node in single.graph for value in node.outputs]
    return run_on(_with_outputs(single, names), {"image": image}, options_for(optimised=False))


def layer_errors(half: ir.Model, image: np.ndarray, expected: Mapping[str, np.ndarray]) -> list[LayerError]:
    """The error of each layer of `half` whose result is in `expected`, in the graph's order."""
    values = {str(value.name): value for value in _results(half) if value.name in expected}
    inputs = {"image": image, **{_given(name): expected[name] for name in values}}
    found = run_on(with_rounding(_cut(half, values)), inputs, options_for(optimised=False))
    return [
        LayerError(name, _node(value).op_type, *_sides(value), _error(expected[name], found[name]))
        for name, value in values.items()
    ]


def _results(model: ir.Model) -> Iterator[ir.Value]:
    return (value for node in model.graph for value in node.outputs if value.dtype in COMPARED)


def _node(value: ir.Value) -> ir.Node:
    node = value.producer()
    assert node is not None
    return node


def _sides(value: ir.Value) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The nodes before and after the one that computes `value`, each with its operator."""
    inputs = (given for given in _node(value).inputs if given is not None)
    before = [_named(given) for given in inputs if given.producer() is not None]
    after = [_named(user.outputs[0]) for user in value.consumers()]
    return tuple(dict.fromkeys(before)), tuple(dict.fromkeys(after))


def _named(value: ir.Value) -> str:
    return f"the {_node(value).op_type} {value.name}"


def _given(name: str) -> str:
    return f"{name}_given"


def _with_outputs(model: ir.Model, names: Collection[str]) -> ir.Model:
    """A copy of `model` with the results `names` as outputs."""
    copy = model.clone()
    values = {value.name: value for node in copy.graph for value in node.outputs}
    outputs = {value.name for value in copy.graph.outputs}
    copy.graph.outputs.extend(values[name] for name in names if name not in outputs)
    return copy


def _cut(model: ir.Model, names: Collection[str]) -> ir.Model:
    """A copy of `model` in which each of `names` is an output, and an input for the layers that use it."""
    copy = _with_outputs(model, names)
    for value in [value for node in copy.graph for value in node.outputs if value.name in names]:
        given = ir.val(_given(str(value.name)), value.dtype, value.shape)
        for node, index in list(value.uses()):
            node.replace_input_with(index, given)
        if given.uses():
            copy.graph.inputs.append(given)
    return copy


def _error(expected: np.ndarray, found: np.ndarray) -> float:
    if expected.shape != found.shape:
        return float("inf")
    if expected.dtype == np.bool_:
        return float(np.mean(expected != found))
    axes = tuple(axis for axis in range(expected.ndim) if axis != 1)
    with np.errstate(all="ignore"):
        difference, size = (
            np.sqrt(np.mean(np.square(each, dtype=np.float64), axis=axes))
            for each in (found.astype(np.float32) - expected, expected)
        )
        whole = np.sqrt(np.mean(np.square(size)))
        worst = float(np.max(difference / (size + FLOOR * whole + np.finfo(np.float32).tiny)))
    return worst if np.isfinite(found).all() and np.isfinite(worst) else float("inf")
