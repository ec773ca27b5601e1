"""The networks that worked in a trial on this machine (`trial`), remembered in the user's cache.

The demo bundle's networks count as tried, because the package's tests run them.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from ..bundle import Bundle
from ..bundle.shipped import is_shipped
from ..io.unfinished import unfinished_file
from .openvino_loader import network_cache
from .openvino_start import ov, ov_core


def is_tried(bundle: Bundle, name: str, precision: str) -> bool:
    """Whether the network `name` of `bundle` worked in `precision`."""
    if is_shipped(getattr(bundle.manifest.networks, name).sha256):
        return True
    record = _record(bundle, name, precision)
    marker = _marker(bundle, name, record)
    with suppress(OSError):
        return marker is not None and marker.read_bytes() == record
    return False


def remember(bundle: Bundle, name: str, precision: str) -> None:
    """Say that the network worked. Does nothing if no cache is writable."""
    record = _record(bundle, name, precision)
    marker = _marker(bundle, name, record)
    if marker is None:
        return
    with suppress(OSError):
        marker.parent.mkdir(parents=True, exist_ok=True)
        with unfinished_file(marker) as unfinished:
            unfinished.write_bytes(record)
            unfinished.replace(marker)


def _record(bundle: Bundle, name: str, precision: str) -> bytes:
    """All that decides what OpenVINO does with a network."""
    record = {
        "network": name,
        "sha256": getattr(bundle.manifest.networks, name).sha256,
        "valid_sizes": getattr(bundle.manifest.pipeline, name).valid_sizes,
        "labels": len(bundle.manifest.labels),
        "precision": precision,
        "openvino": ov.__version__,
        "processor": ov_core.get_property("CPU", "FULL_DEVICE_NAME"),
    }
    return json.dumps(record).encode()


def _marker(bundle: Bundle, name: str, record: bytes) -> Path | None:
    folder = network_cache(bundle, name)
    return folder and folder / f"{hashlib.sha256(record).hexdigest()[:16]}.tried"
