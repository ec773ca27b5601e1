"""Try inputs on one target until one of them is a finding, or try the given files.

    python tests/fuzz/loop.py TARGET [libFuzzer's options] [FILE ...]

`TARGET` is a module in `targets`. It has

- `PACKAGES`, whose branches guide the choice of inputs;
- `seeds()`, which makes the first inputs;
- `mutate(data, random)`, which makes one from another;
- `check(data)`, which raises an exception on a finding.
"""

from __future__ import annotations

import ctypes
import importlib
import pkgutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from random import Random
from types import ModuleType

import atheris

TESTS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS))

from fuzz.mutation import MOST_BYTES  # noqa: E402


def import_all(package: ModuleType) -> None:
    """Import a package's modules, so that their branches count before the first input."""
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)


def corpus(seeds: Iterable[bytes]) -> str:
    """A new folder with these inputs. libFuzzer ends the process, so whoever starts it removes the folder."""
    folder = tempfile.mkdtemp(prefix="corpus-")
    for number, seed in enumerate(seeds):
        Path(folder, f"{number:03d}").write_bytes(seed)
    return folder


def report_core() -> None:
    """Let the branches of the compiled core count, if it is built to report them (coverage.cc)."""
    core = importlib.import_module("efficientscn_trt._core")
    report = getattr(ctypes.CDLL(core.__file__), "escn_report_coverage", None)
    if report:
        (fuzzer,) = Path(atheris.__file__).parent.glob("core_with_libfuzzer.*.so")
        report.argtypes, report.restype = [ctypes.c_void_p], ctypes.c_bool
        assert report(ctypes.CDLL(str(fuzzer))._handle), f"{fuzzer.name} has no libFuzzer"


def main() -> None:
    name = sys.argv.pop(1)
    with atheris.instrument_imports(include=["efficientscn_trt"], enable_loader_override=False):
        target = importlib.import_module(f"fuzz.targets.{name}")
        for package in target.PACKAGES:
            import_all(importlib.import_module(package))

    report_core()

    def mutated(data: bytes, most: int, seed: int) -> bytes:
        return target.mutate(data, Random(seed))[:most]

    sys.argv.insert(1, f"-max_len={MOST_BYTES}")
    if all(argument.startswith("-") for argument in sys.argv[1:]):
        sys.argv.append(corpus(target.seeds()))
    atheris.Setup(sys.argv, target.check, custom_mutator=mutated)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
