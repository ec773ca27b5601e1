"""Join a Ray cluster."""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ray
from ray.exceptions import RayError

from ...errors import DeviceError
from ...io.wording import one_line, shown

LOCAL = "local"
"""The address of a cluster that is started for this batch, of this machine alone."""

_LONGEST_CONNECT = 10.0  # seconds


def connect(address: str) -> None:
    """Join the cluster at `address`: `LOCAL`, "auto" for the one of this machine, or host:port.

    Raises DeviceError.
    """
    _check_reachable(address)
    options: dict[str, Any] = {}
    if address == LOCAL:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a cluster of ours reports to nobody
        options = {"include_dashboard": False}
    with _own_signal_handlers(), _away_from_checkouts():
        try:
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **options)
        except (ConnectionError, RayError, ValueError, RuntimeError) as error:
            raise DeviceError(
                f"There is no Ray cluster at {address} ({one_line(str(error))}); start one with `ray start`, "
                f"or give {LOCAL}."
            ) from error


def _check_reachable(address: str) -> None:
    """Ray would try for minutes. Raises DeviceError."""
    if address in (LOCAL, "auto"):
        return
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal():
        raise DeviceError(
            f"{shown(address)} is no address of a Ray cluster, expected {LOCAL}, auto or host:port."
        )
    try:
        socket.create_connection((host, int(port)), timeout=_LONGEST_CONNECT).close()
    except (OSError, OverflowError) as error:
        raise DeviceError(
            f"There is no Ray cluster at {address} ({error}); give what `ray start --head` printed."
        ) from error


@contextmanager
def _away_from_checkouts() -> Iterator[None]:
    """Ray lets workers import from the working directory, which may be a checkout of this package."""
    before = os.getcwd()
    os.chdir(os.path.abspath(os.sep))
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def _own_signal_handlers() -> Iterator[None]:
    """Ray replaces them."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
