"""Arguments for the core, chosen by the bytes of an input: usual ones, and many that it must refuse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import atheris
import numpy as np
from numpy.lib.stride_tricks import as_strided

from fuzz.mutation import REAL, WHOLE

T = TypeVar("T")

SCAN_TYPES = ("<i2", "|u1", "<u2", "<i4", "<f4")
_TYPES = (*SCAN_TYPES, "|b1", "|i1", "<f2", "<f8", "<i8", ">i2", ">f4", "<c8", "|O", "|S4", "<U2", "<M8[s]")
_LENGTHS = (3, 1, 2, 4, 5, 7, 8, 9, 12, 15, 16, 17, 20, 31, 33, 40, 65, 130)
_MOST_VOXELS = 20_000


class Choices:
    """Reads an input from its beginning to its end, behind which all choices are the first one."""

    def __init__(self, data: bytes) -> None:
        self._data = atheris.FuzzedDataProvider(data)

    def of(self, options: Sequence[T]) -> T:
        return options[self.whole(0, len(options) - 1)]

    def whole(self, least: int, most: int) -> int:
        return self._data.ConsumeIntInRange(least, most)

    def once_in(self, times: int) -> bool:
        return self.whole(0, times - 1) == times - 1

    def number(self, least: float, most: float) -> float:
        """A number in a range, its ends included."""
        parts = 1 << 16
        return least + (most - least) * (self.whole(0, parts) / parts)

    def any_number(self) -> float:
        if self.once_in(2):
            return float(np.frombuffer(self._data.ConsumeBytes(8).ljust(8, b"\0"), "<f8")[0])
        return float(self.of(REAL))

    def parameter(self, usual: float, least: float, most: float) -> float:
        """The usual value, one in a range, an end of it, or rarely one beyond."""
        kind = self.whole(0, 19)
        if kind < 8:
            return usual
        if kind < 15:
            return self.number(least, most)
        return self.any_number() if kind == 19 else self.of([least, most])

    def text(self) -> str:
        return self._data.ConsumeUnicode(self.whole(0, 12))

    def threads(self) -> int:
        return self.of([1, 1, 1, 1, 1, 1, 2, 0, 3, 7, 1000, -1, -(1 << 31), (1 << 31) - 1])

    def size(self, most: int = _MOST_VOXELS) -> tuple[int, ...]:
        """Lengths of three axes."""
        size = [1, 1, 1]
        for axis in sorted(range(3), key=lambda _: self.whole(0, 3)):
            length = self.of(_LENGTHS)
            size[axis] = length if math.prod(size) * length <= most else 1
        return tuple(size)

    def spacing(self) -> tuple[float, ...]:
        usual = [self.of([1.0, 2.5, 0.7, 6.0, 2.0, self.number(0.3, 8)]) for _ in range(3)]
        if self.once_in(8):
            usual[self.whole(0, 2)] = self.any_number()
        if self.once_in(8):
            usual[self.whole(0, 2)] = math.exp(self.number(-10, 10))
        return tuple(usual)

    def triple(self, usual: Sequence[Any]) -> Any:
        """Three values, or rarely something else."""
        if not self.once_in(12):
            return self.of([tuple, list, tuple if isinstance(usual[0], list) else np.array])(usual)
        wrong = [
            lambda: self.text(),
            lambda: list(usual[:2]),
            lambda: [*usual, 1],
            lambda: usual[0],
            lambda: None,
            lambda: [1.5, 2.0, 3],
            lambda: [self.of(WHOLE), 5, 1 << 80],
            lambda: [*usual[:2], self.of([None, "3", [1], math.nan, True, b"7"])],
            lambda: np.zeros((self.whole(0, 40), 3)),
            lambda: [self.of(WHOLE)] * self.whole(0, 3000),
            lambda: dict(enumerate(usual)),
            lambda: {1, 2, 3},
            lambda: iter(usual),
        ]
        return self.of(wrong)()

    def values(self, size: Sequence[int], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
        """A contiguous array of a type that holds numbers."""
        generator = np.random.default_rng(self.whole(0, 0xFFFF))
        kind = self.whole(0, 9)
        if kind == 9:  # any bits
            bits = generator.integers(0, 256, math.prod(size) * dtype.itemsize, np.uint8)
            return bits.view(dtype).reshape(size)
        if kind == 8:
            array = np.zeros(size, dtype)
        elif dtype.kind in "iu" and kind > 5:
            limits = np.iinfo(dtype)
            array = generator.choice(np.array([limits.min, limits.max, 0], dtype), size)
        elif dtype.kind == "b":
            array = generator.random(size) < 0.02
        else:
            least = 0 if dtype.kind == "u" else -1200
            array = generator.uniform(least, min(1500, 255 if dtype.itemsize == 1 else 1500), size)
            array = array.astype(dtype)
        if dtype.kind == "f" and kind > 4:
            rare = np.array([np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-45, 1e30, -0.0], dtype)
            chosen = generator.random(size) < self.of([0.001, 0.1, 1.0])
            array[chosen] = generator.choice(rare[: self.of([8, 1, 3])], int(chosen.sum()))
        elif kind == 7:
            array[generator.random(size) < 0.98] = 0
        return array

    def array(self, size: Sequence[int], types: Sequence[str]) -> Any:
        """An array of this size and one of the types, in any layout; rarely another one, or none."""
        if self.once_in(25):
            empty = np.zeros((2, 0, 3), types[0])
            return self.of([None, [[[1]]], "abc", 3, np.int16(3), memoryview(bytes(8)), empty])
        dtype = np.dtype(self.of(_TYPES) if self.once_in(12) else self.of(types))
        if dtype.kind not in "iufb" or not dtype.isnative:
            return np.zeros(size, dtype)
        if self.once_in(20):
            size = [*size, 2] if self.once_in(2) else size[1:]
        return self.layout(self.values(size, dtype))

    def layout(self, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Such a view: in another order, with gaps, repeated, read-only, misaligned, of a subclass."""
        order = sorted(range(array.ndim), key=lambda _: self.whole(0, 3))
        steps = tuple(self.of([1, 1, 1, -1, -1, 2, -2, 3]) for _ in order)
        stored = array.transpose(order)
        if self.once_in(10):  # one axis is one slice, again and again
            axis = self.whole(0, array.ndim - 1)
            one = np.ascontiguousarray(stored.take([0], axis))
            stored = np.broadcast_to(one, stored.shape)
        else:
            shape = [n * abs(step) for n, step in zip(stored.shape, steps, strict=True)]
            whole = np.full(shape, 77, array.dtype)
            if self.once_in(10):
                flat = np.zeros(whole.nbytes + 1, np.uint8)[1:]  # misaligned
                whole = flat.view(array.dtype).reshape(whole.shape)
            view = whole[tuple(slice(None, None, step) for step in steps)]
            view[...] = stored
            stored = view
        result = stored.transpose(np.argsort(order))
        if self.once_in(12):  # NumPy gives axes of length 1 any stride
            odd = [self.of(WHOLE) if n == 1 else s for n, s in zip(result.shape, result.strides, strict=True)]
            limit = 1 << 63
            odd = [max(-limit, min(s, limit - 1)) for s in odd]
            result = as_strided(result, result.shape, odd)
        if self.once_in(12):
            result = result.view(self.of([np.ma.MaskedArray, np.recarray]))
        if self.once_in(12):
            result.flags.writeable = False
        return result

    def valid_sizes(self) -> Any:
        """Three lists of sizes for small networks."""
        lists = [
            sorted({self.whole(1, 24) for _ in range(self.whole(1, 4))}) if self.once_in(2) else [4, 8, 16]
            for _ in range(3)
        ]
        if self.once_in(15):
            wrong = [[], [8, 4], [0, 4], [-4, 4], [5000], [4, 4], [1 << 62], [1 << 80]]
            lists[self.whole(0, 2)] = self.of(wrong)
        return self.triple(lists) if self.once_in(15) else lists
