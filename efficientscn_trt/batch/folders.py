"""Find the scans in folders: image files, zip archives, and DICOM series wherever their files lie."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import InputError
from ..io.dicom.archives import Member, opened_archive
from ..io.dicom.listing import Listing, list_series
from ..io.reading import folder_of
from ..io.signatures import head_of, is_dicom, is_zip
from .entry import Entry
from .listings import list_folders

#: The endings of image files. Of a pair of Analyze or NIfTI, the header counts.
_IMAGES = (".nii.gz", ".nii", ".hdr.gz", ".hdr", ".nhdr", ".nrrd", ".mha", ".mhd")
#: What is no scan by itself: voxels beside a header, and segmentations of 3D Slicer.
_NO_SCANS = (".img", ".img.gz", ".raw", ".raw.gz", ".zraw", ".seg.nrrd")
_DICOM = (".dcm", ".dicom", ".ima")


@dataclass
class _Series:
    """A series that may be in several folders. See `ListedSeries`."""

    uid: str
    files: list[Path] = field(default_factory=list)
    places: set[int] = field(default_factory=set)


@dataclass
class _Found:
    """What the folders hold. `dicom`: by folder, all DICOM files; `damaged`: those that cannot be read;
    `directories`: the DICOMDIR of a folder, which says what is missing.
    """

    entries: list[Entry] = field(default_factory=list)
    series: dict[tuple[str, ...], list[_Series]] = field(default_factory=dict)
    dicom: dict[Path, list[Path]] = field(default_factory=dict)
    damaged: dict[Path, list[Path]] = field(default_factory=dict)
    directories: dict[Path, Path] = field(default_factory=dict)


def scans_in(root: Path, leave_out: Path) -> list[Entry]:
    """The scans in the folder `root` and those in it, but not in `leave_out`, in the order of their names.

    What should be a scan, but cannot be read as one, is an entry too: its error says why.
    """
    found, closed, with_dicom = _Found(), list[Path](), dict[Path, list[Path]]()
    for folder, folders, names in _walk(root, leave_out, closed):
        dicom: list[Path] = []
        for name in names:
            file = folder / name
            if name.lower().endswith(_NO_SCANS):
                continue
            if name.lower().endswith(_IMAGES):
                found.entries.append(Entry(_id(root, file), file))
            else:
                _sort_out(file, root, dicom, found)
        if dicom:
            with_dicom[folder] = dicom
        elif not names and not folders:
            found.entries.append(Entry(_id(root, folder), folder))
    for (folder, files), listing in zip(
        with_dicom.items(), list_folders(list(with_dicom.values())), strict=True
    ):
        _add_listing(folder, files, listing, found)
    found.entries += _series_entries(root, found)
    found.entries += [Entry(_id(root, folder), folder) for folder in closed]
    return sorted(found.entries, key=lambda entry: (entry.id, entry.series or ""))


def id_of(file: Path) -> str:
    """The name of an image file or a folder without the ending of its format."""
    ending = next((each for each in (*_IMAGES, ".zip") if file.name.lower().endswith(each)), "")
    return file.name[: len(file.name) - len(ending)] or file.name


def archive_entries(name: str, file: Path) -> list[Entry]:
    """The scans in a zip archive, called `name` if there is one."""
    with suppress(InputError):  # which reading it will raise again
        with opened_archive(file) as archive:
            listing = list_series(Member(archive, info) for info in archive.infolist() if not info.is_dir())
        volumes = [series for series in listing.series if len(series.places) > 1 and series.uid]
        if len(volumes) > 1:
            return [Entry(f"{name}/{series.uid}", file, series=series.uid) for series in volumes]
    return [Entry(name, file)]


def _id(root: Path, place: Path) -> str:
    relative = place.relative_to(root)
    return (relative.parent / id_of(place)).as_posix() if relative.parts else id_of(place.absolute())


def _sort_out(file: Path, root: Path, dicom: list[Path], found: _Found) -> None:
    """Put a file that is no image by its name where it belongs, if it is a scan."""
    try:
        head = head_of(file)
    except InputError:  # only a file that says that it is DICOM is missed
        head = b""
    if file.name.upper() == "DICOMDIR":
        found.directories[file.parent] = file
    if is_dicom(head) or file.name.lower().endswith(_DICOM):
        dicom.append(file)
    elif is_zip(head) and file.name.lower().endswith(".zip"):
        found.entries += archive_entries(_id(root, file), file)


def _add_listing(folder: Path, files: list[Path], listing: Listing | None, found: _Found) -> None:
    if listing is None:  # reading the folder will say why
        found.dicom[folder] = files
        return
    damaged = [file for file in listing.damaged if isinstance(file, Path)]
    found.damaged[folder] = damaged
    found.dicom[folder] = [file for file in (*listing.dicom, *damaged) if isinstance(file, Path)]
    for part in listing.series:
        # Files without a UID belong together only if they are in one folder.
        known = found.series.setdefault(part.key if part.uid else (*part.key, str(folder)), [])
        # Folders with the same places have copies, or other scans whose UIDs someone replaced by the same.
        series = next((each for each in known if each.places.isdisjoint(part.places)), None)
        if series is None:
            known.append(series := _Series(part.uid))
        series.files += [file for file in part.files if isinstance(file, Path)]
        series.places |= part.places


def _series_entries(root: Path, found: _Found) -> Iterator[Entry]:
    volumes = [series for known in found.series.values() for series in known if len(series.places) > 1]
    places = [folder_of(series.files) for series in volumes]
    volumes_at, used = Counter(places), set()
    for series, place in zip(volumes, places, strict=True):
        own = {file.parent for file in series.files}
        used |= own
        damaged = [file for folder in sorted(own) for file in found.damaged[folder]]
        above = {place for folder in own for place in (folder, *folder.parents)}
        lists = [found.directories[place] for place in sorted(above & found.directories.keys())]
        name, shared = _id(root, place), volumes_at[place] > 1
        members = dict.fromkeys([*sorted(series.files), *damaged, *lists])
        yield Entry(f"{name}/{series.uid}" if shared else name, place, tuple(members), series.uid or None)
    for folder, files in found.dicom.items():
        if files and folder not in used:  # reading it says what is wrong
            yield Entry(_id(root, folder), folder, tuple(files))
    with_images = {
        place for folder, files in found.dicom.items() if files for place in (folder, *folder.parents)
    }
    for folder, file in found.directories.items():
        if folder not in with_images:
            yield Entry(_id(root, folder), folder, (file,))


def _walk(root: Path, leave_out: Path, closed: list[Path]) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Each folder, once, with the names of its folders and of its regular files that are not hidden.

    Folders that cannot be read are added to `closed`.
    """

    def note(error: OSError) -> None:
        closed.append(Path(error.filename))

    left_out, seen = os.path.realpath(leave_out), set()
    for where, folders, names in os.walk(root, onerror=note, followlinks=True):
        place = os.path.realpath(where)
        if place in seen or place == left_out:
            folders.clear()
            continue
        seen.add(place)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        visible = sorted(name for name in names if not name.startswith("."))
        yield Path(where), folders, [name for name in visible if _is_regular(Path(where, name))]


def _is_regular(file: Path) -> bool:
    try:
        return stat.S_ISREG(file.stat().st_mode)
    except OSError:  # such as a broken link
        return False
