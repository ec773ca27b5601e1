"""How a file stores its pixels in bits. Source: DICOM PS3.3, C.7.6.3.1 (Image Pixel)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import InputError
from .codecs import LOSSY
from .elements import transfer_syntax, whole
from .files import Instance


@dataclass(frozen=True)
class Storage:
    """A value has the bits from `high_bit` down, `stored` of them, in a word of `allocated` bits.

    Lossy compression reproduces the values next to the extremes with errors, so some lie beyond.
    """

    allocated: int
    stored: int
    high_bit: int
    signed: bool
    lossy: bool

    @classmethod
    def of(cls, instance: Instance) -> Storage:
        """That of all frames of a file. Raises InputError if it is not possible."""
        keywords = ("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation")
        allocated, stored, high_bit, sign = (whole(instance.header, keyword) for keyword in keywords)
        stored = allocated if stored is None else stored
        if (
            allocated not in (8, 16, 32)
            or stored is None
            or not 1 <= stored <= allocated
            or sign not in (0, 1)
        ):
            raise InputError(
                f"{instance.file} stores its pixels in {stored} of {allocated} bits with the pixel "
                f"representation {sign}; expected up to 8, 16 or 32 bits, and 0 (unsigned) or 1 (signed). "
                "Export the series from the archive again."
            )
        high_bit = stored - 1 if high_bit is None else min(max(high_bit, stored - 1), allocated - 1)
        return cls(allocated, stored, high_bit, sign == 1, transfer_syntax(instance.header) in LOSSY)

    @property
    def dtype(self) -> np.dtype:
        """The dtype of a decompressed word."""
        return np.dtype(f"{'i' if self.signed else 'u'}{self.allocated // 8}")

    @property
    def extremes(self) -> tuple[int, int]:
        """The smallest and the largest value: what the bits stored hold, and a little more if it is lossy."""
        half = 1 << (self.stored - 1)
        beyond = half // 4 if self.lossy and self.stored < self.allocated else 0
        return (-half - beyond, half - 1 + beyond) if self.signed else (0, 2 * half - 1 + beyond)

    def values(self, words: np.ndarray) -> tuple[np.ndarray, bool]:
        """The values in `words` as they are stored without compression, or by run lengths.

        Also returns whether there were other bits, which count for nothing.
        """
        words = words.astype(words.dtype.newbyteorder("="), copy=False)
        if self.stored == self.allocated:
            return words, False
        values = (words << (self.allocated - 1 - self.high_bit)) >> (self.allocated - self.stored)
        if lower := self.high_bit + 1 - self.stored:
            if (words & ((1 << lower) - 1)).any():
                return values, True
            words = words >> lower
        return values, not (np.array_equal(values, words) or self._lack_sign(words))

    def decompressed(self, words: np.ndarray) -> tuple[np.ndarray, bool]:
        """The values in the lowest bits of a decoder's `words`, whose size and sign are its own.

        Also returns whether there were other bits, which count for nothing.
        """
        unused = max(8 * words.dtype.itemsize - self.stored, 0)
        has_sign = words.dtype.kind == "i"
        words = words.view(f"{'i' if self.signed else 'u'}{words.dtype.itemsize}")
        values = (words << unused) >> unused
        if np.array_equal(values, words) or (not has_sign and self._lack_sign(words)):
            return values, False
        smallest, largest = self.extremes
        if self.lossy and smallest <= words.min() and words.max() <= largest:
            return words, False
        return values, True

    def _lack_sign(self, words: np.ndarray) -> bool:
        """Whether `words` should have a sign, but have nothing above the bits stored to repeat it."""
        return self.signed and bool(words.min() >= 0 and words.max() < 1 << self.stored)
