"""SimpleITK as another reader, in a process of its own, because some headers make it die."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from fuzz.worker import Worker, serve

_worker = Worker(__file__, seconds=5)


def by_simple_itk(path: Path) -> tuple[np.ndarray, np.ndarray | None] | None:
    """HU [x, y, z], and the affine from indices to mm in RAS. None if SimpleITK cannot read it, or dies."""
    found: tuple[np.ndarray, np.ndarray | None] | None = _worker.ask(str(path))
    return found


def _read(path: str) -> Any:
    import SimpleITK as sitk

    try:
        image = sitk.ReadImage(path)
    except RuntimeError:
        return None
    if image.GetNumberOfComponentsPerPixel() != 1:
        return None
    values = sitk.GetArrayFromImage(image).transpose()
    if image.GetDimension() != 3:
        return values.squeeze(), None
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return values, np.diag([-1, -1, 1, 1]) @ affine


if __name__ == "__main__":
    serve(_read)
