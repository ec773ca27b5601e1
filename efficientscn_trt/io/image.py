"""A volume as a reader returns it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..scan_warning import ScanWarning
from .orientation import Geometry
from .source import DicomSource


@dataclass
class Image:
    """`array` [z, y, x] in the image's own axes, where it lies, what needs a look, and its DICOM series.

    `kind` is the format that it was read from, in words.
    """

    array: np.ndarray
    geometry: Geometry
    kind: str
    warnings: list[ScanWarning] = field(default_factory=list)
    source: DicomSource | None = None
