"""Networks with the right hash, against ONNX Runtime. The first byte says which of the two it is.

OpenVINO dies of some. None of those that pass the trial may make it die in the process behind it.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError, EncodeError
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper
from support.scans import block_array
from support.tiny_bundle import write_tiny_bundle

from efficientscn_trt import bundle as bundles
from efficientscn_trt.bundle.core_parameters import CoreParameters
from efficientscn_trt.pipeline.host_stages import HostStages
from fuzz import mutation
from fuzz.onnx_runtime import by_onnx_runtime
from fuzz.scans import check_sentence
from fuzz.segmented import Refused, Segmented, segmented

PACKAGES = ("efficientscn_trt.pipeline",)
_XYZ = (1.5, 1.25, 2.0)
_ZYX = _XYZ[::-1]
_SIZES = ((16, 32, 48),) * 3
_SCAN = block_array()
_NAMES = {b"L": "localization", b"S": "segmentation"}
_RANDOM = {"Bernoulli", "Dropout", "Multinomial"}
_FILTERS = 16
_CACHE = Path(tempfile.mkdtemp(prefix="cache-"))
os.environ["EFFICIENTSCN_CACHE"] = str(_CACHE)


def _original() -> tuple[bundles.Manifest, dict[str, bytes]]:
    pipeline = bundles.PipelineParameters(
        bundles.LocalizationParameters(valid_sizes=_SIZES),
        bundles.SegmentationParameters(spacing_mm=3.0, valid_sizes=_SIZES),
    )
    with tempfile.TemporaryDirectory() as folder:
        bundle = write_tiny_bundle(Path(folder, "bundle"), pipeline=pipeline)
        return bundle.manifest, {name: bundle.file(name).read_bytes() for name in bundles.NETWORKS}


_MANIFEST, _NETWORKS = _original()
_PARAMETERS = CoreParameters.of(_MANIFEST.pipeline)
_SCHEMAS = sorted(
    {each.name: each for each in onnx.defs.get_all_schemas() if not each.domain}.values(),
    key=lambda s: s.name,
)
_KINDS = [each for each in _SCHEMAS if not each.name.startswith("Random") and each.name not in _RANDOM]


def seeds() -> Iterator[bytes]:
    yield b"L" + _NETWORKS["localization"]
    yield b"S" + _NETWORKS["segmentation"]
    yield b"S" + _unet()


def _unet() -> bytes:
    """A U-Net of two levels that the core runs, with softmax."""
    random = np.random.default_rng(0)
    nodes: list[NodeProto] = []
    constants: dict[str, np.ndarray] = {}

    def convolved(source: str, inputs: int, outputs: int = _FILTERS, taps: int = 3) -> str:
        name = f"c{len(nodes)}"
        weights = random.normal(0, 0.1, (outputs, inputs, taps, taps, taps)).astype(np.float32)
        constants[f"{name}w"], constants[f"{name}b"] = weights, np.zeros(outputs, np.float32)
        edge = [taps // 2] * 6
        nodes.append(helper.make_node("Conv", [source, f"{name}w", f"{name}b"], [name], pads=edge))
        return name

    def layer(source: str, inputs: int = _FILTERS) -> str:
        name = convolved(source, inputs)
        nodes.append(helper.make_node("LeakyRelu", [name], [f"{name}a"], alpha=0.1))
        return f"{name}a"

    skip = layer(layer("image", 1))
    nodes.append(helper.make_node("AveragePool", [skip], ["low"], kernel_shape=[2] * 3, strides=[2] * 3))
    low = layer(layer(layer(layer("low"))))
    constants["scales"] = np.array([1, 1, 2, 2, 2], np.float32)
    nodes.append(helper.make_node("Resize", [low, "", "scales"], ["up"], mode="linear"))
    nodes.append(helper.make_node("Concat", [skip, "up"], ["both"], axis=1))
    logits = convolved(layer(layer("both", 2 * _FILTERS)), _FILTERS, 5, 1)
    nodes.append(helper.make_node("Softmax", [logits], ["probabilities"], axis=1))
    graph = helper.make_graph(
        nodes,
        "unet",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, "z", "y", "x"])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, 5, "z", "y", "x"])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


_SEEDS = list(seeds())


def mutate(data: bytes, random: Random) -> bytes:
    if random.random() < 0.5:  # libFuzzer knows nothing of OpenVINO's branches, so it drops seeds
        data = random.choice(_SEEDS)
    if random.random() < 0.1:
        return data[:1] + mutation.raw(data[1:])
    try:
        model = ModelProto.FromString(data[1:])
        for _ in range(random.choice([1, 1, 1, 2, 3])):
            _change(model, random)
        return data[:1] + model.SerializeToString()
    except (DecodeError, EncodeError, ValueError, TypeError, RecursionError):
        return data[:1] + mutation.raw(data[1:])


def _change(model: ModelProto, random: Random) -> None:
    graph = model.graph
    changes = [
        _node,
        _node,
        _attribute,
        _attribute,
        _inserted,
        _inserted,
        _inserted,
        _tensor,
        _tensor,
        _tensor,
    ]
    change = random.choice([*changes, _edge, _edge, _value, _version, _nested])
    change(graph if change is not _version else model, random)


def _names(graph: GraphProto) -> list[str]:
    made = [name for node in graph.node for name in node.output]
    return [*made, *(each.name for each in graph.initializer), *(each.name for each in graph.input), ""]


def _whole(random: Random, old: int) -> int:
    new = random.choice([old + 1, old - 1, -old, 2 * old, 0, 1, 2, 5, -1, random.choice(mutation.WHOLE)])
    return max(-(2**63), min(2**63 - 1, new))


def _node(graph: GraphProto, random: Random) -> None:
    """Lose, double, move or replace a node."""
    if not graph.node:
        return
    at, other = random.randrange(len(graph.node)), random.randrange(len(graph.node))
    nodes = list(graph.node)
    choice = random.random()
    if choice < 0.2:
        del nodes[at]
    elif choice < 0.3:
        nodes.insert(other, nodes[at])
    elif choice < 0.4:
        nodes[at], nodes[other] = nodes[other], nodes[at]
    elif choice < 0.5:
        nodes[at].domain = random.choice(["ai.onnx.ml", "com.microsoft", "x", "org.openvinotoolkit"])
    else:
        nodes[at].op_type = random.choice(_KINDS).name
    kept = [NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(kept)


def _edge(graph: GraphProto, random: Random) -> None:
    """Connect an input or an output elsewhere, also in cycles."""
    if not graph.node:
        return
    node = random.choice(graph.node)
    ends = node.input if random.random() < 0.7 else node.output
    choice, name = random.random(), random.choice(_names(graph))
    if ends and choice < 0.6:
        ends[random.randrange(len(ends))] = name
    elif ends and choice < 0.8:
        del ends[random.randrange(len(ends))]
    else:
        ends.append(name)


def _attribute(graph: GraphProto, random: Random) -> None:
    """Change, lose or add an attribute of a node."""
    if not graph.node:
        return
    node = random.choice(graph.node)
    if not node.attribute or random.random() < 0.4:
        _add_attribute(node, random)
        return
    at = random.randrange(len(node.attribute))
    attribute = node.attribute[at]
    if random.random() < 0.1:
        del node.attribute[at]
    elif attribute.type == AttributeProto.INT:
        attribute.i = _whole(random, attribute.i)
    elif attribute.type == AttributeProto.FLOAT:
        attribute.f = float(np.float32(np.clip(mutation.number(random, attribute.f), -3e38, 3e38)))
    elif attribute.type == AttributeProto.INTS and attribute.ints:
        attribute.ints[random.randrange(len(attribute.ints))] = _whole(random, attribute.ints[0])
        if random.random() < 0.3:
            attribute.ints.append(1)
        elif random.random() < 0.3:
            attribute.ints.pop()
    elif attribute.type == AttributeProto.STRING:
        words = [
            "linear",
            "cubic",
            "nearest",
            "SAME_UPPER",
            "VALID",
            "reflect",
            "asymmetric",
            "align_corners",
        ]
        attribute.s = mutation.word(random, attribute.s.decode("latin-1"), words).encode(errors="replace")
    else:
        attribute.type = random.randrange(1, 15)


def _add_attribute(node: NodeProto, random: Random) -> None:
    known = [each for each in _KINDS if each.name == node.op_type]
    if not known or not known[0].attributes:
        return
    name, schema = random.choice(sorted(known[0].attributes.items()))
    kind = str(schema.type).rpartition(".")[2]
    values: dict[str, Any] = {
        "INT": _whole(random, 1),
        "INTS": [_whole(random, 1) for _ in range(random.choice([1, 2, 3, 5, 6, 10]))],
        "FLOAT": random.choice([0.0, 1.0, -1.0, 1e30, float("nan"), float("inf")]),
        "FLOATS": [random.choice([0.0, 1.0, 2.0, float("nan")]) for _ in range(random.choice([1, 3, 5]))],
        "STRING": random.choice(["", "linear", "cubic", "SAME_UPPER", "max", "reflect", "ij,jk->ik", "\0"]),
        "TENSOR": _constant(random, "t"),
    }
    if kind in values and values[kind] is not None:
        node.attribute.append(helper.make_attribute(name, values[kind]))


def _constant(random: Random, name: str) -> TensorProto:
    shape = random.choice([(), (1,), (2,), (3,), (5,), (10,), (0,), (1, 1, 1, 1, 1), (5, 1, 3, 3, 3), (2, 5)])
    dtype = random.choice(
        ["float32", "int64", "int64", "int64", "int32", "bool", "uint8", "float16", "float64"]
    )
    values = [_whole(random, 2) if dtype == "int64" else random.choice([0, 1, 2, 5, -1]) for _ in range(150)]
    with np.errstate(all="ignore"):
        array = np.array(values[: int(np.prod(shape))]).astype(dtype).reshape(shape)
    return numpy_helper.from_array(array, name)


def _inserted(graph: GraphProto, random: Random) -> None:
    """Put a node with constants as further inputs between two others."""
    if not graph.node:
        return
    onward = random.choice(graph.node)
    if not onward.input:
        return
    at, number = random.randrange(len(onward.input)), len(graph.node)
    schema = random.choice(_KINDS)
    inputs = [onward.input[at]]
    for index in range(1, random.randrange(max(1, schema.min_input), max(2, min(schema.max_input, 5)) + 1)):
        name = f"k{number}_{index}"
        graph.initializer.append(_constant(random, name))
        inputs.append(random.choice([name, name, name, onward.input[at], ""]))
    if random.random() < 0.2:
        random.shuffle(inputs)
    outputs = [f"n{number}_{index}" for index in range(max(1, schema.min_output))]
    node = helper.make_node(schema.name, inputs, outputs)
    for _ in range(random.choice([0, 1, 2, 3])):
        _add_attribute(node, random)
    onward.input[at] = outputs[0]
    graph.node.insert(list(graph.node).index(onward), node)


def _tensor(graph: GraphProto, random: Random) -> None:
    """Change the shape, the type or the place of a constant's values."""
    if not graph.initializer:
        return
    tensor = random.choice(graph.initializer)
    choice = random.random()
    if choice < 0.3 and tensor.dims:
        at = random.randrange(len(tensor.dims))
        tensor.dims[at] = _whole(random, tensor.dims[at])
    elif choice < 0.4:
        tensor.dims.append(random.choice([0, 1, 2, -1, 1 << 40]))
    elif choice < 0.5:
        tensor.data_type = random.randrange(24)
    elif choice < 0.6:
        tensor.raw_data = mutation.cut(random, tensor.raw_data)
    elif choice < 0.7 and len(tensor.raw_data) < 1000:
        tensor.raw_data = mutation.raw(tensor.raw_data)
    elif choice < 0.8:
        tensor.data_location = TensorProto.EXTERNAL
        names = [
            "../../../../etc/passwd",
            "/etc/passwd",
            "manifest.json",
            "",
            "localization.onnx",
            "\0",
            "/dev/zero",
        ]
        for key, value in (
            ("location", random.choice(names)),
            ("offset", str(random.choice([0, 4096, -1, 1 << 62]))),
            ("length", str(random.choice([0, 4, 1 << 40, -1]))),
        ):
            if random.random() < 0.8:
                tensor.external_data.add(key=key, value=value)
    elif choice < 0.9:
        name = tensor.name
        tensor.CopyFrom(_constant(random, name))
    else:
        tensor.name = random.choice(_names(graph))


