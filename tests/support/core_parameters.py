"""The core's parameters: the released pipeline's, except those that a test changes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from efficientscn_trt import _core
from efficientscn_trt import bundle as bundles


def localization_parameters(**changes: Any) -> _core.LocalizationParameters:
    return _core.LocalizationParameters(**asdict(bundles.LocalizationParameters()) | changes)


def segmentation_parameters(**changes: Any) -> _core.SegmentationParameters:
    return _core.SegmentationParameters(**asdict(bundles.SegmentationParameters()) | changes)
