"""What TensorRT chose for each layer of an engine: kernels, precisions, formats."""

from __future__ import annotations

import json
from typing import Any

from efficientscn_trt import _core
from efficientscn_trt.engines.running import ExecutionApi
from on_gpu.work import Size


def layer_details(api: ExecutionApi, plan: bytes, size: Size, stream: int) -> dict[str, dict[str, Any]]:
    """Return what TensorRT chose for the layers of the engine `plan` at `size` (z, y, x), by name.

    The engine must be built with `Options.layer_details`. Raises DeviceError and BundleError; a version
    without an inspector raises an error of its own.
    """
    engine = api.load_engine(plan)
    context = api.create_context(engine)
    network = _core.Network(api, engine, context, *api.tensor_names(engine))
    network.prepare(size, stream)
    information = json.loads(_information(api, engine, context), strict=False)
    return {layer["Name"]: _short(layer) for layer in information["Layers"] if isinstance(layer, dict)}


def _information(api: ExecutionApi, engine: Any, context: Any) -> str:
    """Ask an inspector that does not outlive this call: in TensorRT 8.5 it does not keep its engine alive."""
    inspector = engine.create_engine_inspector()
    inspector.execution_context = context
    text: str = inspector.get_engine_information(api.trt.LayerInformationFormat.JSON)
    return text


def _short(layer: dict[str, Any]) -> dict[str, Any]:
    """Return what the report shows. Versions differ: a tactic may have a name or only a number."""
    return {
        "type": layer.get("LayerType", ""),
        "tactic": layer.get("TacticName") or str(layer.get("TacticValue", "")),
        "inputs": [_tensor(tensor) for tensor in layer.get("Inputs", ())],
        "outputs": [_tensor(tensor) for tensor in layer.get("Outputs", ())],
    }


def _tensor(tensor: dict[str, Any]) -> str:
    size = "×".join(map(str, tensor.get("Dimensions", ())))
    return f"{size} {tensor.get('Format/Datatype') or tensor.get('Format', '')}".strip()
