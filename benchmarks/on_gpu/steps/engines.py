"""Build and load the engines of both networks here, or record the exact refusal.

TensorRT-RTX is tried even if it does not list this GPU's compute capability; its answer is the result.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from efficientscn_trt import bundle as bundles
from efficientscn_trt.engines import BuildOptions, api
from efficientscn_trt.engines.build import build_engines
from efficientscn_trt.engines.flavours import FLAVOURS, load
from efficientscn_trt.errors import DeviceError
from on_gpu.context import Context, skipped
from on_gpu.engines import load_backend, machine_of


def run(context: Context) -> dict[str, Any]:
    flavour, machine = FLAVOURS[context.flavour], machine_of(context.flavour)
    if machine.gpu is None:
        return skipped("no NVIDIA GPU with a driver was found")
    if not machine.versions:
        return skipped(f"{flavour.title} is not installed")
    listed = flavour.needs_gpu or machine.gpu.compute_capability in api.selectable_capabilities(load(flavour))
    shutil.rmtree(context.bundle, ignore_errors=True)
    shutil.copytree(Path(context.reference, "bundle"), context.bundle)
    said: list[str] = []
    try:
        report = build_engines(
            bundles.load(context.bundle),
            context.flavour,
            BuildOptions(
                precision=context.precision,
                compute_capabilities=() if flavour.needs_gpu else (api.CURRENT,),
            ),
            machine=machine,
            say=said.append,
        )
        load_backend(context)
    except Exception as error:
        refused = isinstance(error, DeviceError) and not listed
        return {
            "state": "refused" if refused else "failed",
            "reason": f"{type(error).__name__}: {error}",
            "output": "\n".join(said[-15:]),
        }
    return {
        "state": "ok",
        "version": machine.versions[context.flavour],
        "engines": {
            found.engine.network: {
                "build_seconds": round(found.seconds, 1),
                "bytes": found.engine.bytes,
                "activation": found.engine.activation_memory and vars(found.engine.activation_memory),
                "float32_layers": len(found.float32_layers),
            }
            for found in report.engines
        },
    }
