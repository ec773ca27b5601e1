"""Converts one SavedModel to one ONNX network, and checks each step against the step before it."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import onnx_ir.passes.common as common

from efficientscn_trt.bundle import NetworkSource, Tensor
from efficientscn_trt.bundle.core_form import CoreForm
from efficientscn_trt.errors import ExportError

from .background import add_background, over_labels
from .compare import Difference, Outputs, difference, run
from .convert import IMAGE_SHAPE, OPSET, as_float32, to_onnx, with_logits
from .core_form import OtherForm, core_outputs, find_core_form
from .leftovers import leftovers
from .passes import PASSES
from .precision import for_tensorrt
from .precision.accumulation import summing_in_float16
from .precision.rounding import run_rounded
from .savedmodel import Role, SavedModel
from .steps import NetworkReport, Progress, Step

LIMIT = 1e-4
"""Largest change of the outputs that a step may cause, as a share of their largest value.

Another order of summation changes the outputs of the released localization network by 4e-7 of that value."""

ROUNDING = 2.0**-22
"""Share by which each voxel is changed, up or down, to see how much a network magnifies float32 rounding."""

MAGNIFIED = 4.0
"""A step may change the outputs this many times as much as `ROUNDING` does, if that is more than `LIMIT`.
Networks with steep logits need this, on scans that they were not trained for."""

COMPARISONS = ("Greater", "GreaterOrEqual", "Less", "LessOrEqual")

OUTPUT: dict[Role, str] = {"localization": "mask", "segmentation": "probabilities"}

STEPS = (
    "float32",
    "ONNX",
    *(graph_pass.name for graph_pass in PASSES),
    "signature",
    "CPU core",
    "float16",
    "float16 sums",
)
"""Names that `Progress` gets for each network, in order."""


@dataclass(frozen=True)
class ExportedNetwork:
    """A network as ONNX, all its forms for a bundle, and the report."""

    model: ir.Model
    source: NetworkSource
    report: NetworkReport


def export_network(
    saved: SavedModel, image: np.ndarray, expected: np.ndarray, progress: Progress
) -> ExportedNetwork:
    """Convert `saved`, simplify its graph, and check each step on `image` float32 [1, 1, z, y, x].

    `expected`: the output of `saved` for it. The model has the input `image` float32 [1, 1, z, y, x] and one
    output, `mask` bool [1, z, y, x] or `probabilities` float32 [1, labels, z, y, x], with z, y, x free.
    Raises ExportError if an operator has no ONNX form, or if a step changes the outputs too much.
    """
    name = OUTPUT[saved.role]
    reference: Outputs = {name: expected}
    steps: list[Step] = []

    progress("float32")
    begin = time.perf_counter()
    frozen = saved.freeze()
    single = with_logits(as_float32(frozen))
    before = len(frozen.graph_def.node)
    outputs: Outputs = {{"output": name}.get(key, key): value for key, value in single.run(image).items()}
    change = difference(reference, outputs)  # float16 rounding, which is reported and not limited
    steps.append(
        Step("float32", before, len(single.graph_def.node), None, change, time.perf_counter() - begin)
    )

    progress("ONNX")
    begin = time.perf_counter()
    model = to_onnx(single, {"output": name})
    outputs = _checked(steps, "ONNX", before, model, None, outputs, image, begin)
    for graph_pass in PASSES:
        progress(graph_pass.name)
        before, begin = model.graph.num_nodes(), time.perf_counter()
        changed = graph_pass(model)
        outputs = _checked(steps, graph_pass.name, before, model, changed, outputs, image, begin)
    slow = leftovers(model, PASSES, image)
    if not saved.background:
        before, begin = model.graph.num_nodes(), time.perf_counter()
        expected_now = add_background(model, image)
        outputs = _checked(steps, "background", before, model, 1, expected_now, image, begin)

    progress("signature")
    before, begin = model.graph.num_nodes(), time.perf_counter()
    with_its_logits = outputs
    set_signature(model, saved.role, saved.labels)
    outputs = _checked(steps, "signature", before, model, None, outputs, image, begin)

    progress("CPU core")
    begin = time.perf_counter()
    content = ir.to_proto(model).SerializeToString()
    form, core, not_core = None, None, ""
    try:
        form = _core_form(content, saved.role, image)
    except OtherForm as other:
        not_core = str(other)
    else:
        change = difference(with_its_logits, core_outputs(form, content, image))
        _require_small("CPU core", change, model, image, outputs)
        nodes = model.graph.num_nodes()
        core = Step("CPU core", nodes, nodes, None, change, time.perf_counter() - begin)

    progress("float16")
    before, begin = model.graph.num_nodes(), time.perf_counter()
    half, _ = for_tensorrt(model)
    change = difference(outputs, run_rounded(half, image))  # reported and not limited
    float16 = Step("float16", before, half.graph.num_nodes(), None, change, time.perf_counter() - begin)

    progress("float16 sums")
    begin = time.perf_counter()
    change = difference(outputs, run_rounded(summing_in_float16(half), image))
    sums = Step("float16 sums", float16.after, float16.after, None, change, time.perf_counter() - begin)

    z, y, x = image.shape[2:]
    if saved.background:
        end = difference(reference, outputs)
    else:
        end = difference(over_labels(reference, 0), over_labels(outputs, 1))
    values = (float(expected.min()), float(expected.max())) if saved.role == "segmentation" else None
    report = NetworkReport(
        saved.role,
        tuple(steps),
        core,
        not_core,
        float16,
        sums,
        end,
        slow,
        saved.parameters,
        (z, y, x),
        values,
    )
    source = NetworkSource(
        content=content,
        opset=OPSET,
        parameters=saved.parameters,
        input=Tensor("image", "float32", IMAGE_SHAPE),
        output=_output(saved.role, saved.labels),
        float16=ir.to_proto(half).SerializeToString(),
        core=form,
    )
    return ExportedNetwork(model, source, report)


def _core_form(content: bytes, role: Role, image: np.ndarray) -> CoreForm:
    """Raises OtherForm if the core cannot run the network at the size of `image`."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "network.onnx")
        file.write_bytes(content)
        form = find_core_form(file, role)
    if not form.takes([[length] for length in image.shape[2:]]):
        multiples = ", ".join(map(str, form.multiples))
        raise OtherForm(f"along z, y and x it takes multiples of {multiples} voxels")
    return form


