"""The two builds with sanitizers, and how to run programs and Python on them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from support.emulated_gpu import build_emulator, packaged
from support.package_links import REPOSITORY

COMPILER = shlex.split(os.environ.get("CXX", "c++"))
TESTS = REPOSITORY / "tests"
PROGRAMS = ("faults", "thread_pool", "calls")
COMMON = ("-fno-omit-frame-pointer", "-D_GLIBCXX_ASSERTIONS")


@dataclass(frozen=True)
class Sanitizers:
    """`faults`: what faults.cc commits, and the report that must end it. `options`: for all programs."""

    name: str
    flags: tuple[str, ...]
    library: str
    faults: dict[str, str]
    options: dict[str, str] = field(default_factory=dict)
    python_options: dict[str, str] = field(default_factory=dict)


# A conversion that does not fit is undefined, but gcc checks it only on request. A division by zero is
# defined in floating point, but the core means none.
ADDRESS = Sanitizers(
    "address",
    ("-fsanitize=address,undefined,float-cast-overflow,float-divide-by-zero", "-fno-sanitize-recover=all"),
    "libasan",
    {
        "heap": "heap-buffer-overflow",
        "stack": "stack-buffer-overflow",
        "freed": "heap-use-after-free",
        "leak": "detected memory leaks",
        "overflow": "signed integer overflow",
        "conversion": "outside the range",
        "division": "division by zero",
        "vector": "Assertion '__n < this->size()' failed",
    },
    {"UBSAN_OPTIONS": "print_stacktrace=1"},
    # An interpreter and its modules free little when they end. Python's own allocator would hide the ends of
    # small blocks. TBB opens libraries in a way that AddressSanitizer refuses (google/sanitizers#611).
    {"ASAN_OPTIONS": "detect_leaks=0", "PYTHONMALLOC": "malloc", "TBB_ENABLE_SANITIZERS": "1"},
)
THREAD = Sanitizers(
    "thread",
    ("-fsanitize=thread",),
    "libtsan",
    {"race": "data race"},
    {"TSAN_OPTIONS": "halt_on_error=1"},  # two threads that write one array race at every element
)


class Build:
    """The builds in build/sanitize keep unchanged parts. `targets`, if any, are all that is built."""

    def __init__(self, sanitizers: Sanitizers, *targets: str) -> None:
        _require(sanitizers)
        self.sanitizers = sanitizers
        self.folder = build_emulator(
            Path(__file__).parent,
            REPOSITORY / "build" / "sanitize" / sanitizers.name,
            *("-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O1 -g1"),
            f"-DESCN_SANITIZERS={' '.join((*sanitizers.flags, *COMMON))}",
            targets=targets,
        )

    def program(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run one of the programs; return its output with what it reports."""
        return subprocess.run(
            [*_fixed_addresses(), str(self.folder / command[0]), *command[1:]],
            env=os.environ | self.sanitizers.options | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python, which is built without a sanitizer, with this build's core and runtime library."""
        command, environment = self.python_command(*arguments)
        return subprocess.run(
            command, cwd=TESTS, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def python_command(self, *arguments: str) -> tuple[list[str], dict[str, str]]:
        """The command that `python` runs in TESTS, and its environment."""
        emulated = packaged(self.folder)
        options = self.sanitizers.options | self.sanitizers.python_options
        environment = emulated.environment(gpus=2) | options | {"LD_PRELOAD": " ".join(self._libraries())}
        return [*_fixed_addresses(), sys.executable, *arguments], environment

    def _libraries(self) -> list[str]:
        """The sanitizer's runtime library, and libstdc++, whose functions it must find at the start."""
        linked = subprocess.run(["ldd", self.folder / "calls"], capture_output=True, text=True, check=True)
        found = dict(re.findall(r"(\S+)\.so\S* => (\S+)", linked.stdout))
        return [found[self.sanitizers.library], found["libstdc++"]]


def _require(sanitizers: Sanitizers) -> None:
    """End with a sentence if the compiler cannot build with these sanitizers, or links them statically."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "empty")
        command = [*COMPILER, *sanitizers.flags, "-x", "c++", "-", "-o", str(program)]
        built = subprocess.run(command, input="int main() {}", capture_output=True, text=True)
        linked = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    if built.returncode != 0 or sanitizers.library not in linked:
        sys.exit(
            f"{shlex.join(COMPILER)} does not build with {sanitizers.flags[0]} and {sanitizers.library}.so: "
            "install GCC with its sanitizer libraries, or name such a compiler in CXX."
        )


def _fixed_addresses() -> list[str]:
    """The command that turns off address randomisation, which may leave no room for ThreadSanitizer."""
    command = ["setarch", "-R"]
    if shutil.which(command[0]) is None:
        return []
    return command if subprocess.run([*command, "true"], capture_output=True).returncode == 0 else []
