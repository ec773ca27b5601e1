"""What a DICOMDIR lists."""

from __future__ import annotations

from collections.abc import Iterator

from pydicom import Dataset

from .elements import items, text, whole


def listed_images(directory: Dataset) -> dict[str, str]:
    """The SOP instance UIDs of the images that a DICOMDIR lists, each with the UID of its series, else ""."""
    records = {getattr(record, "seq_item_tell", None): record for record in items(directory, _RECORDS)}
    series: dict[int, str] = {}
    for record in records.values():
        if text(record, _TYPE) == "SERIES":
            uid = text(record, "SeriesInstanceUID")
            series |= dict.fromkeys(_below(record, records, series), uid)
    images = {
        text(record, "ReferencedSOPInstanceUIDInFile"): series.get(place, "") if place else ""
        for place, record in records.items()
        if text(record, _TYPE) == "IMAGE"
    }
    images.pop("", None)
    return images


_RECORDS, _TYPE = "DirectoryRecordSequence", "DirectoryRecordType"


def _below(record: Dataset, records: dict[int | None, Dataset], seen: dict[int, str]) -> Iterator[int]:
    """The places of the records right below `record`: the first, and each that the one before names."""
    place = whole(record, "OffsetOfReferencedLowerLevelDirectoryEntity")
    own: set[int] = set()
    while place is not None and place in records and place not in seen and place not in own:
        yield place
        own.add(place)
        place = whole(records[place], "OffsetOfTheNextDirectoryRecord")
