"""`efficientscn-trt benchmark`: the time and memory of a bundle on this machine."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from .options import FILE, check_outputs, machine_options, quiet_option, trusted_key_option


@click.command()
@click.argument("bundle", metavar="BUNDLE", type=FILE)
@click.option("--input", "scan", type=FILE, metavar="CT", help="Scan to segment. Default: a phantom.")
@click.option("--json", "report", type=FILE, metavar="FILE", help="Also write every figure as JSON.")
@trusted_key_option
@machine_options
@quiet_option
def benchmark(
    bundle: Path,
    scan: Path | None,
    report: Path | None,
    device: str,
    precision: str,
    threads: int,
    quiet: bool,
) -> None:
    """Measure BUNDLE on this machine, in about a minute.

    Two new processes segment one scan. The first compiles the networks, as the first run on a new machine
    does. The second finds them compiled, as all later runs do, and repeats the scan for half a minute.

    On a CPU, each network is also compared with a direct computation of its convolutions, at the highest
    speed that OpenVINO reaches on this machine. In float32 the networks may be faster than that, because
    they compute fewer products.

    \b
    Examples:
        efficientscn-trt benchmark my-bundle/
        efficientscn-trt benchmark my-bundle/ --input ct.nii.gz --json figures.json
    """
    from .. import bundle as bundles
    from ..measure.machine import machine_line
    from ..measure.one_minute import STEPS, measure
    from ..report.document import write_json
    from .benchmark_tables import tables
    from .progress import show_stages
    from .tables import show

    check_outputs(report, source=scan)
    loaded = bundles.load(bundle)
    with show_stages(len(STEPS), quiet=quiet) as stages, tempfile.TemporaryDirectory() as scratch:
        figures = measure(loaded, scan, Path(scratch), device, precision, threads, progress=stages.begin)
    if report is not None:
        write_json(report, figures.document())
    if not quiet:
        show(*tables(figures))
        click.echo(machine_line(figures.machine))
