"""Choose the series to read among all that was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage

from ...errors import InputError
from ...scan_warning import ScanWarning
from ..wording import counted, excerpt, listed
from .elements import text, whole
from .files import Instance
from .frames import Frame, frames_of

_CT = (CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage)

_KEY = ("SeriesInstanceUID", "StudyInstanceUID", "PatientID")


@dataclass(frozen=True)
class Series:
    """The files of one CT series. `key`: its UID, that of the study, and the patient."""

    key: tuple[str, ...]
    instances: list[Instance]

    @property
    def uid(self) -> str:
        """The series instance UID; "" if the files have none."""
        return self.key[0]

    @cached_property
    def frames(self) -> list[Frame]:
        """All slices but localizers. Raises InputError."""
        return [frame for frame in self._all_frames if not frame.localizer]

    @cached_property
    def localizers(self) -> list[str]:
        """The names of the files with localizers."""
        return sorted({frame.file for frame in self._all_frames if frame.localizer})

    @cached_property
    def _all_frames(self) -> list[Frame]:
        return [frame for instance in self.instances for frame in frames_of(instance)]

    @cached_property
    def places(self) -> set[tuple[float, ...]]:
        """The positions of its slices."""
        return {frame.place for frame in self._placed if frame.place is not None}

    @cached_property
    def _placed(self) -> list[Frame]:
        try:
            return [frame for frame in self.frames if frame.position is not None]
        except InputError:  # it matters only if this is the series to read
            return []

    def __str__(self) -> str:
        description = excerpt(text(self.instances[0].header, "SeriesDescription")) or "no description"
        return f"{excerpt(self.uid) or 'no UID'} ({', '.join([description, *self._content()])})"

    def _content(self) -> Iterator[str]:
        if not self._placed:
            yield "localizers only" if self.localizers else "no slice with a position"
            return
        slices = {
            (frame.place, text(frame.instance.header, "SOPInstanceUID"), frame.index)
            for frame in self._placed
        }  # a copy of a file counts once
        yield counted(len(slices), "slice")
        if len(self.places) > 1:
            positions = np.array([frame.place for frame in self._placed])
            way = np.unique(positions[:, np.ptp(positions, axis=0).argmax()])
            yield f"{np.median(np.diff(way)):.4g} mm apart"


def choose(path: Path, instances: Sequence[Instance], uid: str | None) -> tuple[Series, list[ScanWarning]]:
    """The one CT series that is a volume, or the one with `uid`. Also returns warnings of what it leaves out.

    Raises InputError.
    """
    found = ct_series(instances)
    if not found:
        raise InputError(_no_ct(path, instances))
    if uid is not None:
        named = [series for series in found if series.uid == uid]
        if not named:
            raise InputError(
                f'{path} has no CT series "{excerpt(uid)}", only {_list(found)}; give one of these.'
            )
        if len(named) > 1:
            raise InputError(
                f"{path} has {len(named)} series {uid}, of several studies or patients; give one's folder."
            )
        return named[0], _left_out(path, named[0], instances)
    volumes = [series for series in found if len(series.places) > 1]
    if not volumes and len(found) > 1:
        raise InputError(
            f"{path} has no CT series of several slices, only {_list(found)}; give the folder of a scan."
        )
    if len(volumes) > 1:
        raise InputError(
            f"{path} has {len(volumes)} CT series, expected one: {_list(volumes)}; choose one by its UID "
            "(--series UID, in Python series=UID)."
        )
    chosen = (volumes or found)[0]
    warnings = _left_out(path, chosen, instances)
    if others := [series for series in found if series is not chosen]:
        left_out = "also has CT series that are no volume, which were left out"
        message, nameless = f"{path} {left_out}: {_list(others)}.", f"The input {left_out}."
        warnings.append(ScanWarning("series-left-out", message, nameless))
    return chosen, warnings


def cut_short(instances: Iterable[Instance]) -> list[str]:
    """The names of CT images that end before they say their size."""
    return [
        instance.file.name for instance in instances if _class(instance) in _CT and not _has_pixels(instance)
    ]


def ct_series(instances: Iterable[Instance]) -> list[Series]:
    """The CT series among `instances`, by series, study and patient."""
    series: dict[tuple[str, ...], list[Instance]] = {}
    for instance in instances:
        if _is_ct(instance) and _is_grey(instance):
            key = tuple(text(instance.header, keyword) for keyword in _KEY)
            series.setdefault(key, []).append(instance)
    return [Series(key, members) for key, members in series.items()]


def _class(instance: Instance) -> str:
    header = instance.header
    return text(header, "SOPClassUID") or text(header.file_meta, "MediaStorageSOPClassUID")


def _is_ct(instance: Instance) -> bool:
    """Whether it is an instance of CT. Archives hold series without a SOP class or a modality."""
    kind, modality = _class(instance), text(instance.header, "Modality")
    return kind in _CT or modality == "CT" or not (kind or modality)


def _has_pixels(instance: Instance) -> bool:
    """Whether an instance says the size of an image."""
    return whole(instance.header, "Rows") is not None


def _is_grey(instance: Instance) -> bool:
    header = instance.header
    photometric = text(header, "PhotometricInterpretation").upper()
    return (
        _has_pixels(instance)
        and text(header, "SamplesPerPixel") in ("1", "")
        and photometric in ("MONOCHROME1", "MONOCHROME2", "")
    )


def _no_ct(path: Path, instances: Sequence[Instance]) -> str:
    if not instances:
        return f"{path} has no DICOM files; give a folder with the slices of a CT series, or an image file."
    kinds = Counter(map(_kind, instances))
    found = listed(f"{kind} ({counted(count, 'file')})" for kind, count in sorted(kinds.items()))
    return f"{path} has no grey images of CT, only {found}; give a folder with the slices of a CT series."


def _kind(instance: Instance) -> str:
    """What an instance is that is no grey image of CT."""
    modality = excerpt(text(instance.header, "Modality")) or "unknown"
    if not _is_ct(instance):
        return modality
    return f"{modality} in colour" if _has_pixels(instance) else f"{modality} without pixels"


def _list(series: Iterable[Series]) -> str:
    return listed(map(str, series), separator="; ")


def _left_out(path: Path, series: Series, instances: Iterable[Instance]) -> list[ScanWarning]:
    """What belongs to the series, but is no slice of it."""
    warnings = []
    if series.localizers:
        found = "has localizers in its series, which were left out"
        message, nameless = f"{path} {found}: {listed(series.localizers)}.", f"The input {found}."
        warnings.append(ScanWarning("localizers-left-out", message, nameless))
    members = set(series.instances)
    others = [
        instance.file.name
        for instance in instances
        if series.uid
        and text(instance.header, "SeriesInstanceUID") == series.uid
        and instance not in members
        and _has_pixels(instance)  # else it is no image, or named as damaged
    ]
    if others:
        found = "has files in its series that are no CT slices, left out"
        message, nameless = f"{path} {found}: {listed(sorted(others))}.", f"The input {found}."
        warnings.append(ScanWarning("files-left-out", message, nameless))
    return warnings
