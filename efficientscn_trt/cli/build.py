"""`efficientscn-trt build`: add TensorRT engines for a target GPU to a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..triples import Size
from .options import FILE, Device, quiet_option

if TYPE_CHECKING:
    from rich.table import Table

    from ..bundle import Verification
    from ..engines.build import EngineReport

MIB = 1 << 20


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


@click.command()
@click.argument("bundle", metavar="BUNDLE", type=FILE)
@click.option(
    "--target",
    required=True,
    type=click.Choice(("tensorrt", "tensorrt-rtx")),
    help="tensorrt: for datacentre and workstation GPUs; build on the GPU that will run the engines. "
    "tensorrt-rtx: for GeForce and RTX GPUs; build on any machine.",
)
@click.option(
    "--device",
    type=Device(("cuda",)),
    default="cuda",
    show_default=True,
    help="GPU to build on and for; cuda:1 is the second. With tensorrt-rtx: the GPU that is meant by "
    "--compute-capability current.",
)
@click.option(
    "--compute-capability",
    "capabilities",
    multiple=True,
    metavar="X.Y",
    help="For tensorrt-rtx: a GPU to build for, such as 8.9, or `current` for the GPU of this machine; may "
    "be given several times. Default: all from 8.0 on. Turing (7.5) is left out because TensorRT-RTX has no "
    "3-D convolutions for it so far.",
)
@click.option(
    "--precision",
    type=click.Choice(("fp16", "fp32")),
    default="fp16",
    show_default=True,
    help="Precision of the networks.",
)
@click.option(
    "--version-compatible",
    is_flag=True,
    help="For tensorrt from 8.6 on: build engines that the lean runtime of the same version can run too. "
    "They may be slower.",
)
@click.option(
    "--workspace",
    type=click.IntRange(min=1),
    metavar="MIB",
    help="Most scratch memory that one layer may use, in MiB. Default: TensorRT's own limit.",
)
@click.option(
    "--check-input",
    type=FILE,
    metavar="CT",
    help="CT whose crops the engines are compared on with the float32 networks. Default: the CT of `demo` if "
    "it was downloaded, else a phantom.",
)
@click.option("-v", "--verbose", is_flag=True, help="Print every message of TensorRT.")
@quiet_option
def build(
    bundle: Path,
    target: str,
    device: str,
    capabilities: tuple[str, ...],
    precision: str,
    version_compatible: bool,
    workspace: int | None,
    check_input: Path | None,
    verbose: bool,
    quiet: bool,
) -> None:
    """Build TensorRT engines for both networks of BUNDLE, and add them to it.

    Nothing is added unless it computes what the networks compute in float32 on the CPU; else the exit code is
    8. The layers of float16 networks are compared before the build, the engines after it, if they can run
    here. Others are verified once, on the first GPU that they run on.

    An engine runs only with the TensorRT version and on the GPUs that it was built for. A bundle may have
    engines for several. `efficientscn-trt info` shows which engines this machine can use, and why not others.

    \b
    Examples:
        efficientscn-trt build my-bundle/ --target tensorrt
        efficientscn-trt build my-bundle/ --target tensorrt --device cuda:1
        efficientscn-trt build my-bundle/ --target tensorrt-rtx
        efficientscn-trt build my-bundle/ --target tensorrt-rtx --compute-capability 8.9
    """
    from .. import bundle as bundles
    from ..backends import split_device
    from ..engines import this_machine
    from ..engines.build import build_engines
    from ..export import EngineProof
    from .build_progress import show_builds
    from .tables import print_warnings, show

    loaded = bundles.load(bundle)
    _, index = split_device(device)
    proof = EngineProof(check_input)
    with show_builds(len(bundles.NETWORKS), quiet=quiet or verbose) as progress:
        report = build_engines(
            loaded,
            target,
            compute_capabilities=capabilities,
            precision=precision,
            version_compatible=version_compatible,
            workspace=None if workspace is None else workspace * MIB,
            proof=proof,
            machine=this_machine(index),
            say=(lambda message: click.echo(message, err=True)) if verbose else None,
            progress=progress,
        )
    if not quiet:
        show(_table(report.engines))
        for built in report.engines:
            click.echo(f"{report.bundle.path / built.engine.file}")
            if verbose:
                click.echo(f"  in float32: {', '.join(built.float32_layers) or 'nothing'}")
        if report.not_verified is not None:
            click.echo(
                f"Not verified yet: {report.not_verified} The first GPU that runs them verifies them, once."
            )
    print_warnings((*report.warnings, *proof.warnings))


def _table(reports: tuple[EngineReport, ...]) -> Table:
    """One column per network."""
    from .tables import table

    first = reports[0].engine
    names = ROWS if first.verified is None else ROWS + VERIFIED_ROWS
    rows = zip(names, *map(_column, reports), strict=True)
    title = f"{first.precision} engines, {first.flavour} {first.version}, {first.platform}"
    return table(title, ("", *(report.engine.network.capitalize() for report in reports)), rows)


def _column(report: EngineReport) -> tuple[str, ...]:
    from .tables import megabytes

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


def _size(size: Size) -> str:
    return "×".join(map(str, size))
