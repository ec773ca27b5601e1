"""The first bytes of a plan: which TensorRT wrote it, and for which GPUs. Nothing is loaded.

| bytes | from 8.6 on, and TensorRT-RTX | until 8.5 |
| --- | --- | --- |
| 0 to 3 | `ftrt`; of TensorRT-RTX `vtrt` | `ptrt` |
| 4 to 7 | 0 | 0 |
| 8 to 15 | number of parts | serialization number, and 0 |
| 16 to 23 | bytes of the whole plan | not used here |
| 24 to 27 | major, minor, patch, build of the version | |
| 32 to 39 | of TensorRT-RTX: a bit for each compute capability, and the last for newer ones | |

NVIDIA's documents do not describe the header. The tag and the version of TensorRT are those that `trtexec
--getPlanVersionOnly` reads (samples/common/sampleEngines.cpp of github.com/NVIDIA/TensorRT). The size is what
lean 11.4 and RTX 1.7 check. The serialization numbers are from issue 3073 there; 8.5.3 writes that of 8.5.
The bits were found with plans that RTX 1.4, 1.5, 1.6 and 1.7 built for each of their compute capabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...errors import BundleError
from ...io.wording import excerpt
from ..flavours import TENSORRT, TENSORRT_RTX

HEADER_BYTES = 64
"""The whole header of TensorRT-RTX's plans. TensorRT's is 32 bytes long, that of 8.5 and older 24."""

_OLD, _NEW, _RTX = b"ptrt", b"ftrt", b"vtrt"
_OLD_VERSIONS = {205: "8.2", 213: "8.4", 232: "8.5"}
_RTX_1_4 = ("7.5", "8.0", "8.6", "8.9", "12.0")
_RTX_CAPABILITIES = {"1.4": _RTX_1_4, **dict.fromkeys(("1.5", "1.6", "1.7"), (*_RTX_1_4, "12.1"))}


@dataclass(frozen=True)
class PlanHeader:
    """What the header of a plan says.

    `flavour`: "tensorrt" or "tensorrt-rtx". `version`: such as "10.3.0.26"; of 8.5 and older its beginning or
    None, because their plans have only a `serialization` number. `compute_capabilities`: of the GPUs that it
    is for; None if they are not known from it. `newer`: whether it is for others too, which this package
    does not know. `bytes`: the size that the plan should have; None if it is not known from the header.
    """

    flavour: str
    version: str | None
    serialization: int | None
    compute_capabilities: tuple[str, ...] | None
    newer: bool
    bytes: int | None


def read_header(path: Path, start: bytes) -> PlanHeader:
    """The header in `start`, the first HEADER_BYTES of the file `path`. Raises BundleError if it is none."""
    tag = start[:4]
    least = {_OLD: 24, _NEW: 32, _RTX: HEADER_BYTES}.get(tag)
    if least is None:
        raise BundleError(
            f"{path} is no plan of TensorRT: it begins with {_beginning(start)}, expected ftrt (TensorRT "
            "from 8.6 on), ptrt (TensorRT until 8.5) or vtrt (TensorRT-RTX); name a file that TensorRT built."
        )
    if len(start) < least:
        raise BundleError(
            f"{path} is cut off: it has {len(start)} bytes, and the header of a plan alone has {least}; "
            "copy it again."
        )
    if tag == _OLD:
        number = int.from_bytes(start[8:12], "little")
        return PlanHeader(TENSORRT.name, _OLD_VERSIONS.get(number), number, None, False, None)
    form = int.from_bytes(start[4:8], "little")
    if form != 0:
        raise BundleError(
            f"{path} has a header of an unknown form (number {form}, expected 0); upgrade efficientscn-trt "
            "(pip install --upgrade efficientscn-trt)."
        )
    size, version = int.from_bytes(start[16:24], "little"), ".".join(map(str, start[24:28]))
    if tag == _NEW:
        return PlanHeader(TENSORRT.name, version, None, None, False, size)
    names = _RTX_CAPABILITIES.get(".".join(map(str, start[24:26])))
    if names is None:  # a release may give a bit another meaning: the last of 1.4 is that of 12.1 in 1.5
        return PlanHeader(TENSORRT_RTX.name, version, None, None, False, size)
    bits = int.from_bytes(start[32:40], "little")
    known = tuple(name for bit, name in enumerate(names) if bits >> bit & 1)
    return PlanHeader(TENSORRT_RTX.name, version, None, known, bits >> len(names) != 0, size)


def _beginning(start: bytes) -> str:
    if not start:
        return "nothing, because it is empty"
    text = start[:4].decode("ascii", errors="replace")
    return excerpt(text) if text.isascii() and text.isprintable() else start[:4].hex(" ")
