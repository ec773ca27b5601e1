"""The plain conversion of a bundle's networks: SavedModel to ONNX by tf2onnx, without graph passes."""

from __future__ import annotations

import tempfile
from pathlib import Path

import onnx_ir as ir

from efficientscn_trt.export.convert import as_float32, to_onnx
from efficientscn_trt.export.network import OUTPUT
from efficientscn_trt.export.reference.saved_model import write_saved_model
from efficientscn_trt.export.savedmodel import Role, load_saved_model

from .networks_of_bundle import read_weights


def write_saved_models(bundle: Path, folder: Path) -> dict[Role, Path]:
    """Write the bundle's networks as SavedModels of the released form into `folder`; return their folders."""
    roles: tuple[Role, ...] = ("localization", "segmentation")
    for role in roles:
        write_saved_model(role, read_weights(role, bundle / f"{role}.onnx"), folder / role)
    return {role: folder / role for role in roles}


def convert(bundle: Path, folder: Path) -> None:
    """Write localization.onnx and segmentation.onnx into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for role, saved in write_saved_models(bundle, Path(scratch)).items():
            ir.save(plain_network(saved, role), folder / f"{role}.onnx")


def plain_network(saved: Path, role: Role) -> ir.Model:
    """Return the ONNX model of one SavedModel in float32, as tf2onnx converts it."""
    frozen = as_float32(load_saved_model(saved, role).freeze())
    return to_onnx(frozen, {"output": OUTPUT[role]})
