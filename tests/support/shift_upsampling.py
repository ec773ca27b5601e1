"""Upsampling built of shifts, in several forms that a converted TensorFlow graph may have."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .onnx_graphs import GraphBuilder

END = 2**31 - 1

Taps = Sequence[dict[int, float]]
"""For each phase, the weight of the input at each offset."""

Shift = Callable[[GraphBuilder, str, int, int], str]

AxisBy = Callable[[GraphBuilder, str, int, Taps, Shift], str]

LINEAR: Taps = ({0: 0.75, -1: 0.25}, {1: 0.25, 0: 0.75})


def cubic_taps(a: float, factor: int = 4) -> Taps:
    """Keys' kernel, written out in powers."""

    def kernel(x: float) -> float:
        x = abs(x)
        if x <= 1:
            return (a + 2) * x**3 - (a + 3) * x**2 + 1
        return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0

    phases = [(phase + 0.5) / factor - 0.5 for phase in range(factor)]
    return [{d: kernel(d - p) for d in range(-2, 3) if kernel(d - p)} for p in phases]


def concatenated(builder: GraphBuilder, x: str, axis: int, offset: int) -> str:
    """Shift by slices of the interior and of the edge, as the released code does."""
    if offset == 0:
        return x

    def cut(first: int, last: int) -> str:
        return builder.add(
            "Slice", x, builder.integers(first), builder.integers(last), builder.integers(axis)
        )

    edge = [cut(0, 1) if offset < 0 else cut(-1, END)] * abs(offset)
    inner = cut(0, offset) if offset < 0 else cut(offset, END)
    parts = [*edge, inner] if offset < 0 else [inner, *edge]
    return builder.add("Concat", *parts, axis=axis)


def padded(builder: GraphBuilder, x: str, axis: int, offset: int, mode: str = "edge") -> str:
    """Shift by padding on one side and slicing on the other."""
    if offset == 0:
        return x
    pads = [0] * 10
    pads[axis + (5 if offset > 0 else 0)] = abs(offset)
    wide = builder.add("Pad", x, builder.integers(*pads), mode=mode)
    first, last = (offset, END) if offset > 0 else (0, offset)
    return builder.add("Slice", wide, builder.integers(first), builder.integers(last), builder.integers(axis))


def upsample_axis(builder: GraphBuilder, x: str, axis: int, taps: Taps, shift: Shift = concatenated) -> str:
    """Upsample one axis as the released code: sum a stack of weighted shifts, stack the phases, reshape."""
    phases = []
    for phase in taps:
        weighted = [
            builder.add("Mul", shift(builder, x, axis, offset), builder.constant(weight))
            for offset, weight in phase.items()
        ]
        stacked = [builder.add("Unsqueeze", each, builder.integers(0)) for each in weighted]
        stack = builder.add("Concat", *stacked, axis=0)
        phases.append(builder.add("ReduceSum", stack, builder.integers(0), keepdims=0))
    return _interleave(builder, x, phases, axis)


def upsample_axis_by_sums(
    builder: GraphBuilder, x: str, axis: int, taps: Taps, shift: Shift = concatenated
) -> str:
    """Upsample one axis with additions instead of a stack that is summed."""
    phases = []
    for phase in taps:
        total = ""
        for offset, weight in phase.items():
            term = builder.add("Mul", builder.constant(weight), shift(builder, x, axis, offset))
            total = builder.add("Add", total, term) if total else term
        phases.append(total)
    return _interleave(builder, x, phases, axis)


def _interleave(builder: GraphBuilder, x: str, phases: list[str], axis: int) -> str:
    stack = builder.add(
        "Concat",
        *(builder.add("Unsqueeze", phase, builder.integers(axis + 1)) for phase in phases),
        axis=axis + 1,
    )
    factors = [1] * 5
    factors[axis] = len(phases)
    size = builder.add("Mul", builder.add("Shape", x), builder.integers(*factors))
    return builder.add("Reshape", stack, size)


def upsample(
    builder: GraphBuilder,
    x: str,
    taps: Taps,
    axes: Sequence[int] = (2, 3, 4),
    shift: Shift = concatenated,
    axis_by: AxisBy = upsample_axis,
) -> str:
    """Upsample one axis after the other."""
    for axis in axes:
        x = axis_by(builder, x, axis, taps, shift)
    return x
