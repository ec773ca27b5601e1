"""The work of a network at one size: arithmetic and data of its layers, in a file for the GPU machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

Size = tuple[int, int, int]

FILE = "networks.json"

NO_WORK = f"the reference has no {FILE}; write it again with gpu_reference.py"


@dataclass(frozen=True)
class LayerWork:
    """A layer's work. `name`: its operation in the ONNX file. `moved`: values moved, without weights."""

    name: str
    kind: str
    multiply_adds: int
    moved: int
    weights: int


@dataclass(frozen=True)
class NetworkWork:
    """The work of a network for an input of `size` (z, y, x). `ends`: values of its input and its output."""

    size: Size
    layers: tuple[LayerWork, ...]
    ends: int


def write_work(folder: Path, networks: Mapping[str, NetworkWork]) -> None:
    """Write the networks' work at the sizes of the timed scan."""
    document = {name: asdict(work) for name, work in networks.items()}
    (folder / FILE).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def read_work(folder: str | Path) -> dict[str, NetworkWork] | None:
    """Return what `write_work` wrote; None if the folder is an older reference."""
    file = Path(folder, FILE)
    if not file.exists():
        return None
    return {name: work_of(found) for name, found in json.loads(file.read_text(encoding="utf-8")).items()}


def work_of(document: Mapping[str, Any]) -> NetworkWork:
    """Return the work of which `document` is the `asdict`."""
    z, y, x = document["size"]
    layers = tuple(LayerWork(**layer) for layer in document["layers"])
    return NetworkWork((z, y, x), layers, document["ends"])
