"""Whether the core takes the arguments of a call, and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from fuzz.scans import check_sentence

T = TypeVar("T")

#: Above this, float32 sums may overflow.
LARGE = 1e36


def result_of(call: Callable[[], T], valid: bool = False) -> T | None:
    """What `call` returns. None if it refuses its arguments, which `valid` ones do not allow."""
    try:
        return call()
    except ValueError as error:
        check_sentence(str(error))
        assert not valid, f"refused: {error}"
    except TypeError:
        assert not valid
    return None


def accepted(call: Callable[[], None]) -> bool:
    """Whether `call` returns, rather than refuse its arguments."""
    return result_of(lambda: [call()]) is not None  # type: ignore[func-returns-value]


def in_place(array: Any, types: tuple[str, ...], axes: int = 3) -> bool:
    """Whether the core can read this array."""
    return (
        isinstance(array, np.ndarray)
        and array.ndim == axes
        and array.size > 0
        and array.dtype in [np.dtype(each) for each in types]
        and array.flags.aligned
    )
