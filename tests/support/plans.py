"""The beginning of TensorRT's plans, as engines/inspection/header.py describes it."""

from __future__ import annotations

SIZE = 200
RTX_VERSION = (1, 7, 1, 116)
SM_89 = 1 << 3


def new_plan(version: tuple[int, ...], tag: bytes = b"ftrt", *, bits: int = 0, size: int = SIZE) -> bytes:
    """A plan of TensorRT from 8.6 on; its header says `size`."""
    numbers = b"".join(number.to_bytes(length, "little") for number, length in ((0, 4), (2, 8), (size, 8)))
    header = tag + numbers + bytes(version) + tag + bits.to_bytes(8, "little")
    return header.ljust(SIZE, b"\xa5")


def rtx_plan(version: tuple[int, ...] = RTX_VERSION, bits: int = SM_89, size: int = SIZE) -> bytes:
    """A plan of TensorRT-RTX."""
    return new_plan(version, b"vtrt", bits=bits, size=size)


def old_plan(serialization: int) -> bytes:
    """A plan of TensorRT until 8.5; its rest is not looked at."""
    return (b"ptrt" + bytes(4) + serialization.to_bytes(8, "little")).ljust(SIZE, b"\xa5")
