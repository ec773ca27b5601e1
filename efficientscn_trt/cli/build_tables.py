"""What `efficientscn-trt build` built, or would build, one column per network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

from ..bundle import Verification
from ..engines.build import BuildReport, EngineReport, PlannedEngine
from ..engines.equal_commands import EqualCommand
from ..triples import Size
from .tables import megabytes, show, table

ROWS = (
    "Compute capability",
    "Built in",
    "Size",
    "Largest input",
    "  its activation memory",
    "Typical input",
    "  its activation memory",
    "Layers in float32",
)
VERIFIED_ROWS = ("Verified on", "  with", "  equal voxels", "  lowest Dice")
PLANNED_ROWS = ("Compute capability", "Smallest input", "Typical input", "Largest input", "Layers in float32")


def show_built(report: BuildReport, *, verbose: bool) -> None:
    """Print the engines, their files, and the commands that build the same."""
    first = report.engines[0].engine
    names = ROWS if first.verified is None else ROWS + VERIFIED_ROWS
    title = f"{first.precision} engines, {first.flavour} {first.version}, {first.platform}"
    columns = [(built.engine.network, _built(built)) for built in report.engines]
    _show(title, names, columns)
    for built in report.engines:
        click.echo(f"{report.bundle.path / built.engine.file}")
        if verbose:
            click.echo(f"  in float32: {', '.join(built.float32_layers) or 'nothing'}")
    if report.not_verified is not None:
        click.echo(
            f"Not verified yet: {report.not_verified} The first GPU that runs them verifies them, once."
        )
    click.echo()
    _show_commands(built.commands for built in report.engines)


def show_planned(engines: Sequence[PlannedEngine]) -> None:
    """Print what would be built, and the commands that build the same."""
    first = engines[0]
    title = f"{first.precision} engines, {first.target}: nothing was built"
    _show(title, PLANNED_ROWS, [(engine.network, _planned(engine)) for engine in engines])
    _show_commands(engine.commands for engine in engines)


def _show(title: str, names: Sequence[str], columns: Sequence[tuple[str, Sequence[str]]]) -> None:
    header = ("", *(network.capitalize() for network, _ in columns))
    show(table(title, header, zip(names, *(cells for _, cells in columns), strict=True)))


def _show_commands(engines: Iterable[Iterable[EqualCommand]]) -> None:
    """Print each command on a line of its own, to be copied, and then what the tools cannot do."""
    commands = [command for each in engines for command in each]
    click.echo("The same with NVIDIA's tools, to report a fault there:")
    for command in commands:
        click.echo(f"  {command.line}")
    lacks = {command.tool: command.lacks for command in commands if command.lacks}
    for tool, phrases in lacks.items():
        click.echo(f"{tool} has no option for {', '.join(phrases)}.")


def _built(report: EngineReport) -> tuple[str, ...]:
    engine = report.engine
    profile, memory = engine.profiles[0], engine.activation_memory
    return (
        " ".join(engine.compute_capabilities),
        f"{report.seconds:.1f} s",
        megabytes(engine.bytes),
        _size(profile.max),
        megabytes(memory.largest if memory else None),
        _size(profile.opt),
        megabytes(memory.typical if memory else None),
        str(len(report.float32_layers)),
        *_proof(engine.verified),
    )


def _proof(verified: Verification | None) -> tuple[str, ...]:
    if verified is None:
        return ()
    return verified.gpu, verified.input, f"{100 * verified.equal:.4f} %", f"{verified.dice:.5f}"


def _planned(engine: PlannedEngine) -> tuple[str, ...]:
    profile = engine.profile
    sizes = (_size(size) for size in (profile.min, profile.opt, profile.max))
    return " ".join(engine.compute_capabilities), *sizes, str(len(engine.float32_layers))


def _size(size: Size) -> str:
    return "×".join(map(str, size))
