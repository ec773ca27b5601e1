"""This package's pipeline with its networks run by other software, to compare only the networks."""

from __future__ import annotations

from unittest.mock import patch

from efficientscn_trt import backends
from efficientscn_trt.measure.candidate import OwnPipeline


def pipeline_with(backend: backends.Backend, bundle: str, threads: int) -> OwnPipeline:
    """This package's pipeline around `backend`."""
    with patch.object(backends, "load", lambda *_: backend):
        return OwnPipeline(bundle, threads=threads)
