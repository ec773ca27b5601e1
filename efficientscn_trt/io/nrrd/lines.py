"""The lines of an NRRD header: which fields they give, and how they are written."""

from __future__ import annotations

import re
from pathlib import Path

from ...errors import InputError
from ..wording import excerpt

_LONGEST = 1 << 24  # bytes of a header
_LONGEST_VECTORS = 1 << 12  # characters
_CHUNK = 1 << 16
_END = re.compile(rb"\r?\n\r?\n")
# A key has "=" behind the colon.
_FIELD = re.compile(r"(?P<name>[^:=#]+):(?:[ \t]+(?P<value>.*))?", re.DOTALL)
#: The fields that are needed, by each of their names. Of all others, and of keys, nothing depends.
_NAMES = {
    **{name: name for name in ("type", "dimension", "sizes", "encoding", "endian", "kinds")},
    **{name: name for name in ("space", "space dimension", "space units", "spacings", "units")},
    **{name: name for name in ("space directions", "space origin", "axis mins", "axis maxs")},
    **{name: name for name in ("centerings", "line skip", "byte skip", "data file")},
    "centers": "centerings",
    "axismins": "axis mins",
    "axismaxs": "axis maxs",
    "lineskip": "line skip",
    "byteskip": "byte skip",
    "datafile": "data file",
}
_NUMBERS = ("sizes", "spacings", "axis mins", "axis maxs", "space directions", "space origin")
_NO_NUMBER = re.compile(r"[^\s\d.,()eE+-]", re.ASCII)


def read_lines(path: Path) -> tuple[dict[str, str], list[str], int]:
    """The fields by name, in their order; the names of listed files; and how many bytes the header has.

    Raises InputError.
    """
    text, end = _text(path)
    if "\0" in text:  # other programs take it for the end of a name
        raise damaged(path, "it has a byte of 0")
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    fields: dict[str, str] = {}
    for number, line in enumerate(lines[1:], 2):
        if line.startswith("#") or not line:
            continue
        match = _FIELD.fullmatch(line)
        if match is None:
            if ":=" not in line:
                raise damaged(path, f"line {number} is no field")
            continue
        if not match["name"].isascii():  # other programs leave such bytes out, and may know what is left
            raise damaged(path, f"the name of the field in line {number} is not ASCII")
        name = _NAMES.get(match["name"].strip().lower())
        if name is None:
            continue
        value = (match["value"] or "").strip()
        if name in fields:
            raise damaged(path, f"it has the field {name} twice")
        if name == "data file" and value.split()[:1] == ["LIST"]:
            return fields, [name.strip() for name in lines[number:] if name.strip()], end
        fields[name] = _numbers(path, name, value) if name in _NUMBERS else value
    return fields, [], end


def _text(path: Path) -> tuple[str, int]:
    """The header without the blank line behind it, and how many bytes it has with that."""
    head = bytearray()
    with path.open("rb") as file:
        while len(head) < _LONGEST and (more := file.read(_CHUNK)):
            head += more
            if end := _END.search(head, max(len(head) - len(more) - 3, 0)):
                return head[: end.start()].decode(errors="surrogateescape"), end.end()
    if len(head) >= _LONGEST:
        raise damaged(path, f"no blank line in {len(head):,} bytes")
    return head.decode(errors="surrogateescape"), len(head)


def _numbers(path: Path, name: str, value: str) -> str:
    """`value`, with its vectors as pynrrd expects them."""
    plain = re.sub(r"\b(?:nan|inf|infinity|none)\b", "", value, flags=re.IGNORECASE)
    if _NO_NUMBER.search(plain) or len(value) > _LONGEST_VECTORS:
        raise damaged(path, f"{name}: {value[:40]}")
    value = re.sub(r"\s*,\s*", ",", value)
    return re.sub(r"\s+\)", ")", re.sub(r"\(\s+", "(", value)).replace(")(", ") (")


def damaged(path: Path, what: str) -> InputError:
    """The error for a header that is not understood."""
    return InputError(
        f"The header of {path} is damaged or no NRRD header ({excerpt(what)}); copy or download it again."
    )
