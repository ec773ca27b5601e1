"""Weights as arrays by checkpoint name: read from .npz, drawn from a seed, checked (no TensorFlow here)."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from efficientscn_trt.errors import ExportError

from .architecture import RELEASED, ScnArchitecture, checkpoint_shapes, released_form
from .checkpoint_names import in_our_names

_FLOAT16_MAX = float(np.finfo(np.float16).max)


def initial_weights(network: str, seed: int = 0, scn: ScnArchitecture = RELEASED) -> dict[str, np.ndarray]:
    """He normal kernels (standard deviation √(2 / fan-in), paper, section 4.2) and zero biases, float32.

    `scn`: the architecture of the segmentation network.

    Raises:
        ValueError: `network` is neither ``localization`` nor ``segmentation``.
    """
    generator = np.random.default_rng(seed)
    weights: dict[str, np.ndarray] = {}
    for name, shape in checkpoint_shapes(network, scn).items():
        if len(shape) == 1:
            weights[name] = np.zeros(shape, np.float32)
        else:
            deviation = math.sqrt(2.0 / math.prod(shape[:-1]))
            weights[name] = (deviation * generator.standard_normal(shape)).astype(np.float32)
    return weights


def load_weights(network: str, path: str | Path) -> dict[str, np.ndarray]:
    """Read the arrays of `network` from an .npz file with the names of a released checkpoint.

    The names are those of `architecture.checkpoint_shapes`, or those in a released SavedModel or in a
    checkpoint of the released training code (`checkpoint_names`). Kernels are (z, y, x, in, out). A
    segmentation network has as many labels as its local network has logits.

    Raises:
        ExportError: the file is missing or not an .npz file, or an array is missing, unknown, of another
            shape, or does not fit float16.
    """
    path = Path(path)
    if not path.is_file():
        raise ExportError(
            f"{path}: there is no such file; give an .npz file with the weights of the {network} network"
        )
    try:
        archive = np.load(path, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ExportError(f"{path} holds a single array; expected an .npz file with an array per weight")
        with archive:
            weights = {name: archive[name] for name in archive.files}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise ExportError(f"{path} cannot be read as an .npz file of plain arrays: {error}") from error
    ours, others = in_our_names(network, weights, str(path))
    return check_weights(network, ours | others, str(path))


def check_weights(
    network: str, weights: Mapping[str, np.ndarray], source: str, scn: ScnArchitecture | None = None
) -> dict[str, np.ndarray]:
    """`weights` as float32 in checkpoint order, after checking that they are those of `network`.

    Args:
        network: ``localization`` or ``segmentation``.
        weights: arrays by checkpoint name.
        source: where the arrays come from, for error messages.
        scn: the architecture of the segmentation network; by default the released one, with as many labels
            as there are local logits.

    Raises:
        ExportError: an array is missing, unknown, of another shape, or does not fit float16.
    """
    expected = checkpoint_shapes(network, scn or released_form(weights))
    first, *_, last = expected
    wanted = f"the {network} network has {len(expected)} arrays, from {first} to {last}"
    missing = [name for name in expected if name not in weights]
    if missing:
        raise ExportError(f"{source} lacks {_first(missing)}; {wanted}")
    unknown = [name for name in weights if name not in expected]
    if unknown:
        raise ExportError(f"{source} has {_first(unknown)}, which the network does not have; {wanted}")
    return {name: _checked(weights[name], name, shape, source) for name, shape in expected.items()}


def _checked(array: np.ndarray, name: str, shape: tuple[int, ...], source: str) -> np.ndarray:
    if array.shape != shape:
        raise ExportError(f"{source}: {name} has shape {array.shape}; expected {shape}")
    if array.dtype.kind not in "fiu":
        raise ExportError(f"{source}: {name} holds {array.dtype}; expected real numbers")
    # The condition is negated because every comparison with NaN is false.
    if not np.all(np.abs(array) <= _FLOAT16_MAX):
        raise ExportError(f"{source}: {name} has values that are NaN or beyond float16 (±{_FLOAT16_MAX:.0f})")
    return np.asarray(array, np.float32)


def _first(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more arrays"
