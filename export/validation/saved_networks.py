"""The trained SavedModels as pairs of networks: as they were saved, and without rounding to float16."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..convert import as_float32
from ..savedmodel import SavedModel, load_saved_model

Run = Callable[[np.ndarray], np.ndarray]


class SavedNetworks:
    """Two SavedModels, run by XLA."""

    def __init__(self, localize: Run, segment: Run) -> None:
        self._localize, self._segment = localize, segment

    def localize(self, image: np.ndarray) -> np.ndarray:
        """Mask, bool [z, y, x], of `image` float32 [z, y, x]."""
        return self._localize(image[np.newaxis, np.newaxis]).reshape(image.shape)

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Probabilities, float32 [label, z, y, x], of `image` float32 [z, y, x]."""
        return self._segment(image[np.newaxis, np.newaxis])[0].astype(np.float32)


def load_networks(localization: Path, segmentation: Path, labels: int) -> tuple[SavedNetworks, SavedNetworks]:
    """The models in these folders as float32 networks, and as they were saved. Raises ExportError."""
    localizer = load_saved_model(localization, "localization", labels)
    segmenter = load_saved_model(segmentation, "segmentation", labels)
    exact = SavedNetworks(_in_float32(localizer), _in_float32(segmenter))
    return exact, SavedNetworks(localizer.run, segmenter.run)


def _in_float32(model: SavedModel) -> Run:
    graph = as_float32(model.freeze())
    return lambda image: graph.run(image)["output"]
