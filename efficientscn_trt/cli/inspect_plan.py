"""`efficientscn-trt inspect`: what a TensorRT engine of any origin is, and whether it could run here."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import FILE, Device

if TYPE_CHECKING:
    from ..engines.inspection import PlanHeader, PlanInspection


@click.command()
@click.argument("plans", metavar="PLAN…", type=FILE, nargs=-1, required=True)
@click.option(
    "--device",
    type=Device(("cuda",)),
    default="cuda",
    show_default=True,
    help="GPU that it is to run on; cuda:1 is the second.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list instead of tables.")
def inspect(plans: tuple[Path, ...], device: str, as_json: bool) -> None:
    """Show which TensorRT built the engine in each file PLAN, and whether it could run here.

    Only the header is read. Nothing is loaded, because an engine is native code. Where there is a GPU,
    TensorRT-RTX is asked to judge the header.

    \b
    Examples:
        efficientscn-trt inspect model.engine
        efficientscn-trt inspect my-bundle/engines/*.engine
    """
    from ..backends import split_device
    from ..engines import this_machine
    from ..engines.inspection import inspect_plan

    _, index = split_device(device)
    machine = this_machine(index)
    found = [inspect_plan(plan, machine) for plan in plans]
    if as_json:
        click.echo(json.dumps([_document(each) for each in found], indent=2, ensure_ascii=False))
    else:
        for each in found:
            _print(each)


def _document(found: PlanInspection) -> dict[str, Any]:
    return {**dataclasses.asdict(found), "path": str(found.path), "could_run": found.could_run}


def _print(found: PlanInspection) -> None:
    from ..engines.flavours import FLAVOURS
    from .tables import facts, megabytes, short_digest, show

    header = found.header
    version = header.version or f"before 8.6 (serialization number {header.serialization})"
    rows = [
        ("Built by", f"{FLAVOURS[header.flavour].title} {version}"),
        ("Compute capability", _capabilities(header)),
        ("Size", megabytes(found.bytes)),
        ("SHA-256", short_digest(found.sha256)),
        ("Could run here", {True: "yes", False: "no", None: "perhaps"}[found.could_run]),
    ]
    if found.validity is not None:
        rows.append(("TensorRT's own judgement", found.validity.lower()))
    show(facts(str(found.path), rows))
    for sentence in (*found.problems, *found.unknown):
        click.echo(sentence)


def _capabilities(header: PlanHeader) -> str:
    if header.compute_capabilities is None:
        return "not known from the header"
    return " ".join((*header.compute_capabilities, *(("and others",) if header.newer else ())))
