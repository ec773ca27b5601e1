"""Where two SavedModels lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ModelFolders:
    """Folders of two SavedModels."""

    localization: Path
    segmentation: Path
