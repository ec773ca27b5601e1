"""The names under which TensorFlow keeps the arrays of a network, in the names that are used here.

A SavedModel of the released code has `local_appearance/variables/0`, …, and for the last layer of the local
network `local_appearance/prediction/kernel`; the localization network has `model/` in front. A checkpoint of
its training has the path of each layer: `…/unet/contracting_layers/level0/layers/0/kernel`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from efficientscn_trt.errors import ExportError

Array = TypeVar("Array")

VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
"""The end of each variable's key in a checkpoint."""

_GROUPS = {"localization": (), "segmentation": ("local_appearance", "spatial_configuration")}

_NUMBERED = re.compile(r"variables/(\d+)")
_IN_BLOCK = re.compile(
    r"(?:unets/(?P<unet>\d+)/layers/0/|unet/)(?P<side>contracting|expanding)_layers/level(?P<level>\d+)/"
    r"layers/(?P<layer>\d+)/(?P<kind>kernel|bias)"
)
_LAST = re.compile(r"(?:unets/(?P<unet>\d+)/layers/1|prediction(?:/layers/0)?)/(?P<kind>kernel|bias)")


_KINDS, _PARTS = ("kernel", "bias"), ("contracting", "expanding", "last")

_Order = tuple[int, int, int, int, int]
"""Sorts the arrays of a group as in a released checkpoint: U-Net, part, level, layer, kind."""


def in_our_names(
    network: str, arrays: Mapping[str, Array], source: str
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Those of `arrays` that are the network's, by the names of `architecture.checkpoint_shapes`; the others.

    `source`: where they come from, for the message.
    Raises ExportError if two arrays have the same place.
    """
    numbered: dict[str, Array] = {}
    placed: dict[str, list[tuple[_Order, Array]]] = {}
    others: dict[str, Array] = {}
    for key, array in arrays.items():
        group, rest = _divided(network, key)
        number, order = _NUMBERED.fullmatch(rest), _order(rest)
        if group is not None and number:
            name = f"{group}variables/{int(number[1])}"
            if name in numbered:
                raise ExportError(f"{source} has two arrays {name}; keep one of them")
            numbered[name] = array
        elif group is not None and order:
            placed.setdefault(group, []).append((order, array))
        else:
            others[key] = array
    for group, found in placed.items():
        first = sum(name.startswith(f"{group}variables/") for name in numbered)
        found.sort(key=lambda pair: pair[0])
        numbered |= {f"{group}variables/{first + index}": array for index, (_, array) in enumerate(found)}
    return numbered, others


def _divided(network: str, key: str) -> tuple[str | None, str]:
    """The group of an array, "" or as "local_appearance/", and its name there; no group if it has none."""
    name = key.removesuffix(VALUE).removeprefix("model/")
    groups = _GROUPS[network]
    if not groups:
        return "", name
    first, _, rest = name.partition("/")
    return (f"{first}/", rest) if first in groups else (None, name)


def _order(name: str) -> _Order | None:
    """Where an array stands in its group; None if a checkpoint of the training has no such array."""
    if match := _IN_BLOCK.fullmatch(name):
        place = _PARTS.index(match["side"]), int(match["level"]), int(match["layer"])
    elif match := _LAST.fullmatch(name):
        place = _PARTS.index("last"), 0, 0
    else:
        return None
    return int(match["unet"] or 0), *place, _KINDS.index(match["kind"])
