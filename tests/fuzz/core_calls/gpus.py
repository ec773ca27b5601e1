"""Which GPUs the core can run on, and why not on others."""

from __future__ import annotations

import math
import re

from efficientscn_trt import _core
from fuzz import mutation
from fuzz.choices import Choices
from fuzz.core_calls.outcomes import result_of
from fuzz.scans import check_sentence


def runs_on(choices: Choices) -> None:
    entries = "75-real 90 90a 100f-real 12-virtual native -5 90x 99999999999 2147483647"
    words = [choices.of([*entries.split(), choices.text()]) for _ in range(choices.whole(0, 3))]
    architectures = choices.of([" ", "\t", "  "]).join(words)
    major, minor = (choices.of([choices.whole(0, 15), *mutation.WHOLE, (1 << 31) - 1]) for _ in range(2))
    found = result_of(lambda: _core.runs_on(architectures, major, minor))
    if found is not None:
        assert found is _runs(architectures, major, minor)


def _runs(architectures: str, major: int, minor: int) -> bool:
    """The rules of nvcc's names, in another form."""
    capability = 10 * major + minor
    for word in re.split(r"[ \t\n\v\f\r]+", architectures):
        match = re.match(r"(-?[0-9]+)(.*)", word, re.S)
        if not match or not -(1 << 31) <= int(match[1]) < 1 << 31:
            continue
        built, suffix = int(match[1]), match[2]
        same_major = math.trunc(built / 10) == major and built <= capability
        if suffix.startswith("a"):
            runs = built == capability
        elif suffix.startswith("f"):
            runs = same_major
        else:
            runs = (suffix != "-virtual" and same_major) or (suffix != "-real" and built <= capability)
        if runs:
            return True
    return False


def cuda_problem(choices: Choices) -> None:
    found, driver = choices.of([0, 35, 100, 999, *mutation.WHOLE]), choices.of([13000, 0, *mutation.WHOLE])
    words, architectures = choices.text(), choices.of(["75-real 90-real", "90", choices.text()])
    devices = [
        (choices.text(), choices.whole(-1, 15), choices.whole(0, 9)) for _ in range(choices.whole(0, 3))
    ]
    problem = result_of(
        lambda: _core.cuda_problem(
            found, words, driver=driver, runtime=13000, architectures=architectures, devices=devices
        )
    )
    if problem is not None:
        runs = [_core.runs_on(architectures, *capability) for _, *capability in devices]
        assert (problem == "") == (driver != 0 and found == 0 and any(runs))
        if (words + architectures + "".join(name for name, _, _ in devices)).isprintable() and problem:
            check_sentence(problem)
