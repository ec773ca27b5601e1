"""Other software for the networks, with this package for all else: what is compared is the networks alone."""

from __future__ import annotations

from efficientscn_trt import backends
from efficientscn_trt.measure.candidate import OwnPipeline


def pipeline_with(backend: backends.Backend, bundle: str, threads: int) -> OwnPipeline:
    """This package's pipeline around `backend`."""
    backends._BACKENDS[backend.device] = lambda *_: backend
    pipeline = OwnPipeline(bundle, device=backend.device, threads=threads)
    del backends._BACKENDS[backend.device]
    return pipeline
