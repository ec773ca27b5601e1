"""How organs, volumes and the bundle's notice are written where people read them."""

from __future__ import annotations

from ..organs.appearance import in_words


def shown_name(organ: str) -> str:
    """An organ's name as in a table: "Right kidney" for "right_kidney"."""
    return in_words(organ).capitalize()


def format_ml(volume: float) -> str:
    """A volume in ml for a report: "1423 ml", "86.4 ml", or "not found" for 0."""
    if volume == 0:
        return "not found"
    digits = 0 if volume >= 100 else 1 if volume >= 1 else 2
    return f"{volume:.{digits}f} ml"


def foot_note(notice: str) -> str:
    """What the bundle says about its weights, and that this is no medical device."""
    said = "not a medical device" in notice.lower()
    return notice if said else f"{notice} For research; not a medical device.".lstrip()
