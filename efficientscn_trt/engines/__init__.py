"""TensorRT engines of a bundle: built for a target, kept in the bundle, and chosen for a machine.

`build.build_engines` builds them, `build.describe_engines` says what it would build. `select_engine` returns
the engines of a bundle that run on a machine, or why none does; `cache.obtain_engine` then builds some into
the user's cache. `inspection.inspect_plan` reads the header of any engine. TensorRT is imported only when it
is needed.
"""

from __future__ import annotations

from .machine import Gpu, Machine, this_machine
from .options import BuildOptions
from .selection import EngineChoice, EngineRow, NoEngine, engine_rows, select_engine

__all__ = [
    "BuildOptions",
    "EngineChoice",
    "EngineRow",
    "Gpu",
    "Machine",
    "NoEngine",
    "engine_rows",
    "select_engine",
    "this_machine",
]
