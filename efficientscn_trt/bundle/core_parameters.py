"""Convert the pipeline's numbers from the manifest's types to the core's."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .. import _core
from ..errors import BundleError
from .manifest import MANIFEST, PipelineParameters
from .reader import Bundle


@dataclass(frozen=True)
class CoreParameters:
    """The numbers of both stages, as the core takes them."""

    localization: _core.LocalizationParameters
    segmentation: _core.SegmentationParameters

    @classmethod
    def of(cls, pipeline: PipelineParameters) -> CoreParameters:
        """Convert the parameters of a manifest. Raises ValueError if they make no sense."""
        return cls(
            _core.LocalizationParameters(**dataclasses.asdict(pipeline.localization)),
            _core.SegmentationParameters(**dataclasses.asdict(pipeline.segmentation)),
        )


def core_parameters(bundle: Bundle) -> CoreParameters:
    """Return the parameters of `bundle`. Raises BundleError if they make no sense."""
    try:
        return CoreParameters.of(bundle.manifest.pipeline)
    except ValueError as error:
        raise BundleError(f"{bundle.path}: {MANIFEST}: {error}") from error


@contextmanager
def bundle_errors() -> Iterator[None]:
    """Raise BundleError where the core says that parameters or networks do not suit a scan."""
    try:
        yield
    except ValueError as error:
        raise BundleError(f"The bundle cannot segment this scan: {error}") from error
