"""The compiled core's functions, called with any arguments, against NumPy and SciPy."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np

from fuzz import mutation
from fuzz.choices import Choices
from fuzz.core_calls import gpus, memory, networks, stages

PACKAGES = ()
_INPUT_BYTES = 600

_CALLS = (
    stages.value_summary,
    stages.mask_box,
    stages.localization,
    stages.localization,
    stages.localization,
    stages.segmentation,
    stages.segmentation,
    stages.segmentation,
    stages.segmentation,
    networks.combination,
    networks.unet,
    networks.unet_weights,
    memory.arena,
    memory.slabs,
    memory.stage_memory,
    gpus.runs_on,
    gpus.cuda_problem,
)


def seeds() -> Iterator[bytes]:
    random = Random(0)
    for call in range(len(_CALLS)):
        for _ in range(8):
            # FuzzedDataProvider takes numbers from the end.
            yield random.randbytes(_INPUT_BYTES - 1) + bytes([call])


def mutate(data: bytes, random: Random) -> bytes:
    choice = random.random()
    if choice < 0.05:
        return random.randbytes(_INPUT_BYTES - 1) + data[-1:]
    if choice < 0.3 and len(data) > 20:  # other values for a few neighbouring choices
        at = random.randrange(len(data) - 8)
        return data[:at] + random.randbytes(8) + data[at + 8 :]
    return mutation.raw(data)


def check(data: bytes) -> None:
    choices = Choices(data)
    with np.errstate(all="ignore"):
        choices.of(_CALLS)(choices)
