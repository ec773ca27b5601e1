"""Both stages, from a scan to its labels: on the host with the networks of any backend, or on a GPU."""

from __future__ import annotations

from ..backends.protocols import Backend, DeviceBackend
from ..bundle import Bundle
from ..bundle.core_parameters import core_parameters
from .device import DevicePipeline
from .host import HostPipeline
from .run import Pipeline, Run

__all__ = ["DevicePipeline", "HostPipeline", "Pipeline", "Run", "pipeline_of"]


def pipeline_of(backend: Backend, bundle: Bundle, threads: int) -> Pipeline:
    """The pipeline that runs the networks of `bundle` by `backend`.

    `threads`: the number of host threads, 0 for all cores. Raises BundleError where the bundle's parameters
    make no sense.
    """
    if isinstance(backend, DeviceBackend):
        return DevicePipeline(backend)
    return HostPipeline(backend, core_parameters(bundle), threads)
