"""A headless Chromium: what a page looks like, what it says, and how it prints."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
_FRAME = """<!DOCTYPE html><meta charset="utf-8"><pre></pre>
<script>onmessage = event => {{ document.querySelector("pre").textContent = event.data }}</script>
<iframe src="copy.html" style="border: 0; width: {width}px; height: 1000px"></iframe>"""


class Chromium:
    """Shows files; `folder` is for its profile and for what it writes."""

    def __init__(self, folder: Path) -> None:
        """Skips the test if there is no Chromium."""
        program = next(filter(None, map(shutil.which, _NAMES)), None)
        if program is None:
            pytest.skip("Chromium is not installed (Debian: chromium)")
        self._folder = folder
        self._command = [
            *(program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *("--force-device-scale-factor=1", f"--user-data-dir={folder / 'profile'}"),
        ]

    def screenshot(self, page: Path, width: int, height: int) -> np.ndarray:
        """RGB [row, column, 3] from 0 to 1, of a window of this size."""
        target = self._folder / "screenshot.png"
        self._run(f"--screenshot={target}", f"--window-size={width},{height}", page.as_uri())
        pixels: np.ndarray = imread(target)[..., :3]
        return pixels

    def pdf(self, page: Path) -> bytes:
        """The page as it prints."""
        target = self._folder / "page.pdf"
        self._run(f"--print-to-pdf={target}", "--no-pdf-header-footer", page.as_uri())
        return target.read_bytes()

    def dom(self, page: Path) -> str:
        """The page's elements, once it is loaded."""
        return self._run("--dump-dom", page.as_uri())

    def evaluate(self, page: Path, expression: str, width: int, script: str = "") -> Any:
        """What `expression`, which may be a promise, becomes in a page of this width, after `script` ran.

        A copy of the page has both, because the page itself lets no script run. It is in a frame, because
        windows are never as narrow as that of a phone.
        """
        text, policies = _POLICY.subn("", page.read_text(encoding="utf-8"))
        assert policies == 1
        send = f"Promise.resolve({expression}).then(found => parent.postMessage(JSON.stringify(found), '*'))"
        scripts = f"<script>{script}</script><script>addEventListener('load', () => {send})</script>"
        copy, frame = self._folder / "copy.html", self._folder / "frame.html"
        copy.write_text(text.replace("</body>", f"{scripts}</body>"), encoding="utf-8")
        frame.write_text(_FRAME.format(width=width))
        dom = self._run(
            "--window-size=1600,1200", "--virtual-time-budget=30000", "--dump-dom", frame.as_uri()
        )
        found = re.search(r"<pre>(.+)</pre>", dom, re.DOTALL)
        assert found, dom
        return json.loads(unescape(found[1]))

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self._command, *arguments], capture_output=True, encoding="utf-8", timeout=120, check=True
        )
        return done.stdout
