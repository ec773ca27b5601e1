"""The two flavours of TensorRT: their packages and names. Both have the same Python API."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..errors import DeviceError


@dataclass(frozen=True)
class Flavour:
    """`name` is the `--target` of the command line and the manifest's `flavour`.

    `modules`: the import names under which pip installs it, the preferred first. `package`: its name for pip.
    `tool`: NVIDIA's command-line tool for it. `needs_gpu`: whether an engine can be built only on the GPU
    that runs it. `without_3d`: compute capabilities for which it builds engines, but on which it runs no 3-D
    convolutions.
    """

    name: str
    title: str
    modules: tuple[str, ...]
    package: str
    needs_gpu: bool
    tool: str
    without_3d: tuple[str, ...] = ()


TENSORRT = Flavour(
    "tensorrt",
    "TensorRT",
    ("tensorrt", "tensorrt_lean", "tensorrt_lean_bindings"),  # the lean runtime builds no engines
    "tensorrt",
    needs_gpu=True,
    tool="trtexec",
)
TENSORRT_RTX = Flavour(
    "tensorrt-rtx",
    "TensorRT-RTX",
    ("tensorrt_rtx", "tensorrt_rtx_bindings"),
    "tensorrt-rtx",
    needs_gpu=False,
    tool="tensorrt_rtx",
    # Turing, according to its support matrix; a context for such an engine is null
    # (github.com/pytorch/TensorRT, pull requests 4546 and 4643, of August 2026).
    without_3d=("7.5",),
)

FLAVOURS = {flavour.name: flavour for flavour in (TENSORRT, TENSORRT_RTX)}
"""In order of preference: TensorRT first, because it tunes an engine by timing on the GPU that runs it."""


def load(flavour: Flavour) -> Any:
    """The Python module of `flavour`. Raises DeviceError if it is not installed or cannot be loaded."""
    problem = None
    for name in flavour.modules:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                problem = f"{name} lacks {error.name}"
        except Exception as error:  # a missing system library, or any error of its own start-up
            problem = f"{name} cannot be loaded ({_first_line(error)})"
    if problem is not None:
        raise DeviceError(f"{problem}; install {flavour.title} again: pip install {flavour.package}.")
    raise DeviceError(f"{flavour.title} is not installed; run: pip install {flavour.package}.")


def installed(flavour: Flavour) -> Any | None:
    """The module of the installed package, None if none works."""
    try:
        return load(flavour)
    except DeviceError:
        return None


def installed_version(flavour: Flavour) -> str | None:
    """Version of the installed package, None if none works."""
    module = installed(flavour)
    return None if module is None else str(module.__version__)


def lacks_3d(flavour: Flavour, capabilities: Iterable[str]) -> str | None:
    """A sentence that names the `capabilities` on which `flavour` cannot run our engines, None if none."""
    lacking = [capability for capability in capabilities if capability in flavour.without_3d]
    if not lacking:
        return None
    return (
        f"{flavour.title} runs no 3-D convolutions on GPUs of compute capability {', '.join(lacking)}, "
        "according to its support matrix."
    )


def has_builder(module: Any) -> bool:
    """Whether a TensorRT package can build engines; the lean runtime cannot."""
    return hasattr(module, "Builder") and hasattr(module, "OnnxParser")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
