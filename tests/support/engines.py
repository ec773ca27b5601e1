"""Bundles with engines of fake TensorRTs, and machines that could or could not run them."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
from support.fake_tensorrt import fake_tensorrt

from efficientscn_trt.bundle import Bundle
from efficientscn_trt.engines import BuildOptions, Gpu, Machine, build, builder, target
from efficientscn_trt.engines.machine import this_platform

TENSORRT, RTX = "11.4.0.106", "1.7.1.116"
H100 = Gpu(0, "NVIDIA H100", "9.0", 80 << 30)
RTX_4090 = Gpu(0, "NVIDIA GeForce RTX 4090", "8.9", 24 << 30)
T4 = Gpu(0, "Tesla T4", "7.5", 16 << 30)
VERSIONS = {"tensorrt": TENSORRT, "tensorrt-rtx": RTX}


def machine(gpu: Gpu | None = RTX_4090, **changes: Any) -> Machine:
    """This platform with both flavours installed."""
    return Machine(**({"platform": this_platform(), "gpu": gpu, "versions": VERSIONS} | changes))


def use_fakes(patch: pytest.MonkeyPatch, **versions: str) -> dict[str, Any]:
    """Let builds use fakes of `versions` (by default VERSIONS) and return them by flavour."""
    fakes = {
        name: fake_tensorrt(versions.get(name.replace("-", "_"), version))
        for name, version in VERSIONS.items()
    }
    patch.setattr(target, "load", lambda flavour: fakes[flavour.name])
    patch.setattr(builder, "current", lambda gpu: nullcontext())
    return fakes


def with_engines(
    bundle: Bundle,
    name: str = "tensorrt-rtx",
    *,
    gpu: Gpu | None = None,
    version: str | None = None,
    **options: Any,
) -> Bundle:
    """`bundle` with fake engines for the target `name`, built with `options`."""
    with pytest.MonkeyPatch.context() as patch:
        use_fakes(patch, **({name.replace("-", "_"): version} if version else {}))
        return build.build_engines(bundle, name, BuildOptions(**options), machine=machine(gpu)).bundle
