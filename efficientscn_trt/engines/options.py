"""What a user may choose about the engines to build."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PRECISIONS = ("fp16", "fp32")


@dataclass(frozen=True)
class BuildOptions:
    """How to build engines.

    `precision`: "fp16", from the float16 forms in the bundle, or "fp32".

    `compute_capabilities`: of the GPUs to build for, such as "8.9", or "current"; for "tensorrt-rtx" only.
    Empty means all from 8.0 on that the installed version knows.

    `version_compatible`: let TensorRT's lean runtime of the same version run them too, perhaps more slowly.

    `workspace`: bytes of scratch memory that any one layer may use; None means TensorRT's own limit.

    `optimization_level`: from 0, the fastest build, to 5, the most thorough; None means TensorRT's own, 3.

    `timing_cache`: the file with TensorRT's timings, which is read, and written after each network; None
    means one beside the bundle, or none where keys are trusted. For "tensorrt" only.

    `error_on_timing_cache_miss`: end the build where a timing is missing, so that nothing is timed. The same
    timings choose the same kernels.
    """

    precision: str = "fp16"
    compute_capabilities: tuple[str, ...] = ()
    version_compatible: bool = False
    workspace: int | None = None
    optimization_level: int | None = None
    timing_cache: Path | None = None
    error_on_timing_cache_miss: bool = False

    @property
    def workspace_mib(self) -> str | None:
        """`workspace` in MiB, as the command lines write it."""
        return None if self.workspace is None else f"{self.workspace / (1 << 20):g}"


DEFAULT = BuildOptions()
