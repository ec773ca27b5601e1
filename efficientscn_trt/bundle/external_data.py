"""Find tensors of an ONNX file whose values lie in other files.

A bundle's manifest has the hash of each network. Values in other files would be read without one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MOST_LEVELS = 100  # those that protobuf reads

# The messages of onnx.proto that lead to tensors: by field number, the message that lies there.
_MODEL, _GRAPH, _NODE, _ATTRIBUTE, _TENSOR, _SPARSE, _FUNCTION = range(7)
_FIELDS: dict[int, dict[int, int]] = {
    _MODEL: {7: _GRAPH, 25: _FUNCTION},
    _GRAPH: {1: _NODE, 5: _TENSOR, 15: _SPARSE},
    _NODE: {5: _ATTRIBUTE},
    _ATTRIBUTE: {5: _TENSOR, 6: _GRAPH, 10: _TENSOR, 11: _GRAPH, 22: _SPARSE, 23: _SPARSE},
    _TENSOR: {},
    _SPARSE: {1: _TENSOR, 2: _TENSOR},
    _FUNCTION: {7: _NODE, 11: _ATTRIBUTE},
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
_KEY = b"location"  # what `external_data` calls the name of the other file; few files need the longer search


def has_external_data(file: Path) -> bool:
    """Whether a tensor of the ONNX file `file` has its values in another file.

    Raises OSError, and ValueError if the file is no protobuf message.
    """
    content = file.read_bytes()
    return _KEY in content and _finds(memoryview(content), _MODEL, 0)


def _finds(message: memoryview, kind: int, level: int) -> bool:
    if level > _MOST_LEVELS:
        raise ValueError(f"it has more than {_MOST_LEVELS} levels")
    for number, value in _fields(message):
        if kind == _TENSOR and (number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value)):
            return True
        inner = _FIELDS[kind].get(number)
        if inner is not None and isinstance(value, memoryview) and _finds(value, inner, level + 1):
            return True
    return False


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a message: their numbers, with a varint's value or the bytes of another type."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire == _BYTES:
            length, at = _varint(message, at)
        elif wire in (_FIXED64, _FIXED32):
            length = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"it has the wire type {wire}")
        if length > len(message) - at:
            raise ValueError("it ends early")
        yield number, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """The number at `at`, and where the next field begins."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise ValueError("it ends early")
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
    raise ValueError("it has a number of more than 64 bits")
