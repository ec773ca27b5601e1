"""`efficientscn-trt info`: what a bundle holds, and what this machine can run it on."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import FILE

if TYPE_CHECKING:
    from ..backends.survey import Availability
    from ..bundle import Bundle


@click.command()
@click.argument("bundle", metavar="[BUNDLE]", type=FILE, required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def info(bundle: Path | None, as_json: bool) -> None:
    """Show what BUNDLE holds and which device of this machine would run it.

    Every file of the bundle is checked against the SHA-256 in its manifest. Without BUNDLE the default one is
    shown, which `efficientscn-trt segment` would use.

    \b
    Example:
        efficientscn-trt info my-bundle/
    """
    from .. import bundle as bundles
    from .._core import build_info
    from ..backends.survey import survey
    from ..segmenter import default_bundle

    loaded = bundles.load(bundle or default_bundle())
    devices, build = survey(), build_info()
    if as_json:
        click.echo(json.dumps(_document(loaded, devices, build), indent=2, ensure_ascii=False))
    else:
        _print(loaded, devices, build)


def _chosen(devices: list[Availability]) -> str | None:
    """The device that "auto" takes."""
    return next((device.device for device in devices if device.problem is None), None)


def _document(bundle: Bundle, devices: list[Availability], build: dict[str, Any]) -> dict[str, Any]:
    return {
        "bundle": {"path": str(bundle.path), "verified": True, **dataclasses.asdict(bundle.manifest)},
        "devices": [dataclasses.asdict(device) for device in devices],
        "device": _chosen(devices),
        "core": build,
    }


def _print(bundle: Bundle, devices: list[Availability], build: dict[str, Any]) -> None:
    from .tables import show

    manifest = bundle.manifest
    click.echo(f"{manifest.name}: {manifest.description}\n{bundle.path}, schema {manifest.schema_version}")
    if notice := manifest.provenance.get("notice"):
        click.echo(f"Note: {notice}")
    click.echo("Labels: " + ", ".join(f"{value} {name}" for value, name in enumerate(manifest.labels)) + "\n")
    for part in (_networks(bundle), _pipeline(bundle), _provenance(bundle), _devices(devices), _core(build)):
        show(part)


def _networks(bundle: Bundle) -> Any:
    from .tables import table

    rows = []
    for field in dataclasses.fields(bundle.manifest.networks):
        network = getattr(bundle.manifest.networks, field.name)
        size = f"{network.bytes / 1e6:.2f} MB"
        shape = " × ".join(str(length) for length in network.output.shape)
        digest = f"{network.sha256[:12]}… verified"
        rows.append((field.name, f"{network.parameters:,}", size, str(network.opset), shape, digest))
    return table("Networks", ("Network", "Parameters", "File", "Opset", "Output", "SHA-256"), rows)


def _pipeline(bundle: Bundle) -> Any:
    from .tables import table

    pipeline = bundle.manifest.pipeline
    stages = [dataclasses.asdict(stage) for stage in (pipeline.localization, pipeline.segmentation)]
    names = list(dict.fromkeys(name for stage in stages for name in stage))
    rows = [(name, *(_number(stage.get(name)) for stage in stages)) for name in names]
    for name, value in dataclasses.asdict(pipeline.unknown_spacing).items():
        rows.append((f"unknown spacing, {name}", *[_number(value)] * 2))
    return table("Pipeline (mm, HU; triples z, y, x)", ("", "Localization", "Segmentation"), rows)


def _number(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, tuple):
        separator = "\n" if value and isinstance(value[0], tuple) else " "
        return separator.join(_number(part) for part in value)
    return f"{value:.6g}"


def _provenance(bundle: Bundle) -> Any:
    from .tables import table

    entries = {key: value for key, value in bundle.manifest.provenance.items() if key != "notice"}
    rows = [(key, value if isinstance(value, str) else json.dumps(value)) for key, value in entries.items()]
    return table("Provenance", ("", ""), rows)


def _devices(devices: list[Availability]) -> Any:
    from .tables import table

    rows = []
    for device in devices:
        use = "used by auto" if device.device == _chosen(devices) else device.problem or "usable"
        rows.append((device.device, device.hardware, device.software, " ".join(device.precisions), use))
    return table("Devices", ("Device", "Hardware", "Software", "Precisions", ""), rows)


def _core(build: dict[str, Any]) -> Any:
    from .tables import table

    cuda = build["cuda"] or f"no: {build['cuda_reason']}"
    rows = [
        ("Version", build["version"]),
        ("Compiler", build["compiler"]),
        ("Threads", str(build["threads"])),
        ("CUDA", str(cuda)),
    ]
    return table("Core", ("", ""), rows)
