"""Segment liver, kidneys, spleen and pancreas in abdominal CT with EfficientSCN.

>>> from efficientscn_trt import segment
>>> result = segment("ct.nii.gz")
>>> result.save("labels.nii.gz")

This package imports quickly: it loads SimpleITK, OpenVINO and the compiled core at first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import (
    BatchError,
    BundleError,
    DeviceError,
    EfficientSCNError,
    ExportError,
    InputError,
    MemoryLimitError,
    OutputError,
)

if TYPE_CHECKING:
    from .batch import Outcome, Request, segment_many
    from .bundle import Bundle
    from .result import Segmentation
    from .scan_warning import ScanWarning
    from .segmenter import Segmenter, segment

    __version__: str

__all__ = [
    "BatchError",
    "Bundle",
    "BundleError",
    "DeviceError",
    "EfficientSCNError",
    "ExportError",
    "InputError",
    "MemoryLimitError",
    "Outcome",
    "OutputError",
    "Request",
    "ScanWarning",
    "Segmentation",
    "Segmenter",
    "__version__",
    "segment",
    "segment_many",
]

_LAZY = {
    "Bundle": "bundle",
    "Outcome": "batch",
    "Request": "batch",
    "ScanWarning": "scan_warning",
    "Segmentation": "result",
    "Segmenter": "segmenter",
    "segment": "segmenter",
    "segment_many": "batch",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("efficientscn-trt")
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
