"""What a page may be called."""

from __future__ import annotations

from pathlib import Path

from ..errors import OutputError

EXTENSIONS = (".html", ".htm")


def check_page_name(path: Path) -> None:
    """Refuse a name without the extension of a page. Raises OutputError."""
    if path.suffix.lower() not in EXTENSIONS:
        raise OutputError(f"{path} has no known extension for a page, expected {' or '.join(EXTENSIONS)}.")
