"""How much memory OpenVINO needs to run a graph."""

from __future__ import annotations

from math import prod

from .openvino_start import ov

_NOT_COMPUTED = ("Constant", "Parameter", "Result")


def peak_bytes(graph: ov.Model, bytes_per_value: int) -> int:
    """The most bytes of tensors that exist at once in `graph`, of static shape, as its nodes run in order.

    A tensor exists until its last use. Floats take `bytes_per_value`. Tensors whose size depends on values do
    not count.
    """
    nodes = graph.get_ordered_ops()
    uses = [[node.input_value(i) for i in range(node.get_input_size())] for node in nodes]
    last_use = {_key(source): index for index, sources in enumerate(uses) for source in sources}
    ending: dict[int, int] = {}
    peak = live = 0
    for index, node in enumerate(nodes):
        if node.get_type_name() not in _NOT_COMPUTED:
            for output in node.outputs():
                size = _bytes(output, bytes_per_value)
                live += size
                last = last_use.get(_key(output), index)
                ending[last] = ending.get(last, 0) + size
        peak = max(peak, live)
        live -= ending.pop(index, 0)
    return peak


def _key(output: ov.Output) -> tuple[str, int]:
    return output.get_node().get_name(), output.get_index()


def _bytes(output: ov.Output, bytes_per_value: int) -> int:
    shape, kind = output.get_partial_shape(), output.get_element_type()
    if not shape.is_static:
        return 0
    return prod(shape.to_shape()) * (bytes_per_value if kind.is_real() else kind.size)
