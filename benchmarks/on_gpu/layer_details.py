"""What TensorRT chose for each layer of an engine: kernels, precisions, formats."""

from __future__ import annotations

import json
from typing import Any

from efficientscn_trt import _core
from efficientscn_trt.engines.running import ExecutionApi
from on_gpu.work import Size


def layer_details(api: ExecutionApi, plan: bytes, size: Size, stream: int) -> dict[str, dict[str, Any]]:
    """By the layer's name, of the engine `plan`, built with `Options.layer_details`, at `size` (z, y, x).

    Raises DeviceError, BundleError, and what comes of a version that has no inspector.
    """
    engine = api.load_engine(plan)
    context = api.create_context(engine)
    network = _core.Network(api, engine, context, *api.tensor_names(engine))
    network.prepare(size, stream)
    told = json.loads(_told(api, engine, context), strict=False)
    return {layer["Name"]: _short(layer) for layer in told["Layers"] if isinstance(layer, dict)}


def _told(api: ExecutionApi, engine: Any, context: Any) -> str:
    """The inspector must not outlive this call: in TensorRT 8.5 it does not keep its engine alive."""
    inspector = engine.create_engine_inspector()
    inspector.execution_context = context
    text: str = inspector.get_engine_information(api.trt.LayerInformationFormat.JSON)
    return text


def _short(layer: dict[str, Any]) -> dict[str, Any]:
    """Names differ between versions: a tactic may have a name or only a number."""
    return {
        "type": layer.get("LayerType", ""),
        "tactic": layer.get("TacticName") or str(layer.get("TacticValue", "")),
        "inputs": [_tensor(tensor) for tensor in layer.get("Inputs", ())],
        "outputs": [_tensor(tensor) for tensor in layer.get("Outputs", ())],
    }


def _tensor(tensor: dict[str, Any]) -> str:
    size = "×".join(map(str, tensor.get("Dimensions", ())))
    return f"{size} {tensor.get('Format/Datatype') or tensor.get('Format', '')}".strip()
