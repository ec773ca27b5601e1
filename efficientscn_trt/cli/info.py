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
    from ..bundle import Bundle, Engine


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
    from ..backends.survey import choose, survey
    from ..segmenter import default_bundle

    loaded = bundles.load(bundle or default_bundle())
    devices, build = survey(), build_info()
    chosen = choose(devices)
    if as_json:
        click.echo(json.dumps(_document(loaded, devices, chosen, build), indent=2, ensure_ascii=False))
    else:
        from .info_tables import print_tables

        print_tables(loaded, devices, chosen, build)


def engine_state(bundle: Bundle, engine: Engine) -> str:
    """ "verified", "altered" or "missing": an engine is checked when it is used, and here."""
    from ..bundle import sha256

    file = bundle.path / engine.file
    if not file.is_file():
        return "missing"
    return "verified" if sha256(file) == engine.sha256 else "altered"


def _document(
    bundle: Bundle, devices: list[Availability], chosen: str | None, build: dict[str, Any]
) -> dict[str, Any]:
    return {
        "bundle": {"path": str(bundle.path), "verified": True, **dataclasses.asdict(bundle.manifest)},
        "engine_files": {engine.file: engine_state(bundle, engine) for engine in bundle.manifest.engines},
        "devices": [dataclasses.asdict(device) for device in devices],
        "device": chosen,
        "core": build,
    }
