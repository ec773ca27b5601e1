"""One name for an organ that label maps name in several ways."""

from __future__ import annotations

import re

_WORDS = re.compile(r"[^\W_]+")
_SIDES = ("right", "left")


def words_of(name: str) -> list[str]:
    """The words of `name` in small letters, whatever stands between them."""
    return _WORDS.findall(name.casefold())


def canonical(name: str) -> str:
    """The words of `name` in small letters, the side of the body first: "Kidney right" is "right_kidney"."""
    return "_".join(sorted(words_of(name), key=lambda word: word not in _SIDES))
