"""Record what TensorRT chose for each layer, from engines that are built again to keep it.

These engines are not timed, because they are slower to queue (TensorRT's nvtx_verbosity); users' engines keep
only the layers' names. The timing cache of the first build makes TensorRT choose the same again.
"""

from __future__ import annotations

from typing import Any

from efficientscn_trt.bundle import Bundle
from efficientscn_trt.engines import BuildOptions, api
from efficientscn_trt.engines.builder import NetworkBuilder, OnnxFile
from efficientscn_trt.engines.flavours import FLAVOURS
from efficientscn_trt.engines.profiles import profile_for
from efficientscn_trt.engines.running import ExecutionApi
from efficientscn_trt.engines.target import Target
from efficientscn_trt.engines.timing_cache import TimingCache
from on_gpu.card import Card
from on_gpu.context import Context, skipped
from on_gpu.engines import choose_engines, machine_of
from on_gpu.layer_details import layer_details
from on_gpu.work import NO_WORK, read_work


def run(context: Context) -> dict[str, Any]:
    work = read_work(context.reference)
    if work is None:
        return skipped(NO_WORK)
    bundle, choice, trt = choose_engines(context)
    card, running = Card(), ExecutionApi(trt)
    networks, plans = {}, {}
    for network, own in work.items():
        plan = detailed_plan(context, bundle, network, trt)
        networks[network] = layer_details(running, plan, own.size, card.stream)
        plans[network] = {"bytes": len(plan), "without_details": choice.file(network).stat().st_size}
    return {"state": "ok", "plans": plans, "networks": networks}


def detailed_plan(context: Context, bundle: Bundle, network: str, trt: Any) -> bytes:
    """Build the engine of `network` as the step `engines` does, but with the details of its layers."""
    flavour, gpu = FLAVOURS[context.flavour], machine_of(context.flavour).gpu
    current = () if flavour.needs_gpu else (api.CURRENT,)
    target = Target(flavour, trt, gpu, current, current)
    timings = None
    if flavour.needs_gpu and gpu is not None:
        timings = TimingCache.beside(bundle.path, flavour, trt.__version__, gpu).read()
    builder = NetworkBuilder(target, BuildOptions(context.precision), timings, layer_details=True)
    onnx = OnnxFile.read(bundle.file(network, context.precision))
    profile = profile_for(network, bundle.manifest.pipeline)
    return builder.build(onnx, profile, can_load=True).content
