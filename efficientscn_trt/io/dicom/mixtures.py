"""Warn of slices that make one volume by chance: their headers say that they belong to several scans."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ...scan_warning import ScanWarning
from .elements import text, whole
from .frames import Frame


def mixtures(name: str, frames: Sequence[Frame]) -> list[ScanWarning]:
    """Warnings of ordered `frames` of several acquisitions in turn, or in several coordinate systems, and of
    parts that are missing. `name` is what messages call them.
    """
    warnings = []
    acquisitions = [frame.acquisition for frame in frames]
    changes = sum(one != next_one for one, next_one in pairwise(acquisitions))
    if changes >= len(set(acquisitions)) > 1:
        found = "are of several acquisitions in turn, as if two scans were mixed; look at the scan."
        warnings.append(ScanWarning("mixed-acquisitions", f"{name} {found}", f"The slices {found}"))
    headers = [instance.header for instance in dict.fromkeys(frame.instance for frame in frames)]
    if len({text(header, "FrameOfReferenceUID") for header in headers}) > 1:
        found = (
            "have several frames of reference, so their positions may not be comparable; look at the scan."
        )
        warnings.append(ScanWarning("frames-of-reference", f"{name} {found}", f"The slices {found}"))
    parts = [text(header, "ConcatenationUID") for header in headers]
    for header in headers:
        expected, uid = whole(header, "InConcatenationTotalNumber"), text(header, "ConcatenationUID")
        if uid and expected and parts.count(uid) < expected:
            found = f"are {parts.count(uid)} of {expected} files of the scan; copy the others, too."
            return [*warnings, ScanWarning("missing-files", f"{name} {found}", f"The slices {found}")]
    return warnings