def _value(graph: GraphProto, random: Random) -> None:
    """Change what is said of an input, an output or a value between."""
    values = random.choice([graph.input, graph.input, graph.output, graph.output, graph.value_info])
    choice = random.random()
    if not values or choice < 0.1:
        values.append(helper.make_tensor_value_info(random.choice(_names(graph)), 1, [1, 1, "z", "y", "x"]))
        return
    value = random.choice(values)
    tensor = value.type.tensor_type
    if choice < 0.2:
        value.name = random.choice(_names(graph))
    elif choice < 0.3:
        tensor.elem_type = random.randrange(24)
    elif choice < 0.4:
        values.remove(value)
    elif choice < 0.5 or not tensor.shape.dim:
        tensor.shape.dim.add().dim_value = _whole(random, 1)
    elif choice < 0.6:
        tensor.shape.dim.pop()
    else:
        random.choice(tensor.shape.dim).dim_value = _whole(random, 32)


def _version(model: ModelProto, random: Random) -> None:
    choice = random.random()
    if choice < 0.5 and model.opset_import:
        model.opset_import[0].version = random.choice([13, 17, 21, 22, 25, 1000, 0, -1])
    elif choice < 0.7:
        model.ir_version = random.choice([0, 1, 3, 4, 9, 12, 100, -1])
    elif choice < 0.8:
        model.opset_import.add(domain=random.choice(["", "ai.onnx.ml", "x"]), version=1)
    elif choice < 0.9:
        del model.opset_import[:]
    else:
        function = model.functions.add(
            name=random.choice(model.graph.node).op_type if model.graph.node else "f"
        )
        function.input.append("a")
        function.output.append("b")
        function.node.add(op_type=random.choice([function.name, "Relu"]), input=["a"], output=["b"])
        function.opset_import.add(domain="", version=18)


