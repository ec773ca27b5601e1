"""The tables of `efficientscn-trt info`."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from typing import Any

import click
from rich.table import Table

from ..backends.core_networks import core_runs
from ..backends.survey import Availability
from ..bundle import NETWORKS, Bundle, Manifest
from ..bundle.manifest import FIRST_WITH_CORE_FORMS
from ..bundle.trust import SIGNATURE
from ..engines import EngineRow
from .engine_tables import show_engines
from .tables import facts, megabytes, short_digest, show, table

DIGEST = re.compile("[0-9a-f]{64}")


def print_tables(
    bundle: Bundle,
    engines: list[EngineRow],
    devices: list[Availability],
    chosen: str | None,
    build: dict[str, Any],
) -> None:
    """Print what `bundle` holds, the devices and which of them is `chosen`, and how the core was built."""
    manifest = bundle.manifest
    click.echo(": ".join(filter(None, (manifest.name, manifest.description))))
    click.echo(f"{bundle.path}, schema {manifest.schema_version}")
    if signature := _signature(bundle):
        click.echo(signature)
    if notice := manifest.provenance.get("notice"):
        click.echo(f"Note: {notice}")
    click.echo("Labels: " + ", ".join(f"{value} {name}" for value, name in enumerate(manifest.labels)) + "\n")
    show(_networks(manifest))
    click.echo(f"In float32 on a CPU: {_runners(bundle)}.\n")
    show_engines(engines, bundle)
    show(_pipeline(manifest))
    show(_provenance(manifest))
    _show_devices(devices, chosen)
    show(_core(build))


def _signature(bundle: Bundle) -> str:
    if bundle.signed_by is not None:
        return f"Signed with the trusted key {bundle.signed_by.short}"
    if not bundle.trusted and (bundle.path / SIGNATURE).exists():
        return "Has a signature, which was not verified, because no key is trusted here"
    return ""


def _networks(manifest: Manifest) -> Table:
    rows = []
    for name in NETWORKS:
        network = getattr(manifest.networks, name)
        count, opset = f"{network.parameters:,}", str(network.opset)
        forms = [("fp32", network)] + ([("fp16", network.float16)] if network.float16 else [])
        for precision, form in forms:
            digest = f"{short_digest(form.sha256)} verified"
            rows.append((name, precision, digest, count, megabytes(form.bytes), opset))
    header = ("Network", "Form", "SHA-256", "Parameters", "Size", "Opset")
    return table("Networks", header, rows, text_columns=3)


def _runners(bundle: Bundle) -> str:
    manifest = bundle.manifest
    if manifest.schema_version < FIRST_WITH_CORE_FORMS:
        return "each load searches these networks for what the core runs; export the bundle again"
    runs = {name: core_runs(getattr(manifest.networks, name).core, bundle, name) for name in NETWORKS}
    return ", ".join(f"{'the core' if by_core else 'OpenVINO'} runs {name}" for name, by_core in runs.items())


def _pipeline(manifest: Manifest) -> Table:
    pipeline = manifest.pipeline
    stages = [dataclasses.asdict(stage) for stage in (pipeline.localization, pipeline.segmentation)]
    names = dict.fromkeys(name for stage in stages for name in stage)
    rows: list[tuple[str, ...]] = []
    for name in names:
        if name == "valid_sizes":
            for index, axis in enumerate("zyx"):
                rows.append((f"{_words(name)}, {axis}", *(_value(stage[name][index]) for stage in stages)))
        else:
            rows.append((_words(name), *(_value(stage.get(name)) for stage in stages)))
    unknown = pipeline.unknown_spacing
    none = "spacing if the file has none"
    marked = f", or {_value(unknown.marker_xyz[::-1])}" if unknown.by_value else ""
    rows.append((none + marked, _value(unknown.used_xyz[::-1]), "the same"))
    return table("Pipeline (triples are z y x)", ("", "Localization", "Segmentation"), rows)


def _words(name: str) -> str:
    """ "box_margin_mm" becomes "box margin, mm"."""
    for suffix, words in (("_mm", ", mm"), ("_hu", ", HU"), ("sha256", "SHA-256")):
        if name.endswith(suffix):
            name = name.removesuffix(suffix) + words
    return name.replace("_", " ")


def _value(value: Any) -> str:
    if value is None:
        return "–"
    return " ".join(map(_value, value)) if isinstance(value, tuple) else f"{value:.6g}"


def _provenance(manifest: Manifest) -> Table:
    entries = {key: value for key, value in manifest.provenance.items() if key != "notice"}
    return facts("Provenance", list(_entries(entries)) or [("not recorded", "")])


def _entries(values: dict[str, Any], indent: str = "") -> Iterator[tuple[str, str]]:
    """A row for each of `values`, which come from JSON; those of an object are indented below its name."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield f"{indent}{_words(key)}", ""
            yield from _entries(value, indent + "  ")
        else:
            yield f"{indent}{_words(key)}", _text(value)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, str):
        return short_digest(value) if DIGEST.fullmatch(value) else value
    return "–" if value is None else json.dumps(value, ensure_ascii=False)


def _show_devices(devices: list[Availability], chosen: str | None) -> None:
    rows = []
    for device in devices:
        use = "used by auto" if device.device == chosen else "not usable" if device.problem else "usable"
        rows.append((device.device, use, " ".join(device.precisions), device.software, device.hardware))
    header = ("Device", "Use", "Precisions", "Software", "Hardware")
    show(table("Devices", header, rows, text_columns=5))
    problems = [f"{device.device}: {device.problem}\n" for device in devices if device.problem]
    if problems:
        click.echo("".join(problems))


def _core(build: dict[str, Any]) -> Table:
    values = {key: str(value) for key, value in build.items() if not key.startswith("cuda")}
    rows = [(_words(key).replace("simd", "SIMD"), value) for key, value in values.items()]
    cuda = build["cuda"] or f"not compiled: {build['cuda_reason']}"
    return facts("Core", [*rows, ("CUDA", str(cuda))])
