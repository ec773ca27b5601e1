"""List the CT series among many DICOM files, so that each can be read later without the headers of others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from .elements import text
from .files import File, read_headers
from .series import ct_series


@dataclass(frozen=True)
class ListedSeries:
    """A CT series, or the part of it that is in one folder.

    `key`: its UID, that of the study, and the patient. `files`: all with this UID, whether they are CT or
    not. `places`: hashes of the positions of its slices.
    """

    key: tuple[str, ...]
    files: tuple[File, ...]
    places: frozenset[int]

    @property
    def uid(self) -> str:
        """The series instance UID; "" if the files have none."""
        return self.key[0]


@dataclass(frozen=True)
class Listing:
    """The CT series among files, the DICOM files among them, and those that cannot be read."""

    series: list[ListedSeries]
    dicom: list[File]
    damaged: list[File]


def list_series(files: Iterable[File]) -> Listing:
    """Read the headers of `files`. Raises InputError for an archive that is damaged."""
    found = read_headers(files)
    by_uid: dict[str, list[File]] = {}
    for instance in found.instances:
        by_uid.setdefault(text(instance.header, "SeriesInstanceUID"), []).append(instance.file)
    all_series = ct_series(found.instances)
    uses = Counter(each.uid for each in all_series)
    series = []
    for each in all_series:
        own = [instance.file for instance in each.instances]
        members = by_uid[each.uid] if each.uid and uses[each.uid] == 1 else own
        series.append(ListedSeries(each.key, tuple(members), frozenset(map(hash, each.places))))
    return Listing(series, [instance.file for instance in found.instances], found.damaged)
