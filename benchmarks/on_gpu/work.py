"""What a network must do at one size, arithmetic and data of its layers, carried to the GPU machine."""

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
    """`name`: of the operation in the ONNX file. `moved`: values read and written, weights apart."""

    name: str
    kind: str
    multiply_adds: int
    moved: int
    weights: int


@dataclass(frozen=True)
class NetworkWork:
    """Of a network at `size` (z, y, x) of its input. `ends`: values of its input and its output."""

    size: Size
    layers: tuple[LayerWork, ...]
    ends: int


def write_work(folder: Path, networks: Mapping[str, NetworkWork]) -> None:
    """Write the networks' work at the sizes of the scan that is timed."""
    document = {name: asdict(work) for name, work in networks.items()}
    (folder / FILE).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def read_work(folder: str | Path) -> dict[str, NetworkWork] | None:
    """What `write_work` left, None where the folder is of an older reference."""
    file = Path(folder, FILE)
    if not file.exists():
        return None
    return {name: work_of(found) for name, found in json.loads(file.read_text(encoding="utf-8")).items()}


def work_of(document: Mapping[str, Any]) -> NetworkWork:
    """The work that `asdict` took apart."""
    z, y, x = document["size"]
    layers = tuple(LayerWork(**layer) for layer in document["layers"])
    return NetworkWork((z, y, x), layers, document["ends"])
