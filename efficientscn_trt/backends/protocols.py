"""The interfaces of backends, for the code that runs their networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np

    from .. import _core
    from ..triples import Size


class Network(Protocol):
    """One network of a bundle, on the CPU."""

    def run(self, image: np.ndarray, output: np.ndarray) -> None:
        """Run on `image`, float32 [z, y, x], and write into `output`.

        `output` has the shape and type of the network's output, [1, ...].
        """
        ...

    def bytes_for(self, size: Size) -> int:
        """How much memory `run` takes for an image of `size` (z, y, x), beside the image and the output."""
        ...

    def release(self) -> None:
        """Free the buffers; the next run allocates them again."""
        ...


class Networks(Protocol):
    """The two networks."""

    def localize(self, image: np.ndarray) -> np.ndarray:
        """Mask of the organs, bool [z, y, x], of `image`, float32 [z, y, x]."""
        ...

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Probabilities of the labels, float32 [label, z, y, x], of `image`, float32 [z, y, x]."""
        ...


class Backend(Networks, Protocol):
    """The compiled networks of one bundle. No call affects the results of another; calls may overlap."""

    device: str
    precision: str
    runtime: str
    """What runs the networks, with its version, such as "OpenVINO 2026.4.1"."""

    def bytes_for(self, network: str, size: Size) -> int:
        """How much memory of the host the network "localization" or "segmentation" takes for an image of
        `size` (z, y, x), its output included.
        """
        ...

    def trim(self) -> None:
        """Free the memory that is kept for the next image."""
        ...


@runtime_checkable
class DeviceBackend(Backend, Protocol):
    """A backend on a GPU, where the rest of the pipeline runs too."""

    core: _core.DevicePipeline
    """Both stages with these networks and the bundle's parameters."""
    index: int
    """The number of the GPU."""

    def keep_kernels(self, localization: Size, segmentation: Size) -> None:
        """Save the kernels that TensorRT compiled while `core` ran with inputs of these sizes (z, y, x)."""
        ...
