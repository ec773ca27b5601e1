"""Read a CT series: one DICOM file per slice, or enhanced multi-frame CT.

Each frame's own position, orientation and rescale decide; nothing is taken from the order of files or from
what a neighbour says.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from ...errors import InputError
from ...scan_warning import ScanWarning
from ...system import usable_cores
from ..image import Image
from ..plausibility import check_extent, check_shape
from ..shear import straightened
from ..unread import Admit, Unread, anything
from ..wording import counted, listed
from .copies import without_copies
from .files import Found, files_at, read_headers
from .frames import Frame
from .mixtures import mixtures
from .pixels import Remark, Remarks, read_pixels
from .series import choose, cut_short
from .source import source_of
from .stack import stack
from .stored import StoredPixels

__all__ = ["read_dicom"]

_HU = ("", "HU", "HOUNSFIELD", "HOUNSFIELD UNITS")


def read_dicom(
    path: Path,
    series: str | None = None,
    threads: int = 0,
    admit: Admit = anything,
    files: Sequence[Path] | None = None,
) -> Image:
    """Read one CT series in HU.

    Slices of a tilted gantry are resampled onto a straight grid, which then is the grid of the label map.

    Args:
        path: a folder, whose subfolders are searched too, a zip archive of one, a DICOMDIR, or one file.
        series: the series instance UID to read. It is needed if there are several CT series.
        threads: 0 for all cores.
        admit: called before pixels are read.
        files: those to read, which are in the folder `path`. Default: all.

    Raises InputError, and what `admit` raises.
    """
    threads = threads or usable_cores()
    with files_at(path) if files is None else nullcontext(files) as chosen_files:
        found = read_headers(chosen_files)
        if found.missing and not found.instances:
            what = "has a DICOMDIR" if path.is_dir() else "is a DICOMDIR"
            images = counted(found.missing.total(), "image")
            raise InputError(
                f"{path} {what}, a list of {images}, but not the images; give the folder of the whole study."
            )
        chosen, warnings = choose(path, found.instances, series)
        # Who names the files may leave other series out.
        missing = found.missing.total() if files is None else found.missing[chosen.uid]
        warnings = [*_incomplete(path, found, missing), *warnings]
        frames = chosen.frames
        if not frames:
            raise InputError(f"{path} has localizers only, expected the slices of a CT; give their folder.")
        name = f"The {counted(len(frames), 'slice')} in {path}"
        frames, copies = without_copies(name, frames)
        check_shape(str(path), (*frames[0].size, len(frames)))
        ordered = stack(name, frames)
        pixels = StoredPixels.of(ordered.frames)
        admit(Unread.in_file(str(path), ordered.geometry, pixels.dtype, pixels.reading(threads)))
        array, remarks = read_pixels(pixels, threads)
    warnings += [
        *copies,
        *ordered.warnings,
        *mixtures(name, ordered.frames),
        *_unit(path, frames),
        *_odd_pixels(path, remarks),
    ]
    check_extent(str(path), ordered.geometry.size, ordered.geometry.spacing)
    source = source_of(ordered.frames)
    return straightened(Image(array, ordered.geometry, "DICOM", warnings, source), name)


def _incomplete(path: Path, found: Found, missing: int) -> list[ScanWarning]:
    warnings = []
    if damaged := [*(file.name for file in found.damaged), *cut_short(found.instances)]:
        left_out = "has files that cannot be read as DICOM images, which were left out"
        message = f"{path} {left_out}: {listed(sorted(damaged))}; copy them again."
        nameless = f"The input {left_out}; copy them again."
        warnings.append(ScanWarning("damaged-files", message, nameless))
    if missing:
        images = counted(missing, "image")
        lists = f"lists {images} more than there are; copy the study again."
        message, nameless = f"The DICOMDIR in {path} {lists}", f"The DICOMDIR {lists}"
        warnings.append(ScanWarning("missing-files", message, nameless))
    return warnings


def _unit(path: Path, frames: list[Frame]) -> list[ScanWarning]:
    others = sorted({frame.rescale_type for frame in frames if frame.rescale_type.upper() not in _HU})
    message = f"The values in {path} are {listed(others)} by their rescale type, expected HU."
    nameless = "The values are something else by their rescale type, expected HU."
    return [ScanWarning("rescale-type", message, nameless)] if others else []


def _odd_pixels(path: Path, remarks: Remarks) -> list[ScanWarning]:
    warnings = []
    if files := sorted(remarks[Remark.OTHER_BITS]):
        found = (
            "have bits beyond those that their header counts (overlays, or a wrong header), which were "
            "ignored"
        )
        message, nameless = f"Pixels in {path} {found}: {listed(files)}.", f"Pixels {found}."
        warnings.append(ScanWarning("unused-bits", message, nameless))
    if files := sorted(remarks[Remark.OTHER_BYTES]):
        found = (
            "have more pixels than their header describes (padding, or a wrong header), which were ignored"
        )
        message, nameless = f"Files in {path} {found}: {listed(files)}.", f"Files {found}."
        warnings.append(ScanWarning("unused-bytes", message, nameless))
    return warnings
