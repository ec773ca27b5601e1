"""Write a volume as a series of DICOM slices."""

from __future__ import annotations

import locale
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import SimpleITK as sitk

_STUDY = "1.2.826.0.1.3680043.2.1125.9"


def write_series(
    image: sitk.Image,
    folder: Path,
    description: str = "",
    series: int = 1,
    change: Callable[[int, dict[str, str]], object] = lambda number, tags: None,
) -> None:
    """Write the slices of `image` as `<series>-<number>.dcm`, numbered from 000.

    `change` is called with each slice's number and tags, and may change the tags.
    """
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    direction = image.GetDirection()
    for number in range(image.GetDepth()):
        piece = image[:, :, number]
        position = image.TransformIndexToPhysicalPoint((0, 0, number))
        tags = {
            "0008|0008": "ORIGINAL\\PRIMARY\\AXIAL",
            "0008|0016": "1.2.840.10008.5.1.4.1.1.2",
            "0008|0018": f"{_STUDY}.{series}.{number + 1}",
            "0008|0060": "CT",
            "0008|103e": description,
            "0018|0050": str(image.GetSpacing()[2]),
            "0020|000d": _STUDY,
            "0020|000e": f"{_STUDY}.{series}",
            "0020|0011": str(series),
            "0020|0013": str(number + 1),
            "0020|0032": "\\".join(f"{value:.6f}" for value in position),
            "0020|0037": "\\".join(f"{direction[i]:.6f}" for i in (0, 3, 6, 1, 4, 7)),
            "0028|1052": "0",
            "0028|1053": "1",
        }
        change(number, tags)
        for key, value in tags.items():
            piece.SetMetaData(key, value)
        writer.SetFileName(str(folder / f"{series}-{number:03d}.dcm"))
        with _same_locale():
            writer.Execute(piece)


@contextmanager
def _same_locale() -> Iterator[None]:
    """Restore the process's locale, because SimpleITK's DICOM writer leaves "C".

    From then on, Python would decode files and pipes as ASCII.
    """
    before = locale.setlocale(locale.LC_ALL)
    try:
        yield
    finally:
        locale.setlocale(locale.LC_ALL, before)
