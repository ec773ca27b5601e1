"""Which TensorRT a fake stands for, and what it has by that, whether it builds engines or runs them."""

from __future__ import annotations

import enum
from types import SimpleNamespace
from typing import Any


class Version:
    """Such as "8.5.3.1", or RTX's "1.7.1.116"."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.major = text.split(".", maxsplit=1)[0]
        self.old, self.rtx = self.major == "8", self.major == "1"

    def one_of(self, *, old: Any, new: Any, first_10: Any = None, rtx: Any = None) -> Any:
        """What is for 8, or for 10 and newer; where they are given, what is for 10.0, or for RTX."""
        if self.old:
            return old
        if self.text.startswith("10.0."):
            return first_10 or new
        return (rtx or new) if self.rtx else new


def fake_module(version: Version) -> SimpleNamespace:
    """The module, with what building and running both use."""
    trt = SimpleNamespace(__name__="tensorrt_rtx" if version.rtx else "tensorrt", __version__=version.text)
    if not version.old:
        trt.ExecutionContextAllocationStrategy = numbered("Strategy", ("STATIC", "USER_MANAGED"))
    return trt


def numbered(name: str, members: tuple[str, ...]) -> Any:
    """An enumeration of `members`, from 0."""
    return enumeration(name, {member: value for value, member in enumerate(members)})


def enumeration(name: str, members: dict[str, int]) -> Any:
    """An enumeration with these numbers."""
    return enum.IntEnum(name, members)
