"""Change an input where its format has meaning: a number, a word, a line. A random seed decides."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

import atheris

T = TypeVar("T")

MOST_BYTES = 1 << 18
_LIMITS = [1 << bits for bits in (7, 8, 15, 16, 31, 32, 63, 64)]
WHOLE = [0, 1, 2, 3, 4, 5, 7, 348, 540, *_LIMITS, *(n - 1 for n in _LIMITS), *(-n for n in _LIMITS)]
REAL = [0.0, -0.0, 0.5, 1e-6, 1e-45, 1e-300, 1e6, 1e9, 1e38, 1e300, float("nan"), float("inf"), float("-inf")]
WORDS = ["", "nan", "inf", "-inf", "1e400", "0x10", "1_000", "1,5", "\0", "ü", "true", "none", "%n", "../x"]
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?")


def number(random: Random, old: float) -> float:
    """One near `old`, its negative, or one at which conversions break."""
    near = [old + 1, old - 1, old * 2, old / 2, -old, old + 0.5, old * random.uniform(0.9, 1.1)]
    return random.choice([random.choice(near), random.choice(WHOLE), random.choice(REAL)])


def word(random: Random, old: str, words: Sequence[str]) -> str:
    """`old` with another number in it, or another word of the format in its place or beside it."""

    def other_number() -> str:
        found = list(_NUMBER.finditer(old))
        if not found:
            return random.choice(WORDS)
        place = random.choice(found)
        value = number(random, float(place[0]))
        text = str(int(value)) if abs(value) < 1e18 and value == int(value) else repr(value)
        return old[: place.start()] + text + old[place.end() :]

    def other_word() -> str:
        parts = old.split(" ")
        parts[random.randrange(len(parts))] = random.choice([*words, *WORDS])
        return " ".join(parts)

    def fewer() -> str:
        parts = old.split(" ")
        del parts[random.randrange(len(parts))]
        return " ".join(parts)

    return random.choice(
        [
            other_number,
            other_number,
            other_word,
            fewer,
            lambda: random.choice([*words, *WORDS]),
            lambda: f"{old} {random.choice([*words, old])}",
            lambda: old * random.choice([2, 50]),
            old.swapcase,
            lambda: raw(old.encode(errors="replace")).decode(errors="replace"),
        ]
    )()


def lines(random: Random, old: list[str], separator: str, words: Sequence[str]) -> list[str]:
    """Lines of the form `name separator value`, of which one is changed, lost, doubled or elsewhere."""
    new = list(old)
    at = random.randrange(len(new))

    def value() -> None:
        name, found, content = new[at].partition(separator)
        new[at] = name + found + word(random, content, words) if found else word(random, name, words)

    def name() -> None:
        _, found, content = new[at].partition(separator)
        new[at] = random.choice(words) + found + content

    def added() -> None:
        new.insert(at, f"{random.choice(words)}{separator}{random.choice([*words, *WORDS])}")

    def moved() -> None:
        new.insert(random.randrange(len(new)), new.pop(at))

    changes: list[Callable[[], object]] = [value] * 8
    changes += [name, added, moved, lambda: new.pop(at), lambda: new.insert(at, new[at])]
    random.choice(changes)()
    return new


def raw(data: bytes) -> bytes:
    """Bytes that libFuzzer changed, of what it learnt from comparisons."""
    return bytes(atheris.Mutate(data, min(len(data) + 64, MOST_BYTES)))


def cut(random: Random, data: bytes) -> bytes:
    """The beginning, or the whole with bytes behind it."""
    if random.random() < 0.5:
        return data[: random.randrange(len(data) + 1)]
    return data + bytes(random.choice([1, 2, 16, len(data) or 1]))