def _checked(
    steps: list[Step],
    name: str,
    before: int,
    model: ir.Model,
    changed: int | None,
    outputs: Outputs,
    image: np.ndarray,
    begin: float,
) -> Outputs:
    """Add the step and return the model's outputs. Raises ExportError if they are too far from `outputs`."""
    if changed == 0:
        steps.append(Step(name, before, model.graph.num_nodes(), 0, None, time.perf_counter() - begin))
        return outputs
    found = run(model, image)
    change = difference(outputs, found)
    steps.append(Step(name, before, model.graph.num_nodes(), changed, change, time.perf_counter() - begin))
    _require_small(name, change, model, image, found)
    return found


def _require_small(name: str, change: Difference, model: ir.Model, image: np.ndarray, found: Outputs) -> None:
    limit = LIMIT if change.relative <= LIMIT else _limit(model, image, found)
    if not change.relative <= limit:
        raise ExportError(
            f"The export step {name!r} changed the network's output by {change.relative:.1e} of its largest "
            f"value, expected at most {limit:.0e}; this is a fault of the export: please report it with "
            "the model's graph (saved_model.pb)."
        )


def _limit(model: ir.Model, image: np.ndarray, outputs: Outputs) -> float:
    """`LIMIT`, or `MAGNIFIED` times the outputs' change when `image` changes by `ROUNDING`, if larger."""
    signs = np.random.default_rng(0).choice((-ROUNDING, ROUNDING), image.shape)
    moved = difference(outputs, run(model, (image * (1 + signs)).astype(np.float32)))
    return max(LIMIT, MAGNIFIED * moved.relative) if np.isfinite(moved.relative) else LIMIT


def set_signature(model: ir.Model, role: Role, labels: int) -> None:
    """Give `model` the one output, the names and the shapes of a bundle's network, and verify it.

    Removes the logits that the checks used, the mask's axis of size 1, and the names of layers and rules.
    """
    graph = model.graph
    del graph.outputs[1:]
    (output,) = graph.outputs
    if role == "localization":
        graph.outputs[0] = _without_channel_axis(graph, output)
    output = graph.outputs[0]
    output.name = OUTPUT[role]
    output.shape = ir.Shape(_output(role, labels).shape)
    for each in graph:
        for value in each.outputs:
            if value is not output:
                value.shape = value.type = None  # they are of other sizes or of replaced nodes
    common.ClearMetadataAndDocStringPass()(model)
    common.RemoveUnusedNodesPass()(model)
    common.RemoveUnusedOpsetsPass()(model)
    graph.name = role
    model.producer_name, model.producer_version = "efficientscn-trt", version("efficientscn-trt")
    onnx.checker.check_model(ir.to_proto(model), full_check=True)


def _without_channel_axis(graph: ir.Graph, mask: ir.Value) -> ir.Value:
    """`mask` [n, 1, z, y, x] as [n, z, y, x].

    The axis is removed before the comparison of two channels, because TensorRT 8.5 cannot reshape a bool
    output in every case.
    """
    axis = ir.val("channel_axis", const_value=ir.tensor(np.array([1], np.int64), name="channel_axis"))
    graph.register_initializer(axis)
    decision = mask.producer()
    sides = _compared(decision) if decision is not None else []
    if decision is None or len(sides) != 2:
        mask.name = "mask_of_one_channel"
        squeeze = ir.node("Squeeze", [mask, axis])
        squeeze.outputs[0].type = mask.type
        graph.append(squeeze)
        return squeeze.outputs[0]
    for index, value in enumerate(sides):
        squeeze = ir.node("Squeeze", [value, axis])
        squeeze.outputs[0].type = value.type
        graph.insert_before(decision, squeeze)
        decision.replace_input_with(index, squeeze.outputs[0])
    return mask


def _compared(decision: ir.Node) -> list[ir.Value]:
    """The values that `decision` compares, without constants; empty if it is not a comparison."""
    inputs = decision.inputs if decision.op_type in COMPARISONS else ()
    return [value for value in inputs if value is not None and value.const_value is None]


def _output(role: Role, labels: int) -> Tensor:
    if role == "localization":
        return Tensor("mask", "bool", (1, "z", "y", "x"))
    return Tensor("probabilities", "float32", (1, labels, "z", "y", "x"))
