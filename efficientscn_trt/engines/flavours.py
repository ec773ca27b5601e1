"""The two TensorRTs that build engines, which have one Python API: their packages and names."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from ..errors import DeviceError


@dataclass(frozen=True)
class Flavour:
    """`name` is the `--target` of the command line and the manifest's `flavour`.

    `modules`: the import names under which pip installs it, the metapackage's first. `package`: what pip
    calls it. `needs_gpu`: whether an engine can be built on the GPU that runs it only.
    """

    name: str
    title: str
    modules: tuple[str, ...]
    package: str
    needs_gpu: bool


TENSORRT = Flavour("tensorrt", "TensorRT", ("tensorrt",), "tensorrt", needs_gpu=True)
TENSORRT_RTX = Flavour(
    "tensorrt-rtx", "TensorRT-RTX", ("tensorrt_rtx", "tensorrt_rtx_bindings"), "tensorrt-rtx", needs_gpu=False
)

FLAVOURS = {flavour.name: flavour for flavour in (TENSORRT, TENSORRT_RTX)}
"""In the order in which an engine is preferred: one built on the GPU itself was tuned by timing there."""

RUNTIMES_WITHOUT_BUILDER = ("tensorrt_lean", "tensorrt_lean_bindings")


def load(flavour: Flavour) -> Any:
    """The Python module of `flavour`. Raises DeviceError if it is not installed or cannot be loaded."""
    problem = None
    for name in flavour.modules:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                problem = f"{name} lacks {error.name}"
        except Exception as error:  # a missing library of the system, or whatever its own start-up raises
            problem = f"{name} cannot be loaded ({_first_line(error)})"
    if problem is not None:
        raise DeviceError(f"{problem}; install {flavour.title} again: pip install {flavour.package}.")
    lean = "" if flavour.needs_gpu is False else _lean()
    raise DeviceError(f"{flavour.title} is not installed{lean}; run: pip install {flavour.package}.")


def installed_version(flavour: Flavour) -> str | None:
    """Version of the installed package, None if there is none that works."""
    try:
        return str(load(flavour).__version__)
    except DeviceError:
        return None


def has_builder(module: Any) -> bool:
    """Whether a TensorRT package can build engines; the lean runtime cannot."""
    return hasattr(module, "Builder") and hasattr(module, "OnnxParser")


def _lean() -> str:
    for name in RUNTIMES_WITHOUT_BUILDER:
        try:
            module = importlib.import_module(name)
        except Exception:
            continue
        return f", only {name} {module.__version__}, which runs engines but cannot build any"
    return ""


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
