"""A volume as a reader returns it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..scan_warning import ScanWarning
from .orientation import Geometry


@dataclass
class Image:
    """`array` [z, y, x] in the image's own axes, where it lies, and what needs a look."""

    array: np.ndarray
    geometry: Geometry
    warnings: list[ScanWarning] = field(default_factory=list)
