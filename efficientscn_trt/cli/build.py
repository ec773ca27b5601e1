"""`efficientscn-trt build`: add TensorRT engines for a target GPU to a bundle."""

from __future__ import annotations

from pathlib import Path

import click

from .options import FILE, Device, quiet_option, trusted_key_option

MIB = 1 << 20


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
    "--optimization-level",
    type=click.IntRange(0, 5),
    metavar="0…5",
    help="How long TensorRT looks for the fastest kernels: 0 builds fastest, 5 is the most thorough. For "
    "tensorrt from 8.6 on, and for tensorrt-rtx. Default: TensorRT's own, 3.",
)
@click.option(
    "--timing-cache",
    type=FILE,
    metavar="FILE",
    help="For tensorrt: file with TensorRT's timings of kernels on this GPU, to read and to add to. Default: "
    "a file beside the bundle; where keys are trusted, none.",
)
@click.option(
    "--error-on-timing-cache-miss",
    is_flag=True,
    help="For tensorrt from 10 on: time nothing. The timing cache must have every timing, so that a build "
    "chooses the kernels of the last one; else it fails.",
)
@click.option(
    "--check-input",
    type=FILE,
    metavar="CT",
    help="CT whose crops the engines are compared on with the float32 networks. Default: the CT of `demo` if "
    "it was downloaded, else a phantom.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Build nothing. TensorRT reads the networks and takes the options; print what it would build, and "
    "the commands of NVIDIA's tools that build the same.",
)
@click.option("-v", "--verbose", is_flag=True, help="Print every message of TensorRT.")
@trusted_key_option
@quiet_option
def build(
    bundle: Path,
    target: str,
    device: str,
    capabilities: tuple[str, ...],
    precision: str,
    version_compatible: bool,
    workspace: int | None,
    optimization_level: int | None,
    timing_cache: Path | None,
    error_on_timing_cache_miss: bool,
    check_input: Path | None,
    dry_run: bool,
    verbose: bool,
    quiet: bool,
) -> None:
    """Build TensorRT engines for both networks of BUNDLE, and add them to it.

    Nothing is added unless it computes what the networks compute in float32 on the CPU; else the exit code is
    8. The layers of float16 networks are compared before the build, the engines after it, if they can run
    here. Others are verified once, on the first GPU that they run on.

    An engine runs only with the TensorRT version and on the GPUs that it was built for. A bundle may have
    engines for several. `efficientscn-trt info` shows which engines this machine can use, and why not others.

    The commands of `trtexec` and Polygraphy that build the same are printed, to report a fault to NVIDIA.

    \b
    Examples:
        efficientscn-trt build my-bundle/ --target tensorrt
        efficientscn-trt build my-bundle/ --target tensorrt --device cuda:1
        efficientscn-trt build my-bundle/ --target tensorrt-rtx
        efficientscn-trt build my-bundle/ --target tensorrt-rtx --compute-capability 8.9 --dry-run
    """
    from .. import bundle as bundles
    from ..backends import split_device
    from ..engines import BuildOptions, this_machine
    from ..engines.build import build_engines, describe_engines
    from ..export import EngineProof
    from .build_progress import show_builds
    from .build_tables import show_built, show_planned
    from .tables import print_warnings

    loaded = bundles.load(bundle)
    _, index = split_device(device)
    machine = this_machine(index)
    options = BuildOptions(
        precision=precision,
        compute_capabilities=capabilities,
        version_compatible=version_compatible,
        workspace=None if workspace is None else workspace * MIB,
        optimization_level=optimization_level,
        timing_cache=timing_cache,
        error_on_timing_cache_miss=error_on_timing_cache_miss,
    )
    say = (lambda message: click.echo(message, err=True)) if verbose else None
    if dry_run:
        planned = describe_engines(loaded, target, options, machine=machine, say=say)
        if not quiet:
            show_planned(planned)
        return
    proof = EngineProof(check_input)
    with show_builds(len(bundles.NETWORKS), quiet=quiet or verbose) as progress:
        report = build_engines(
            loaded, target, options, proof=proof, machine=machine, say=say, progress=progress
        )
    if not quiet:
        show_built(report, verbose=verbose)
    print_warnings((*report.warnings, *proof.warnings))
