"""The JSON file of `efficientscn-trt segment --json` and of `batch --json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..io.atomic import replacing
from ..organs import Review
from ..result import Segmentation
from ..segmenter import Segmenter
from .organ_table import described


def write_json(path: Path, document: Any) -> None:
    """Write `document` to `path`. Raises OutputError."""
    with replacing(path) as temporary:
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        # A path may have bytes that are not UTF-8; backslashreplace writes them as JSON does.
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def describe(
    scan: Path,
    outputs: Sequence[Path],
    segmenter: Segmenter,
    result: Segmentation,
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    """The report of a run. Boxes are (z, y, x): in mm along LPS axes, in voxels in the scan's own axes."""
    from .. import __version__  # looked up among the installed packages

    bundle = segmenter.bundle
    return {
        "version": __version__,
        "input": str(scan),
        "outputs": [str(output) for output in outputs],
        "bundle": {
            "path": str(bundle.path),
            "name": bundle.manifest.name,
            "files": bundle.manifest.files,
            "signed_by": bundle.signed_by and bundle.signed_by.fingerprint,
        },
        "device": result.device,
        "precision": result.precision,
        "labels": {str(value): name for value, name in result.label_names.items()},
        "volumes_ml": result.volumes_ml,
        "review": _described(result.review),
        "statistics": {name: described(each) for name, each in result.statistics.items()},
        "box": {
            "start_mm": result.box.start_mm,
            "end_mm": result.box.end_mm,
            "voxels": [[part.start, part.stop] for part in result.box.voxels],
        },
        "seconds": dict(seconds),
        "peak_host_memory_bytes": result.peak_host_memory,
        "estimated_host_memory_bytes": result.estimated_host_memory,
        "warnings": [warning.described() for warning in result.warnings],
    }


def _described(review: Review | None) -> dict[str, Any] | None:
    """Whether a person should look at the label map, and the reasons."""
    if review is None:
        return None
    return {"needed": review.needed, "reasons": [asdict(reason) for reason in review.reasons]}
