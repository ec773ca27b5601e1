"""The fakes have the names of the real packages; this checks each TensorRT that is installed."""

from __future__ import annotations

from typing import Any

import pytest
from support.fake_tensorrt import fake_tensorrt

from efficientscn_trt.engines.flavours import FLAVOURS, has_builder, load
from efficientscn_trt.errors import DeviceError

MEMBERS = {
    "NetworkDefinitionCreationFlag": ("EXPLICIT_BATCH", "STRONGLY_TYPED"),
    "BuilderFlag": (
        "FP16",
        "TF32",
        "PREFER_PRECISION_CONSTRAINTS",
        "VERSION_COMPATIBLE",
        "EXCLUDE_LEAN_RUNTIME",
        "REQUIRE_USER_ALLOCATION",
        "ERROR_ON_TIMING_CACHE_MISS",
    ),
    "IBuilderConfig": ("builder_optimization_level",),
    "TacticSource": ("CUBLAS", "CUBLAS_LT", "CUDNN"),
    "MemoryPoolType": ("WORKSPACE",),
    "PreviewFeature": ("RUNTIME_ACTIVATION_RESIZE_10_10",),
    "LayerType": ("CAST", "CONSTANT", "IDENTITY", "SHUFFLE"),
    "ILayer": ("get_input", "get_output", "output_type_is_set"),
    "ICastLayer": ("to_type",),
    "ILogger": ("ERROR",),
    "ProfilingVerbosity": ("DETAILED",),
    "IExecutionContext": ("update_device_memory_size_for_shapes",),
    "ComputeCapability": ("CURRENT", "SM75", "SM80", "SM86", "SM89", "SM120"),
    "EngineValidity": ("VALID", "SUBOPTIMAL", "INVALID"),
    "EngineInvalidityDiagnostics": ("VERSION_MISMATCH", "UNSUPPORTED_CC", "MALFORMED_ENGINE"),
}
ALONE = ("IProgressMonitor", "ComputeCapability", "ExecutionContextAllocationStrategy", "float16", "float32")
METHODS = {
    "Builder": (
        "create_network",
        "create_builder_config",
        "create_optimization_profile",
        "build_serialized_network",
    ),
    "OnnxParser": ("parse",),
    "Runtime": ("deserialize_cuda_engine", "get_engine_validity"),
}


def names(module: Any) -> set[str]:
    """Return the names in `module` that a build may use."""
    found = {name for name in ALONE if hasattr(module, name)}
    for owner, members in {**MEMBERS, **METHODS}.items():
        found |= {f"{owner}.{name}" for name in members if hasattr(getattr(module, owner, None), name)}
    return found


@pytest.mark.parametrize("flavour", FLAVOURS.values(), ids=list(FLAVOURS))
def test_fake_and_package_agree(flavour: Any) -> None:
    try:
        real = load(flavour)
    except DeviceError as error:
        pytest.skip(str(error))
    if not has_builder(real):
        pytest.skip("The lean runtime builds nothing.")
    assert names(fake_tensorrt(real.__version__)) == names(real)
