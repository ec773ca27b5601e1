"""A network whose values lie in another file is refused, wherever the tensor is: no hash covers that file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from google.protobuf.message import DecodeError
from onnx import ModelProto, TensorProto, helper, numpy_helper
from support.tiny_bundle import write_tiny_bundle

from efficientscn_trt import BundleError
from efficientscn_trt import bundle as bundles
from efficientscn_trt.bundle.external_data import has_external_data


def _tensor() -> TensorProto:
    tensor = numpy_helper.from_array(np.arange(6, dtype=np.float32), "values")
    onnx.external_data_helper.set_external_data(tensor, "other.bin")
    tensor.ClearField("raw_data")
    return tensor


def _graph(*nodes: onnx.NodeProto, name: str = "graph") -> onnx.GraphProto:
    return helper.make_graph(list(nodes), name, [], [])


def _model(graph: onnx.GraphProto) -> ModelProto:
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])


def _initializer() -> ModelProto:
    return _model(helper.make_graph([], "graph", [], [], [_tensor()]))


def _constant() -> ModelProto:
    return _model(_graph(helper.make_node("Constant", [], ["x"], value=_tensor())))


def _branch() -> ModelProto:
    branch = _graph(helper.make_node("Constant", [], ["x"], value=_tensor()))
    return _model(_graph(helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=_graph())))


def _lists() -> ModelProto:
    node = helper.make_node("Other", [], ["x"])
    node.attribute.append(helper.make_attribute("tensors", [_tensor()]))
    return _model(_graph(node))


def _function() -> ModelProto:
    model = _model(_graph())
    constant = helper.make_node("Constant", [], ["x"], value=_tensor())
    model.functions.append(
        helper.make_function("x.y", "Other", [], ["x"], [constant], [helper.make_opsetid("", 18)])
    )
    return model


def _sparse() -> ModelProto:
    model = _model(_graph())
    indices = numpy_helper.from_array(np.arange(6), "indices")
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(_tensor(), indices, [9]))
    return model


def _without_location() -> ModelProto:
    """The field `data_location` is left out; some parsers look at `external_data` alone."""
    model = _initializer()
    model.graph.initializer[0].ClearField("data_location")
    return model


@pytest.mark.parametrize(
    "make", [_initializer, _constant, _branch, _lists, _function, _sparse, _without_location]
)
def test_external_data_is_found(make: Callable[[], ModelProto], tmp_path: Path) -> None:
    file = tmp_path / "network.onnx"
    file.write_bytes(make().SerializeToString())
    assert has_external_data(file)


def test_the_word_alone_is_no_external_data(tmp_path: Path) -> None:
    file = tmp_path / "network.onnx"
    tensor = numpy_helper.from_array(np.arange(6, dtype=np.float32), "location")
    node = helper.make_node("Relu", ["location"], ["b/location"], name="location", location="location")
    model = _model(helper.make_graph([node], "location", [], [], [tensor]))
    onnx.checker.check_model(_model(helper.make_graph([], "location", [], [], [tensor])))
    file.write_bytes(model.SerializeToString())
    assert not has_external_data(file)


@pytest.mark.parametrize("tail", [b"\x0f", b"\x3a\x7f", b"\x38" + b"\xff" * 11, b"\x38\xff", b"\x31\x00"])
def test_what_is_no_message_is_refused(tail: bytes, tmp_path: Path) -> None:
    file = tmp_path / "network.onnx"
    file.write_bytes(b"\x12\x08location" + tail)
    with pytest.raises(ValueError, match=r"^it "):
        has_external_data(file)
    with pytest.raises(DecodeError):
        ModelProto.FromString(file.read_bytes())


def test_deep_messages_are_refused(tmp_path: Path) -> None:
    content = _graph(name="location").SerializeToString()
    for _ in range(40):
        for field in (6, 5, 1):  # AttributeProto.g, NodeProto.attribute, GraphProto.node
            content = bytes([field << 3 | 2, *_varint(len(content))]) + content
    file = tmp_path / "network.onnx"
    file.write_bytes(bytes([7 << 3 | 2, *_varint(len(content))]) + content)
    with pytest.raises(ValueError, match="levels"):
        has_external_data(file)
    with pytest.raises(DecodeError, match=r"[Dd]epth"):
        ModelProto.FromString(file.read_bytes())


def _varint(number: int) -> bytes:
    return bytes([number & 0x7F | 0x80, number >> 7]) if number > 0x7F else bytes([number])


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_bundle_with_such_a_network_is_refused(precision: str, tmp_path: Path) -> None:
    """As onnx itself writes such a file, with the values beside it."""
    right = write_tiny_bundle(tmp_path / "right")
    onnx.save_model(
        onnx.load(right.file("segmentation")),
        tmp_path / "network.onnx",
        save_as_external_data=True,
        location="values.bin",
        size_threshold=0,
    )
    content = (tmp_path / "network.onnx").read_bytes()
    form = right.manifest.networks.segmentation
    fp32 = content if precision == "fp32" else right.file("segmentation").read_bytes()
    source = bundles.NetworkSource(
        fp32, 18, 0, form.input, form.output, float16=content if precision == "fp16" else None
    )
    with pytest.raises(BundleError, match=r"\.onnx has values in other files, .*export the bundle again"):
        write_tiny_bundle(tmp_path / "bundle", segmentation=source)
    assert not (tmp_path / "bundle").exists()
