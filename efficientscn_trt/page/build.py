"""The text of a page."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from .case import Case
from .facts import run_facts, scan_facts
from .organ_rows import COLUMNS, rows_of
from .patient import patient_facts
from .picture import Picture, picture_of
from .planes import region_views
from .window import DESCRIPTION
from .wording import foot_note, shown_name

_STRIP = 8  # slices
_WIDEST_OF_STRIP = 320  # pixels: they are shown small
_NOTICE = "bundle-notice"


def page_of(case: Case) -> str:
    """The page about `case`, in HTML. It needs no other file. Raises OutputError."""
    planes, strip = _pictures(case)
    notice = " ".join(each.message for each in case.warnings if each.code == _NOTICE)
    return _template().render(
        review=case.review,
        patient=patient_facts(case.input, case.source) if case.with_patient else [],
        found=any(organ.voxels for organ in case.statistics.values()),
        planes=planes,
        strip=strip,
        names={each.value: shown_name(each.name) for each in case.segments},
        legend=[(each.value, shown_name(each.name), each.colour) for each in case.segments],
        window=DESCRIPTION,
        columns=list(COLUMNS),
        rows=rows_of(case.statistics, {each.name: each.value for each in case.segments}),
        warnings=[each for each in case.warnings if each.code != _NOTICE],
        scan=scan_facts(case),
        run=run_facts(case),
        note=foot_note(notice),
    )


def _pictures(case: Case) -> tuple[list[Picture], list[Picture]]:
    """The three planes and the strip of axial slices; none if the region of interest has no voxel."""
    region, geometry = case.region, case.geometry
    shown = region_views(region, case.labels, geometry, _STRIP)
    if shown is None:
        return [], []
    names = {each.value: each.name for each in case.segments}
    starts, counts = region.start, geometry.lps_size
    planes = [
        picture_of(plane, start, count, names)
        for plane, start, count in zip(shown.planes, starts, counts, strict=True)
    ]
    strip = [picture_of(plane, starts[0], counts[0], names, _WIDEST_OF_STRIP) for plane in shown.strip]
    return planes, strip


@cache
def _template() -> Any:
    """The template, which writes every value as text: none can become markup."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    here = files(__package__)
    loader = FunctionLoader(lambda name: here.joinpath(name).read_text(encoding="utf-8"))
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.html")
