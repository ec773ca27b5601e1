"""Time of each layer of an engine by TensorRT's profiler, and of a whole run without it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from efficientscn_trt import _core
from efficientscn_trt.engines.running import ExecutionApi
from efficientscn_trt.measure.samples import summarize
from on_gpu.work import Size

WARM_UP = 5


def layer_times(api: ExecutionApi, plan: bytes, size: Size, card: Any, runs: int) -> dict[str, Any]:
    """Return the median milliseconds of each layer, in execution order, and of a run without the profiler.

    Both are medians over `runs` runs of the engine `plan` on noise of `size` (z, y, x). `card` is a `Card`.
    Raises DeviceError and BundleError.
    """
    engine = api.load_engine(plan)
    context = _context(api, engine)
    network = _core.Network(api, engine, context, *api.tensor_names(engine))
    shape, scratch = network.prepare(size, card.stream)
    image = np.random.default_rng(0).uniform(-0.5, 0.3, size).astype(network.input_dtype)
    result_bytes = math.prod(shape) * np.dtype(network.output_dtype).itemsize
    source, result, activation = (card.block(max(n, 1)) for n in (image.nbytes, result_bytes, scratch))
    card.write(source.address, image)

    def queue() -> None:
        network.enqueue(source.address, result.address, activation.address, scratch, card.stream)

    card.seconds(queue, WARM_UP)
    plain = summarize(card.seconds(queue, runs))
    profiler = _profiler(api.trt)
    context.profiler = profiler
    _collect(api, context, profiler, queue, card, runs)
    times = {
        name: summarize([run.get(name, 0.0) for run in profiler.runs]).median for name in profiler.runs[-1]
    }
    return {
        "size": size,
        "runs": len(profiler.runs),
        "milliseconds": 1e3 * plain.median,
        "layers": [{"name": name, "milliseconds": median} for name, median in times.items()],
    }


def _context(api: ExecutionApi, engine: Any) -> Any:
    """Return a context in which TensorRT-RTX compiles for the shape first.

    By default it starts with general kernels and compiles those for the shape in the background.
    """
    specialization = getattr(api.trt, "DynamicShapesKernelSpecializationStrategy", None)
    if specialization is None:
        return api.create_context(engine)
    config = api.runtime_config(engine)
    config.dynamic_shapes_kernel_specialization_strategy = specialization.EAGER
    return engine.create_execution_context(config) or api.fail("create_execution_context")


def _collect(api: ExecutionApi, context: Any, profiler: Any, queue: Any, card: Any, runs: int) -> None:
    """Run until `profiler` has `runs` runs, reported after each run, or during it if that reports nothing."""
    for during in (False, True):
        context.enqueue_emits_profile = during
        for _ in range(WARM_UP + runs):
            queue()
            card.synchronize()
            if not during and not context.report_to_profiler():
                break
            profiler.end_run()
        del profiler.runs[: max(len(profiler.runs) - runs, 0)]
        if profiler.runs:
            return
    api.fail("report_to_profiler")


def _profiler(trt: Any) -> Any:
    class Profiler(trt.IProfiler):
        """`runs`: milliseconds by layer name of each run; layers with the same name are summed."""

        def __init__(self) -> None:
            trt.IProfiler.__init__(self)
            self.runs: list[dict[str, float]] = []
            self._run: dict[str, float] = {}

        def report_layer_time(self, layer_name: str, ms: float) -> None:
            self._run[layer_name] = self._run.get(layer_name, 0.0) + ms

        def end_run(self) -> None:
            if self._run:
                self.runs.append(self._run)
            self._run = {}

    return Profiler()
