"""What a scan was read from; for a DICOM series the files to which what is written in DICOM refers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ScanInput:
    """What a scan was read from: its `kind`, such as "DICOM", and its `path`, empty for what is in memory."""

    kind: str
    path: str = ""


@dataclass(frozen=True)
class SourceFrame:
    """Where the frame of one slice is: its file, the name in it if that is an archive, and its index there.

    `uid` is the SOP instance UID of the file.
    """

    path: Path
    member: str
    index: int
    uid: str


@dataclass(frozen=True)
class DicomSource:
    """The frames of a series in the order of the slices of the scan.

    `resampled`: whether the scan has other slices, because those of the series were straightened.
    """

    frames: tuple[SourceFrame, ...]
    resampled: bool = False
