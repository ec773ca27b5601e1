"""Build, verify, time and report on a machine with an NVIDIA GPU: `make gpu-check`, explained in GPU.md.

    python benchmarks/gpu_check.py [--reference DIR] [--steps NAME ...] [--torch-python PYTHON]

Needs the CUDA toolkit, CMake, and a Python with NumPy, SimpleITK, pybind11, pytest and a TensorRT. Each step
runs in its own process and adds its result to the report. Later runs of other steps add to the same report.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from on_gpu.context import REPOSITORY, Context, run_step, skipped
from on_gpu.report import SYMBOLS, GpuReport

ENGINES = (("tensorrt", "fp16"), ("tensorrt", "fp32"), ("tensorrt-rtx", "fp16"))


@dataclass(frozen=True)
class Step:
    """A step: its `name` in the report, the `module` that runs it, and what must succeed first, `needs`."""

    name: str
    module: str
    needs: tuple[str, ...] = ("build",)
    flavour: str = ""
    precision: str = ""


def all_steps() -> list[Step]:
    """Return all steps in the order in which they run."""
    steps = [
        Step("build", "build", ()),
        Step("machine", "machine"),
        Step("kernels", "kernels"),
    ]
    last = []
    for flavour, precision in ENGINES:
        name = f"{flavour}-{precision}"
        built = ("build", f"{name}/engines")
        steps += [
            Step(f"{name}/engines", "engines", ("build",), flavour, precision),
            Step(f"{name}/compare", "compare", built, flavour, precision),
            Step(f"{name}/times", "times", built, flavour, precision),
            Step(f"{name}/layers", "layers", built, flavour, precision),
        ]
        last.append(Step(f"{name}/tactics", "tactics", built, flavour, precision))
    # Long steps that do not time this package come last. Tactics need another build, and only add details.
    others = [Step("pytorch", "pytorch"), Step("interop", "interop", ()), Step("sanitizer", "sanitizer")]
    return [*steps, *others, *last]


def main() -> int:
    """Run the steps. Return 1 if any step in the report failed."""
    arguments = _parse()
    arguments.work.mkdir(parents=True, exist_ok=True)
    context = Context(
        work=str(arguments.work.resolve()),
        reference=str(arguments.reference.resolve()),
        repeats=arguments.repeats,
        torch_python=arguments.torch_python,
    )
    report = GpuReport(arguments.output)
    for step in _wanted(arguments.steps):
        print(f"  {step.name} ...", flush=True)
        missing = [name for name in step.needs if report.steps.get(name, {}).get("state") != "ok"]
        if missing:
            result = skipped(f"{missing[0]} did not succeed")
        else:
            own = replace(context, flavour=step.flavour, precision=step.precision)
            result = run_step(step.module, own, arguments.timeout)
        report.add(step.name, result)
        print(f"{SYMBOLS[result['state']]} {step.name} {result.get('reason', '')}", flush=True)
    print(f"{arguments.output}.md")
    return 1 if report.failed else 0


def _wanted(patterns: list[str]) -> list[Step]:
    if not patterns:
        return all_steps()
    chosen = [step for step in all_steps() if any(step.name.startswith(pattern) for pattern in patterns)]
    if not chosen:
        names = ", ".join(step.name for step in all_steps())
        raise SystemExit(f"No step begins with {' or '.join(patterns)}; the steps are {names}.")
    return chosen


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add(
        "--reference",
        type=Path,
        default=REPOSITORY / ".gpu" / "reference",
        help="folder that gpu_reference.py wrote",
    )
    add(
        "--work",
        type=Path,
        default=REPOSITORY / "build" / "gpu-check",
        help="folder for builds and engines, kept between runs",
    )
    add(
        "--output",
        type=Path,
        default=REPOSITORY / "benchmarks" / "results" / "gpu",
        help="report files, without extension",
    )
    add("--steps", nargs="*", default=[], metavar="NAME", help="only steps whose names begin so")
    add("--repeats", type=int, default=30, help="timed runs of each measurement")
    add("--timeout", type=float, default=540, help="seconds that a step may take")
    add("--torch-python", default="", help="Python with PyTorch or CuPy, for the steps pytorch and interop")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
