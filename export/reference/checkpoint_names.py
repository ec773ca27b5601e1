"""The names under which TensorFlow keeps the arrays of a network, in the names that are used here.

A SavedModel of the released code has `local_appearance/variables/0`, …, and for the last layer of the local
network `local_appearance/prediction/kernel`; the localization network has `model/` in front. A checkpoint of
its training has the path of each layer: `…/unet/contracting_layers/level0/layers/0/kernel`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple, TypeVar

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


class _Place(NamedTuple):
    """Where an array is in its group. `part` is contracting, expanding or last; `kind` is kernel or bias."""

    unet: int
    part: str
    level: int
    layer: int
    kind: str

    @property
    def order(self) -> tuple[int, int, int, int, int]:
        """What sorts places into the order of a released checkpoint."""
        part = ("contracting", "expanding", "last").index(self.part)
        return self.unet, part, self.level, self.layer, ("kernel", "bias").index(self.kind)


def in_our_names(
    network: str, arrays: Mapping[str, Array], source: str
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Those of `arrays` that are the network's, by the names of `architecture.checkpoint_shapes`; the others.

    `source`: where they come from, for the message.
    Raises ExportError if two arrays have the same place.
    """
    numbered: dict[str, Array] = {}
    placed: dict[str, list[tuple[_Place, Array]]] = {}
    others: dict[str, Array] = {}
    for key, array in arrays.items():
        group, rest = _divided(network, key)
        number, place = _NUMBERED.fullmatch(rest), _place(rest)
        if group is not None and number:
            name = f"{group}variables/{int(number[1])}"
            if name in numbered:
                raise ExportError(f"{source} has two arrays {name}; keep one of them")
            numbered[name] = array
        elif group is not None and place:
            placed.setdefault(group, []).append((place, array))
        else:
            others[key] = array
    for group, found in placed.items():
        first = sum(name.startswith(f"{group}variables/") for name in numbered)
        found.sort(key=lambda pair: pair[0].order)
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


def _place(name: str) -> _Place | None:
    if match := _IN_BLOCK.fullmatch(name):
        return _Place(
            int(match["unet"] or 0), match["side"], int(match["level"]), int(match["layer"]), match["kind"]
        )
    if match := _LAST.fullmatch(name):
        return _Place(int(match["unet"] or 0), "last", 0, 0, match["kind"])
    return None