def _nested(graph: GraphProto, random: Random) -> None:
    """Put graphs in graphs."""
    body = helper.make_graph([], "body", [], [helper.make_tensor_value_info("image", 1, None)])
    for level in range(random.choice([1, 3, 30])):
        kind = random.choice(["If", "Loop", "Scan"])
        node = helper.make_node(kind, [random.choice(_names(graph))], [f"g{level}"])
        for name in ("then_branch", "else_branch") if kind == "If" and level < 8 else ("body",):
            node.attribute.append(helper.make_attribute(name, body))
        body = helper.make_graph([node], "body", [], [helper.make_tensor_value_info(f"g{level}", 1, None)])
    graph.node.insert(0, body.node[0])
    if random.random() < 0.5 and len(graph.node) > 1 and graph.node[-1].input:
        graph.node[-1].input[0] = graph.node[0].output[0]


def check(data: bytes) -> None:
    name, content = _NAMES.get(data[:1], "localization"), data[1:]
    with tempfile.TemporaryDirectory(prefix="escn-fuzz-") as folder:
        _write(Path(folder), name, content)
        found = segmented(Path(folder), _SCAN, _XYZ)
        shutil.rmtree(_CACHE / sha256(content).hexdigest()[:16], ignore_errors=True)
    if isinstance(found, Refused):
        check_sentence(found.sentence)
    elif isinstance(found, Segmented):
        _compare(found, _NETWORKS | {name: content})
    else:
        raise AssertionError(f"a network that passed the trial: {found or 'it hangs'}")


