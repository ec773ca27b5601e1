"""The report that each script writes: Markdown and JSON with the machine and the versions, and a plot."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from efficientscn_trt.measure.machine import machine_facts, machine_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Packages that a benchmark may compare with, whose versions the report gives.
PACKAGES = ("tensorflow", "onnxruntime", "torch", "tf2onnx", "tensorrt", "tensorrt-rtx")

COLOURS = ("#1b6ca8", "#d1495b", "#edae49", "#66a182", "#8d6a9f", "#5c677d", "#c98bb9")


class Report:
    """The results of one script. Create it before measuring, because it reads the machine's facts at once."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.machine = machine_facts(PACKAGES)
        self.results: dict[str, Any] = {}
        self._lines = [f"### {title}", ""]

    def table(self, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Add a table whose first column is text."""
        self._lines += [
            f"| {' | '.join(header)} |",
            "| --- |" + " ---: |" * (len(header) - 1),
            *(f"| {' | '.join(row)} |" for row in rows),
            "",
        ]

    def text(self, sentence: str) -> None:
        """Add a paragraph."""
        self._lines += [sentence, ""]

    def write(self, arguments: argparse.Namespace, draw: Callable[[dict[str, Any]], Figure]) -> None:
        """Print the Markdown and write the files that were asked for."""
        self.text(f"<sub>{machine_line(self.machine)}</sub>")
        markdown = "\n".join(self._lines)
        print(markdown)
        document = {
            "title": self.title,
            "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "machine": self.machine,
            "results": self.results,
        }
        if arguments.markdown:
            arguments.markdown.write_text(markdown, encoding="utf-8")
        if arguments.json:
            arguments.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        if arguments.plot:
            draw(self.results).savefig(arguments.plot, dpi=150, facecolor="white")


def parser(description: str | None) -> argparse.ArgumentParser:
    """A parser with the options that all scripts share."""
    from efficientscn_trt.segmenter import default_bundle

    result = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    result.add_argument("--bundle", type=Path, default=default_bundle(), help="folder with the networks")
    result.add_argument("--threads", type=int, default=0, help="CPU threads, 0 for all")
    result.add_argument("--json", type=Path, help="file for the figures")
    result.add_argument("--markdown", type=Path, help="file for the table")
    result.add_argument("--plot", type=Path, help="file for the plot, .png or .svg")
    return result


def say(text: str) -> None:
    """Print `text` with the time on stderr."""
    import sys

    print(f"[{datetime.now():%H:%M:%S}] {text}", file=sys.stderr, flush=True)


def gib(count: float) -> str:
    """Bytes as GiB."""
    return f"{count / 2**30:.2f}"


def size_text(size: Sequence[int]) -> str:
    """Sizes as "512×512×120"."""
    return "×".join(map(str, size))


def figure(width: float = 8.0, height: float = 4.0) -> Figure:
    """An empty figure."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")
