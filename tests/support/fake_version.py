"""The TensorRT version of a fake, and what fakes for building and for running have in common."""

from __future__ import annotations

import enum
from types import SimpleNamespace
from typing import Any


class Version:
    """A version of TensorRT, such as "8.5.3.1", or of TensorRT-RTX, such as "1.7.1.116"."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.major = text.split(".", maxsplit=1)[0]
        self.old, self.rtx = self.major == "8", self.major == "1"

    def one_of(self, *, old: Any, new: Any, first_10: Any = None, rtx: Any = None) -> Any:
        """Return `old` for 8 and `new` for 10 and later; `first_10` for 10.0 and `rtx` for RTX, if given."""
        if self.old:
            return old
        if self.text.startswith("10.0."):
            return first_10 or new
        return (rtx or new) if self.rtx else new


def fake_module(version: Version) -> SimpleNamespace:
    """Return the module, with the names that both building and running use."""
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
