"""Choose the series to read among all that was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage

from ...errors import InputError
from ...scan_warning import ScanWarning
from .files import Instance
from .frames import Frame, frames_of, value

_CT = (CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage)
_PLACE_DIGITS = 2  # positions in mm that agree to so many decimals are one
_NAMED = 5  # at most, in a message


@dataclass(frozen=True)
class Series:
    """The files of one CT series. `uid` is "" if they have none."""

    uid: str
    instances: list[Instance]

    @cached_property
    def frames(self) -> list[Frame]:
        """All slices but localizers. Raises InputError."""
        return [frame for frame in self._all_frames if not frame.localizer]

    @cached_property
    def localizers(self) -> list[str]:
        """The names of the files with localizers."""
        return sorted({frame.instance.file.name for frame in self._all_frames if frame.localizer})

    @cached_property
    def _all_frames(self) -> list[Frame]:
        return [frame for instance in self.instances for frame in frames_of(instance)]

    @cached_property
    def places(self) -> int:
        """The number of positions of its slices."""
        return len({tuple(place.round(_PLACE_DIGITS)) for place in self._positions})

    @cached_property
    def _positions(self) -> list[np.ndarray]:
        try:
            return [frame.position for frame in self.frames if frame.position is not None]
        except InputError:  # it matters only if this is the series to read
            return []

    def __str__(self) -> str:
        description = " ".join(str(value(self.instances[0].header, "SeriesDescription") or "").split())
        count = len(self._positions)
        parts = [description or "no description", f"{count} slice{'s' * (count != 1)}"]
        if self.places > 1:
            positions = np.array(self._positions)
            way = positions[:, np.ptp(positions, axis=0).argmax()]
            parts.append(f"{np.median(np.diff(np.sort(way))):.4g} mm apart")
        return f"{self.uid or 'no UID'} ({', '.join(parts)})"


def choose(path: Path, instances: Iterable[Instance], uid: str | None) -> tuple[Series, list[ScanWarning]]:
    """The one CT series that is a volume, or the one with `uid`. Also returns warnings of what it leaves out.

    Raises InputError.
    """
    instances = list(instances)
    found = _ct_series(instances)
    if not found:
        raise InputError(_no_ct(path, instances))
    if uid is not None:
        named = [series for series in found if series.uid == uid]
        if not named:
            raise InputError(f"{path} has no CT series {uid}, only {_listed(found)}; give one of these.")
        return named[0], _localizers(path, named[0])
    volumes = [series for series in found if series.places > 1] or found
    if len(volumes) > 1:
        raise InputError(
            f"{path} has {len(volumes)} CT series, expected one: {_listed(volumes)}; choose one by its UID "
            "(--series UID, in Python series=UID)."
        )
    warnings = _localizers(path, volumes[0])
    if others := [series for series in found if series is not volumes[0]]:
        message = f"{path} also has CT series that are no volume, which were left out: {_listed(others)}."
        warnings.append(ScanWarning("series-left-out", message))
    return volumes[0], warnings


def cut_short(instances: Iterable[Instance]) -> list[str]:
    """The names of CT files that end before they describe an image."""
    return [each.file.name for each in instances if _is_ct(each) and value(each.header, "Rows") is None]


def _ct_series(instances: Iterable[Instance]) -> list[Series]:
    series: dict[str, list[Instance]] = {}
    for instance in instances:
        if _is_ct(instance) and _is_grey(instance):
            series.setdefault(str(value(instance.header, "SeriesInstanceUID") or ""), []).append(instance)
    return [Series(uid, members) for uid, members in series.items()]


def _is_ct(instance: Instance) -> bool:
    """Whether it is an instance of CT. Archives hold series without a SOP class or a modality."""
    header = instance.header
    kind, modality = value(header, "SOPClassUID"), value(header, "Modality")
    kind = kind or value(header.file_meta, "MediaStorageSOPClassUID")
    return kind in _CT or modality == "CT" or (kind is None and modality is None)


def _is_grey(instance: Instance) -> bool:
    header = instance.header
    return (
        value(header, "Rows") is not None
        and value(header, "SamplesPerPixel") in (1, None)
        and value(header, "PhotometricInterpretation") in ("MONOCHROME1", "MONOCHROME2", None)
    )


def _no_ct(path: Path, instances: Sequence[Instance]) -> str:
    if not instances:
        return f"{path} has no DICOM files; give a folder with the slices of a CT series, or an image file."
    kinds = Counter(str(value(instance.header, "Modality") or "unknown") for instance in instances)
    found = ", ".join(f"{kind} ({count} file{'s' * (count != 1)})" for kind, count in sorted(kinds.items()))
    return f"{path} has no CT series, only {found}; give a folder with the slices of a CT series."


def _listed(series: Iterable[Series]) -> str:
    return "; ".join(map(str, series))


def _localizers(path: Path, series: Series) -> list[ScanWarning]:
    if not series.localizers:
        return []
    message = f"{path} has localizers in its series, which were left out: {names(series.localizers)}."
    return [ScanWarning("localizers-left-out", message)]


def names(files: Sequence[str]) -> str:
    """The first few of `files`, for a message."""
    return ", ".join(files[:_NAMED]) + (", …" if len(files) > _NAMED else "")
