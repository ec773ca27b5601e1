"""What this machine knows of engines that it has verified, kept in the user's cache."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ...bundle import Engine, Verification
from ...bundle.decode import decode
from ...errors import BundleError, OutputError
from ...io.atomic import replacing
from ...user_cache import cache_folder


@dataclass(frozen=True)
class Record:
    """The outcome for one engine: how it agreed, or in `fault` why it must not be used."""

    verified: Verification | None
    fault: str | None


def read_record(engine: Engine, gpu: str, driver: str) -> Record | None:
    """The outcome for `engine` on a `gpu` of this model with this `driver`; None if it is not known."""
    place = _place(engine, gpu, driver)
    if place is not None:
        with suppress(OSError, ValueError, BundleError):
            return decode(Record, json.loads(place.read_text(encoding="utf-8")))
    return None


def write_record(engine: Engine, gpu: str, driver: str, record: Record) -> None:
    """Keep an outcome. If the cache cannot be written, the engine is verified again next time."""
    place = _place(engine, gpu, driver)
    if place is not None:
        with suppress(OSError, OutputError):
            place.parent.mkdir(parents=True, exist_ok=True)
            with replacing(place) as temporary:
                temporary.write_text(json.dumps(dataclasses.asdict(record)), encoding="utf-8")


def _place(engine: Engine, gpu: str, driver: str) -> Path | None:
    folder = cache_folder()
    if folder is None:
        return None
    key = json.dumps([engine.sha256, engine.onnx_sha256, gpu, driver])
    return folder / "verified" / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"
