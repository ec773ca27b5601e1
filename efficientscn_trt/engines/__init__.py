"""TensorRT engines of a bundle: built for a target, kept with it, and chosen for a machine.

`build.build_engines` makes them, `select_engine` says which of a bundle's runs on a machine or why none does,
`cache.obtain_engine` builds into the user's cache where none does. TensorRT is imported when it is needed.
"""

from __future__ import annotations

from .machine import Gpu, Machine, this_machine
from .selection import EngineChoice, EngineRow, NoEngine, engine_rows, select_engine

__all__ = [
    "EngineChoice",
    "EngineRow",
    "Gpu",
    "Machine",
    "NoEngine",
    "engine_rows",
    "select_engine",
    "this_machine",
]
