"""The code blocks of a Markdown page, and the commands of a console block."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt


@dataclass(frozen=True)
class CodeBlock:
    """A code block. `language` is the first word after the fence, `marks` are the others."""

    line: int
    language: str
    marks: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Command:
    """A command of a console block, on one line, and the output that the page shows; empty if none."""

    text: str
    output: str


def code_blocks(page: Path) -> list[CodeBlock]:
    """The code blocks of `page` in order, without the directives of the documentation's builder."""
    blocks = []
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type in ("fence", "code_block") and not token.info.startswith("{"):
            assert token.map is not None
            language, *marks = token.info.split() or [""]
            blocks.append(CodeBlock(token.map[0] + 1, language, tuple(marks), token.content))
    return blocks


def commands(block: CodeBlock) -> list[Command]:
    """The commands after "$ ", each with the lines up to the next. A "\\" joins two lines, as in a shell."""
    first, *others = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
    assert not first, f"line {block.line}: a console block begins with a command"
    found = []
    for other in others:
        lines = other.splitlines(keepends=True)
        last = next(index for index, line in enumerate(lines) if not line.endswith("\\\n"))
        text = "".join(lines[: last + 1]).replace("\\\n", "").rstrip("\n")
        found.append(Command(text, "".join(lines[last + 1 :])))
    return found
