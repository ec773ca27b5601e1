"""`efficientscn-trt info`: what is in a bundle, and which devices of this machine can run it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import FILE, trusted_key_option

if TYPE_CHECKING:
    from ..backends.survey import Availability
    from ..bundle import Bundle
    from ..engines import EngineRow


@click.command()
@click.argument("bundle", metavar="[BUNDLE]", type=FILE, required=False)
@trusted_key_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def info(bundle: Path | None, as_json: bool) -> None:
    """Show what is in BUNDLE and which device of this machine would run it.

    Every ONNX file of the bundle, and every engine that this machine could use, is compared with its SHA-256
    in the manifest. Without BUNDLE, the default bundle of `efficientscn-trt segment` is shown. If keys are
    trusted, one of them must have signed the bundle.

    \b
    Example:
        efficientscn-trt info my-bundle/
    """
    from .. import bundle as bundles
    from .._core import build_info
    from ..backends.survey import choose, survey
    from ..segmenter import default_bundle

    loaded = bundles.load(bundle or default_bundle())
    devices, build = survey(loaded), build_info()
    engines, chosen = _engines(loaded), choose(devices)
    if as_json:
        click.echo(
            json.dumps(_document(loaded, engines, devices, chosen, build), indent=2, ensure_ascii=False)
        )
    else:
        from .info_tables import print_tables

        print_tables(loaded, engines, devices, chosen, build)


def _engines(bundle: Bundle) -> list[EngineRow]:
    """The engines for `bundle`. TensorRT and the GPU are only looked for if there are engines."""
    from ..engines import this_machine
    from ..engines.cache import known_engines
    from ..engines.cached_bundle import cached_bundle

    if not bundle.manifest.engines and cached_bundle(bundle) is None:
        return []
    return known_engines(bundle, this_machine())


def _document(
    bundle: Bundle,
    engines: list[EngineRow],
    devices: list[Availability],
    chosen: str | None,
    build: dict[str, Any],
) -> dict[str, Any]:
    return {
        "bundle": {
            "path": str(bundle.path),
            "verified": True,
            "signed_by": bundle.signed_by and bundle.signed_by.fingerprint,
            **dataclasses.asdict(bundle.manifest),
        },
        "engines": [
            {
                "file": row.engine.file,
                "path": str(row.path / row.engine.file),
                "used": row.used,
                "problem": row.problem,
                "note": row.note,
            }
            for row in engines
        ],
        "devices": [dataclasses.asdict(device) for device in devices],
        "device": chosen,
        "core": build,
    }
