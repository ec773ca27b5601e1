"""Each code block of README and the documentation runs, page by page, as a reader would run it.

Commands run in a shell, Python in this process. Where a page shows the output of a command, that is compared;
"..." stands for anything. What no test can run as it is written is in `as_run`.
"""

from __future__ import annotations

import doctest
import re
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

import pytest
from support.code_blocks import CodeBlock, Command, code_blocks, commands
from support.polygraphy import polygraphy_as_run

from efficientscn_trt import _core

from .cluster_jobs import array_as_run, check_kubernetes_job
from .conftest import REPOSITORY

PAGES = sorted(
    [REPOSITORY / "README.md", REPOSITORY / "benchmarks" / "GPU.md", *(REPOSITORY / "docs").rglob("*.md")]
)
HAS_GPU = not _core.cuda_status()["problem"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_each_block_of_a_page_runs(page: Path, workplace: Path) -> None:
    if "export -o my-bundle" in page.read_text(encoding="utf-8"):
        shutil.rmtree(workplace / "my-bundle")  # the reader makes it
    names: dict[str, Any] = {}
    for block in code_blocks(page):
        where = f"{page.name}, line {block.line}"
        if block.language == "python":
            code = compile(block.text, where, "exec")
            if HAS_GPU or "gpu" not in block.marks:
                exec(code, names)
        elif block.language == "console":
            run_console(block, where)
        else:
            pytest.fail(f"{where}: a block in {block.language or 'no language'}, which no test runs")


def run_console(block: CodeBlock, where: str) -> None:
    """Run the commands of `block` in one shell. A command may fail only if `echo $?` is next."""
    listed = commands(block)
    outcomes = run_in_shell([as_run(command.text) for command in listed])
    for command, following, (code, output) in zip(listed, [*listed[1:], None], outcomes, strict=True):
        if "gpu" in block.marks and not HAS_GPU:
            assert code == 6, f"{where}: {command.text}\n{output}"  # understood, but there is no GPU
        elif following is None or following.text != "echo $?":
            assert code == 0, f"{where}: {command.text}\n{output}"
        compare(command, output, where)


def run_in_shell(texts: list[str]) -> list[tuple[int, str]]:
    """Run commands in one shell, and return the exit code and the output of each. Each sees the last `$?`."""
    lines = (f"{{ (exit $code)\n{text}\n}} 2>&1; code=$?; printf '\\0%d\\0' $code" for text in texts)
    done = subprocess.run(
        ["bash", "-c", "\n".join(["code=0", *lines])],
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        timeout=600,
        check=True,
    )
    *parts, _ = done.stdout.split("\0")
    return [(int(code), output) for output, code in zip(parts[::2], parts[1::2], strict=True)]


def compare(command: Command, found: str, where: str) -> None:
    """Compare the output that the page shows, if any, with what was `found`."""
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    if command.output.strip() and not doctest.OutputChecker().check_output(command.output, found, flags):
        pytest.fail(f"{where}: {command.text}\nexpected:\n{command.output}\nfound:\n{found}")


def as_run(command: str) -> str:
    """What is run for `command`: the same, except for what would take hours, or install or test again."""
    words = shlex.split(command, comments=True)
    if words[0] == "pip":
        check_extras(words)
        return "true"
    if words[:2] == ["docker", "build"]:
        check_build_arguments(words)
        return "true"
    if words[:2] == ["docker", "run"]:  # what the image runs, in the folder that is mounted
        image = next(i for i, word in enumerate(words) if re.fullmatch(r"efficientscn-trt(:\w+)?", word))
        variables = [words[i + 1] for i in range(image) if words[i] == "-e"]
        return shlex.join(["env", *variables, "efficientscn-trt", *words[image + 1 :]])
    if words[0] == "make":
        return shlex.join([*words[:1], "--dry-run", "-C", str(REPOSITORY), *words[1:]])
    if words[0] == "python" and words[1].startswith("benchmarks/"):
        check_options(REPOSITORY / words[1], words[2:])
        return "true"
    if words[0] == "sbatch":
        return array_as_run(words)
    if words[0] == "kubectl":
        check_kubernetes_job(REPOSITORY / words[words.index("-f") + 1])
        return "true"
    if "polygraphy" in words:
        return polygraphy_as_run(command)
    if words[0] == "ray":  # one that tests start is no place for this, and neither is the machine's own
        return "true"
    if "--ray auto" in command:
        return command.replace("--ray auto", "--ray local")
    if words[:2] == ["efficientscn-trt", "train"]:
        return re.sub(r"--steps \d+", "--steps 1 --crop 32 32 32", command)
    return command


def check_extras(words: list[str]) -> None:
    """Fail unless the package has the extras that a pip command names, as in ".[export,build]"."""
    known = metadata("efficientscn-trt").get_all("Provides-Extra") or []
    for extras in re.findall(r"^\.\[(.+)\]$", words[2]):
        assert set(extras.split(",")) <= set(known)


def check_build_arguments(words: list[str]) -> None:
    """Fail unless the Dockerfile that a command names takes its build arguments."""
    dockerfile = (REPOSITORY / words[words.index("-f") + 1]).read_text(encoding="utf-8")
    names = [words[i + 1].split("=")[0] for i, word in enumerate(words) if word == "--build-arg"]
    assert set(names) <= set(re.findall(r"^ARG (\w+)", dockerfile, re.MULTILINE))


def check_options(script: Path, words: list[str]) -> None:
    """Fail unless a script has the options among `words`."""
    command = [sys.executable, str(script), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True)
    for option in (word for word in words if word.startswith("-")):
        assert re.search(rf"(^|[\s,\[]){option}\b", done.stdout), option
