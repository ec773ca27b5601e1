"""The demo bundle with other sizes of a network's input."""

from __future__ import annotations

import dataclasses

from efficientscn_trt.bundle import Bundle, load
from efficientscn_trt.bundle.manifest import Sizes
from efficientscn_trt.segmenter import DEMO_BUNDLE


def demo_with_sizes(name: str, sizes: Sizes) -> Bundle:
    """The demo bundle whose network `name` takes these sizes along z, y and x."""
    bundle = load(DEMO_BUNDLE)
    stage = dataclasses.replace(getattr(bundle.manifest.pipeline, name), valid_sizes=sizes)
    pipeline = dataclasses.replace(bundle.manifest.pipeline, **{name: stage})
    return dataclasses.replace(bundle, manifest=dataclasses.replace(bundle.manifest, pipeline=pipeline))
