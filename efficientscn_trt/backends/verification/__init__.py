"""No engine is used without its proof: its results are compared with those of the network in float32.

A build on a GPU does so before it adds the engines to the bundle (`export.engine_proof`). Engines that were
built for another GPU are verified once, before their first use on one.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from ...bundle import Bundle, Engine, Verification
from ...engines import EngineChoice, Gpu
from ...engines.flavours import FLAVOURS
from ...errors import FidelityError
from ..cpu import CpuBackend
from ..protocols import Networks
from .agreement import LIMITS, Agreement, of_masks, of_probabilities
from .images import CheckImages, phantom_images
from .records import Record, read_record, write_record

__all__ = ["Agreement", "CheckImages", "compare", "judge", "phantom_images", "remarks", "verify_once"]

_log = logging.getLogger(__name__)


def compare(
    bundle: Bundle, engines: Networks, reference: Networks, images: CheckImages
) -> dict[str, Agreement]:
    """How the results of `engines` agree with those of `reference`, by network."""
    masks = [each.localize(images.localization) for each in (reference, engines)]
    probabilities = [each.segment(images.segmentation) for each in (reference, engines)]
    return {
        "localization": of_masks(*masks),
        "segmentation": of_probabilities(probabilities[0], probabilities[1], bundle.manifest.labels),
    }


def remarks(found: Mapping[str, Agreement], images: CheckImages) -> list[str]:
    """A sentence on each network whose result would not show a fault."""
    return [
        f"The {network} network finds hardly an organ in {images.name}, which proves little about its "
        "engine; build with --check-input and a CT that shows organs."
        for network, agreement in found.items()
        if not agreement.shows_organs
    ]


def judge(engine: Engine, agreement: Agreement, images: CheckImages, gpu: str) -> Record:
    """The outcome for an engine that ran on a GPU of the model `gpu`."""
    problems = agreement.problems(LIMITS[engine.precision])
    if problems:
        title = FLAVOURS[engine.flavour].title
        other = "" if engine.precision == "fp32" else ", or with --precision fp32"
        return Record(
            None,
            f"The {engine.precision} engine of the {engine.network} network, by {title} {engine.version}, "
            f"computes something else on {gpu} than the network in float32 on a CPU: for {images.name}, "
            f"{'; '.join(problems)}. It is not used; build engines with another version{other}.",
        )
    z, y, x = getattr(images, engine.network).shape
    verified = Verification(gpu, images.name, (z, y, x), agreement.equal, agreement.dice, agreement.largest)
    return Record(verified, None)


def verify_once(bundle: Bundle, choice: EngineChoice, engines: Networks, gpu: Gpu, driver: str) -> None:
    """Verify the engines of `choice` on `gpu`, unless this was done before; then repeat its outcome.

    Raises FidelityError if an engine must not be used.
    """
    engines_of = {engine.network: engine for engine in (choice.localization, choice.segmentation)}
    unknown = False
    for engine in engines_of.values():
        if engine.verified is not None and engine.verified.gpu == gpu.name:
            continue
        known = read_record(engine, gpu.name, driver)
        if known is None:
            unknown = True
        elif known.fault is not None:
            raise FidelityError(known.fault)
    if not unknown:
        return
    _log.warning("The engines run on %s for the first time, so they are verified once.", gpu.name)
    sizes = {network: engine.profiles[0].opt for network, engine in engines_of.items()}
    images = phantom_images(bundle.manifest.pipeline, **sizes)
    found = compare(bundle, engines, CpuBackend(bundle, "fp32", 0), images)
    for remark in remarks(found, images):
        _log.warning("%s", remark)
    faults = []
    for network, engine in engines_of.items():
        outcome = judge(engine, found[network], images, gpu.name)
        write_record(engine, gpu.name, driver, outcome)
        if outcome.fault is not None:
            faults.append(outcome.fault)
    if faults:
        raise FidelityError(faults[0])
