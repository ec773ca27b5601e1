"""The folders of two SavedModels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ModelFolders:
    """The folders of the two networks' SavedModels."""

    localization: Path
    segmentation: Path
