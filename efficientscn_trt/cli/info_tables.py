"""The tables of `efficientscn-trt info`."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import click
from rich.table import Table

from ..backends.survey import Availability
from ..bundle import Bundle, Manifest
from ..engines import EngineRow
from .tables import facts, show, table


def print_tables(
    bundle: Bundle,
    engines: list[EngineRow],
    devices: list[Availability],
    chosen: str | None,
    build: dict[str, Any],
) -> None:
    """Print what `bundle` holds, the devices and which of them is `chosen`, and how the core was built."""
    manifest = bundle.manifest
    click.echo(f"{manifest.name}: {manifest.description}\n{bundle.path}, schema {manifest.schema_version}")
    if notice := manifest.provenance.get("notice"):
        click.echo(f"Note: {notice}")
    click.echo("Labels: " + ", ".join(f"{value} {name}" for value, name in enumerate(manifest.labels)) + "\n")
    show(_networks(manifest))
    if engines:
        show(_engines(engines, bundle))
        for folder in dict.fromkeys(row.path for row in engines if row.path != bundle.path):
            click.echo(f"* in the user's cache, {folder}\n")
        words = dict.fromkeys(word for row in engines if (word := row.problem or row.note))  # each once
        click.echo("".join(f"{word}\n" for word in words))
    show(_pipeline(manifest))
    show(_provenance(manifest))
    show(_devices(devices, chosen))
    show(_core(build))


def _networks(manifest: Manifest) -> Table:
    rows = []
    for field in dataclasses.fields(manifest.networks):
        network = getattr(manifest.networks, field.name)
        digest = f"{network.sha256[:12]}… verified"
        count, opset = f"{network.parameters:,}", str(network.opset)
        rows.append((field.name, "fp32", digest, count, _megabytes(network.bytes), opset))
        if (half := network.float16) is not None:
            digest = f"{half.sha256[:12]}… verified"
            rows.append((field.name, "fp16", digest, count, _megabytes(half.bytes), opset))
    header = ("Network", "Form", "SHA-256", "Parameters", "Size", "Opset")
    return table("Networks", header, rows, text_columns=3)


def _engines(engines: list[EngineRow], bundle: Bundle) -> Table:
    rows = []
    for row in engines:
        engine, scratch = row.engine, row.engine.activation_memory
        rows.append(
            (
                f"{engine.network} {engine.precision}{'' if row.path == bundle.path else ' *'}",
                f"{engine.flavour} {engine.version}{', lean too' if engine.version_compatible else ''}",
                f"{engine.platform}, {' '.join(engine.compute_capabilities)}",
                _use(row),
                _megabytes(engine.bytes),
                _megabytes(scratch.largest) if scratch else "unknown",
            )
        )
    return table("Engines", ("Network", "Built by", "For", "Here", "Size", "Scratch"), rows, text_columns=4)


def _use(row: EngineRow) -> str:
    use = "used" if row.used else "no" if row.problem else "usable"
    return f"{use}, see below" if row.problem or row.note else use


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.2f} MB"


def _pipeline(manifest: Manifest) -> Table:
    pipeline = manifest.pipeline
    stages = [dataclasses.asdict(stage) for stage in (pipeline.localization, pipeline.segmentation)]
    names = dict.fromkeys(name for stage in stages for name in stage)
    rows = [(_words(name), *(_value(stage.get(name)) for stage in stages)) for name in names]
    unknown = pipeline.unknown_spacing
    rows.append(
        (f"a spacing of {_value(unknown.marker_xyz)} (x y z) counts as", _value(unknown.used_xyz), "the same")
    )
    return table("Pipeline (triples are z, y, x)", ("", "Localization", "Segmentation"), rows)


def _words(name: str) -> str:
    """ "box_margin_mm" as "box margin, mm"."""
    for unit, text in (("_mm", "mm"), ("_hu", "HU")):
        if name.endswith(unit):
            return f"{name.removesuffix(unit)}, {text}".replace("_", " ")
    return name.replace("_", " ")


def _value(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, tuple):
        separator = "\n" if value and isinstance(value[0], tuple) else " "
        return separator.join(_value(part) for part in value)
    return f"{value:.6g}"


def _provenance(manifest: Manifest) -> Table:
    entries = {key: value for key, value in manifest.provenance.items() if key != "notice"}
    rows = [
        (_words(key), value if isinstance(value, str) else json.dumps(value))
        for key, value in entries.items()
    ]
    return facts("Provenance", rows or [("not recorded", "")])


def _devices(devices: list[Availability], chosen: str | None) -> Table:
    rows = []
    for device in devices:
        use = "used by auto" if device.device == chosen else device.problem or "usable"
        rows.append((device.device, use, " ".join(device.precisions), device.software, device.hardware))
    return table("Devices", ("Device", "Use", "Precisions", "Software", "Hardware"), rows, text_columns=5)


def _core(build: dict[str, Any]) -> Table:
    rows = [(_words(key), str(value)) for key, value in build.items() if not key.startswith("cuda")]
    cuda = build["cuda"] or f"not compiled: {build['cuda_reason']}"
    return facts("Core", [*rows, ("CUDA", str(cuda))])
