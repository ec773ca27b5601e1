"""Describe the series that a scan is read from, and read its headers again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from ...errors import InputError
from ..source import DicomSource, SourceFrame
from .archives import Member, opened_archive
from .deflated import Deflated
from .elements import text
from .files import File, Instance, with_whole_header
from .frames import Frame


def source_of(frames: Iterable[Frame]) -> DicomSource:
    """The series of `frames`, which are in the order of the slices."""
    return DicomSource(tuple(map(_source_frame, frames)))


def _source_frame(frame: Frame) -> SourceFrame:
    file: File = frame.instance.file
    uid = text(frame.instance.header, "SOPInstanceUID")
    while isinstance(file, Deflated):
        file = file.file
    if isinstance(file, Member):
        return SourceFrame(Path(str(file.archive.filename)).absolute(), file.info.filename, frame.index, uid)
    return SourceFrame(file.absolute(), "", frame.index, uid)


def instances_of(source: DicomSource) -> list[Instance]:
    """Each file of a series once, with all of its header, in the order of its first slice.

    Raises InputError if one is gone, or is another one now.
    """
    files = {(frame.path, frame.member): frame.uid for frame in source.frames}
    with ExitStack() as stack:
        found = [with_whole_header(file) for file in _opened(list(files), stack)]
    for (path, _), uid, instance in zip(files, files.values(), found, strict=True):
        if instance is None or text(instance.header, "SOPInstanceUID") != uid:
            raise _changed(path)
    return [instance for instance in found if instance]


def _opened(files: Sequence[tuple[Path, str]], stack: ExitStack) -> Iterator[File]:
    paths = dict.fromkeys(path for path, member in files if member)
    archives = {path: stack.enter_context(opened_archive(path)) for path in paths}
    for path, member in files:
        if member and member not in archives[path].NameToInfo:
            raise _changed(path)
        yield Member(archives[path], archives[path].getinfo(member)) if member else path


def _changed(path: Path) -> InputError:
    return InputError(f"{path} changed after the scan was read; segment the series again.")
