"""Turn trained TensorFlow models into bundles: SavedModel, ONNX, graph passes, checks.

>>> from efficientscn_trt.export import export_bundle
>>> report = export_bundle("models/localization", "models/segmentation", "bundle")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from efficientscn_trt.errors import ExportError

if TYPE_CHECKING:
    from .bundle_export import ExportReport, export_bundle
    from .engine_proof import EngineProof

__all__ = ["EngineProof", "ExportReport", "export_bundle"]


def __getattr__(name: str) -> object:
    if name == "EngineProof":
        from .engine_proof import EngineProof

        return EngineProof
    if name in __all__:  # late, so that the reference networks' weights can be read without ONNX
        try:
            from . import bundle_export
        except ModuleNotFoundError as error:
            raise ExportError(
                f"The export needs the Python package {error.name}, which is not installed; "
                "run: pip install 'efficientscn-trt[export]'"
            ) from error
        return getattr(bundle_export, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
