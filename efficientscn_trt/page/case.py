"""What a page shows of a result, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..io.orientation import Geometry
from ..io.segments import Algorithm, Segment
from ..io.source import DicomSource, ScanInput
from ..organs import OrganStatistics, Review, ScanRegion
from ..scan_warning import ScanWarning


@dataclass(frozen=True)
class Case:
    """A segmented scan.

    Attributes:
        labels: uint8 [z, y, x] in the scan's own axes; 0 is background.
        geometry: of the scan.
        region: the HU that the pictures show.
        segments: the labels but the background.
        statistics: of each organ, by name.
        review: its reasons are on the page as they are, and so are the `warnings`.
        seconds: by stage.
        device, precision, runtime: what ran the networks.
        peak_host_memory, estimated_host_memory, peak_device_memory: in bytes.
        bundle: None if it is not known.
        input: what the scan was read from. Its path is on the page only with `with_patient`.
        source: the DICOM series that the scan was read from. Only with `with_patient` are its headers read.
        with_patient: whether the page may say whose scan it is.
    """

    labels: np.ndarray
    geometry: Geometry
    region: ScanRegion
    segments: Sequence[Segment]
    statistics: Mapping[str, OrganStatistics]
    review: Review
    warnings: Sequence[ScanWarning]
    seconds: Mapping[str, float]
    device: str
    precision: str
    runtime: str
    peak_host_memory: int
    estimated_host_memory: int
    peak_device_memory: int
    bundle: Algorithm | None
    input: ScanInput | None
    source: DicomSource | None
    with_patient: bool
