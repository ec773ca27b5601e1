"""Check that a network takes and gives what the pipeline expects, before it runs."""

from __future__ import annotations

from typing import NoReturn

from ..bundle import Bundle
from ..errors import BundleError
from .openvino_start import ov

_Shape = tuple[int, ...]


def check_form(graph: ov.Model, name: str, bundle: Bundle) -> None:
    """Check inputs and outputs of the network `name` of `bundle`, "localization" or "segmentation".

    Raises BundleError.
    """

    def refuse(found: str, expected: str) -> NoReturn:
        raise BundleError(f"{bundle.file(name)} has {found}, expected {expected}; export the bundle again.")

    if (len(graph.inputs), len(graph.outputs)) != (1, 1):
        found = f"{len(graph.inputs)} inputs and {len(graph.outputs)} outputs"
        refuse(found, f"one of each, as the {name} network")
    image, result = graph.input(0), graph.output(0)
    valid_sizes = getattr(bundle.manifest.pipeline, name).valid_sizes
    for size in (tuple(map(min, valid_sizes)), tuple(map(max, valid_sizes))):
        if not _is(image, "f32", (1, 1, *size)):
            refuse(f"the input {_described(image)}", f"one that takes f32 {[1, 1, *size]}")
    labels = len(bundle.manifest.labels)
    kind, channels = ("boolean", ()) if name == "localization" else ("f32", (labels,))
    if not _is(result, kind, (1, *channels, -1, -1, -1)):
        shape = ",".join(["1", *map(str, channels), "z", "y", "x"])
        refuse(f"the output {_described(result)}", f"{kind} [{shape}], as the {name} network")


def _is(tensor: ov.Output, kind: str, shape: _Shape) -> bool:
    same_kind = tensor.get_element_type().get_type_name() == kind
    return same_kind and tensor.get_partial_shape().compatible(ov.PartialShape(list(shape)))


def _described(tensor: ov.Output) -> str:
    return f"{tensor.get_element_type().get_type_name()} {tensor.get_partial_shape()}"
