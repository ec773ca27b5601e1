"""How a file stores its pixels in bits. Source: DICOM PS3.3, C.7.6.3.1 (Image Pixel)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import InputError
from .files import Instance
from .frames import value


@dataclass(frozen=True)
class Storage:
    """A value has the bits from `high_bit` down, `stored` of them, in a word of `allocated` bits."""

    allocated: int
    stored: int
    high_bit: int
    signed: bool

    @classmethod
    def of(cls, instance: Instance) -> Storage:
        """That of all frames of a file. Raises InputError if it is not possible."""
        keywords = ("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation")
        allocated, stored, high_bit, sign = (value(instance.header, keyword) for keyword in keywords)
        stored = allocated if stored is None else stored
        try:
            high_bit = stored - 1 if high_bit is None else high_bit
            possible = allocated in (8, 16, 32) and 1 <= stored <= high_bit + 1 <= allocated
        except TypeError:  # missing, or several values
            possible = False
        if not possible or sign not in (0, 1, None):
            raise InputError(
                f"{instance.file} stores its pixels in {stored} of {allocated} bits, the highest of them bit "
                f"{high_bit}; expected up to 8, 16 or 32 bits. Export the series from the archive again."
            )
        return cls(allocated, stored, high_bit, sign == 1)

    @property
    def dtype(self) -> np.dtype:
        """The dtype of a decompressed word."""
        return np.dtype(f"{'i' if self.signed else 'u'}{self.allocated // 8}")

    @property
    def extremes(self) -> tuple[int, int]:
        """The smallest and the largest value."""
        half = 1 << (self.stored - 1)
        return (-half, half - 1) if self.signed else (0, 2 * half - 1)

    def values(self, words: np.ndarray) -> tuple[np.ndarray, bool]:
        """The values in `words`, and whether other bits had to be masked out.

        Compressed images are stored in the lowest bits of a word of any size, and their sign is their own.
        """
        bits = 8 * words.dtype.itemsize
        kind = "i" if self.signed else "u"
        words = words.astype(words.dtype.newbyteorder("="), copy=False).view(f"{kind}{bits // 8}")
        if self.stored >= bits:
            return words, False
        top = bits - 1 - (self.high_bit if bits == self.allocated else self.stored - 1)
        values = (words << top) >> (bits - self.stored)
        return values, not np.array_equal(values, words)