def _write(folder: Path, name: str, content: bytes) -> None:
    document = json.loads(_MANIFEST.to_json())
    network = document["networks"][name]
    network["sha256"] = document["files"][network["file"]] = sha256(content).hexdigest()
    network["bytes"] = len(content)
    for other, file in (_NETWORKS | {name: content}).items():
        (folder / f"{other}.onnx").write_bytes(file)
    (folder / bundles.MANIFEST).write_text(json.dumps(document))


def _compare(result: Segmented, networks: dict[str, bytes]) -> None:
    """Raise an AssertionError unless ONNX Runtime's networks lead to these labels."""
    stages = HostStages(_SCAN.shape, _ZYX, _PARAMETERS, 1)
    image = stages.localization_input(_SCAN)
    mask = by_onnx_runtime(networks["localization"], image[np.newaxis, np.newaxis])
    if mask is None or mask.dtype != bool or mask.shape != (1, *image.shape):
        return
    plan, found = stages.plan_segmentation(np.ascontiguousarray(mask[0]))
    np.testing.assert_allclose(result.start_mm, plan.box.start)
    np.testing.assert_allclose(result.end_mm, plan.box.end)
    assert found != ("no-organ-found" in result.codes)
    image = stages.segmentation_input(_SCAN, plan)
    values = by_onnx_runtime(networks["segmentation"], image[np.newaxis, np.newaxis])
    if values is None or values.dtype != np.float32 or values.shape != (1, 5, *image.shape):
        return
    ranked = np.sort(values[0], axis=0)
    near = (ranked[-1] - ranked[-2] <= 1e-4 * np.abs(ranked[-1])) | (np.abs(ranked[-1]) < 1e-30)
    if not np.isfinite(values).all() or np.mean(near) > 1e-3:
        return  # which label has the largest value is a matter of rounding
    expected = np.empty(_SCAN.shape, np.uint8)
    stages.labels(np.ascontiguousarray(values[0]), plan, expected)
    different = np.mean(expected != result.labels)
    assert different < 5e-3, f"{100 * different:.2f} % of the labels differ"
