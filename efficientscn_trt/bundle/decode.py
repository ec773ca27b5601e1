"""Decode parsed JSON into frozen dataclasses, strictly: a missing, unknown or mistyped field is an error.

A field may be missing if its metadata say `optional`; a default value alone does not allow that.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from ..errors import BundleError
from ..io.wording import excerpt, shown

T = TypeVar("T")

OPTIONAL = {"optional": True}
"""Metadata of a field that may be missing."""


def decode(cls: type[T], data: object, where: str = "") -> T:
    """Build the dataclass `cls` from `data`, the output of `json.loads`.

    `where` is the dotted path of `data` in the manifest, for the message.
    Raises BundleError naming the field, what was found and what was expected.
    """
    return typing.cast(T, _value(cls, data, where))


def _fail(where: str, found: object, expected: str) -> typing.NoReturn:
    raise BundleError(
        f"manifest.json: {excerpt(where) or 'the document'} is {shown(found)}, expected {expected}; "
        "export the bundle again."
    )


def _value(kind: Any, data: object, where: str) -> object:
    if dataclasses.is_dataclass(kind):
        return _dataclass(typing.cast(type, kind), data, where)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return _tuple(arguments, data, where)
    if origin is dict:
        if not isinstance(data, Mapping):
            _fail(where, data, "an object")
        return {str(key): _value(arguments[1], value, f"{where}.{key}") for key, value in data.items()}
    if origin in (typing.Union, types.UnionType):
        if type(None) in arguments:
            inner = [option for option in arguments if option is not type(None)]
            return None if data is None else _value(inner[0], data, where)
        for option in arguments:
            try:
                return _value(option, data, where)
            except BundleError:
                continue
        _fail(where, data, " or ".join(option.__name__ for option in arguments))
    return _scalar(kind, data, where)


def _scalar(kind: Any, data: object, where: str) -> object:
    if kind is Any or kind is object:
        return data
    if kind is float:
        if isinstance(data, bool) or not isinstance(data, int | float) or not _is_finite(data):
            _fail(where, data, "a finite number")
        return float(data)
    if kind is bool:
        if not isinstance(data, bool):
            _fail(where, data, "true or false")
        return data
    if kind is int:
        if isinstance(data, bool) or not isinstance(data, int) or abs(data) >= 1 << 63:
            _fail(where, data, "a whole number of at most 64 bits")
        return data
    if kind is str:
        if not isinstance(data, str):
            _fail(where, data, "a string")
        return data
    raise TypeError(f"no decoder for {kind}")


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # an int beyond the range of floats
        return False


def _tuple(arguments: tuple[Any, ...], data: object, where: str) -> tuple[object, ...]:
    if not isinstance(data, list | tuple):
        _fail(where, data, "a list")
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(_value(arguments[0], item, f"{where}[{i}]") for i, item in enumerate(data))
    if len(data) != len(arguments):
        _fail(where, data, f"a list of {len(arguments)}")
    pairs = enumerate(zip(arguments, data, strict=True))
    return tuple(_value(kind, item, f"{where}[{i}]") for i, (kind, item) in pairs)


def _dataclass(cls: type, data: object, where: str) -> object:
    if not isinstance(data, Mapping):
        _fail(where, data, "an object")
    hints = typing.get_type_hints(cls)
    fields = dataclasses.fields(cls)
    names = {field.name for field in fields}
    needed = {field.name for field in fields if not field.metadata.get("optional")}
    prefix = f"{where}." if where else ""
    for name in sorted(needed - set(data)):
        raise BundleError(f"manifest.json: the field {prefix}{name} is missing; export the bundle again.")
    for name in sorted(set(data) - names):
        raise BundleError(
            f"manifest.json: the field {excerpt(prefix + name)} is not known; use a newer "
            "efficientscn-trt, or export the bundle again."
        )
    return cls(**{name: _value(hints[name], data[name], prefix + name) for name in names & set(data)})
