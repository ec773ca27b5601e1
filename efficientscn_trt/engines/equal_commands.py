"""The commands of NVIDIA's own tools that build the same engine, so that a fault can be reported to NVIDIA.

`trtexec` is described by samples/common/sampleOptions.cpp of github.com/NVIDIA/TensorRT (read for 8.4 and
10.14) and by the guides for migration to 10 and 11. The source of `tensorrt_rtx` is not public; its options
are those of trtexec, and those that the documentation of TensorRT-RTX 1.7 adds. Polygraphy: its help (0.53).
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..bundle import Profile
from . import api
from .builder import Parsed, tensor_shape
from .options import BuildOptions
from .target import Target


@dataclass(frozen=True)
class EqualCommand:
    """A command for a POSIX shell, `line`, that builds the same engine into the current folder.

    `lacks`: what the build sets and `tool` has no option for, a phrase each.
    """

    tool: str
    line: str
    lacks: tuple[str, ...]


@dataclass(frozen=True)
class Recipe:
    """What an engine is built from: the file `onnx`, which TensorRT read as `parsed`, with `options`.

    `timing_cache`: the file with TensorRT's timings, None if the build has none.
    """

    network: str
    onnx: Path
    parsed: Parsed
    profile: Profile
    options: BuildOptions
    timing_cache: Path | None

    @property
    def engine(self) -> str:
        """Name of the file that a command writes."""
        return f"{self.network}.engine"

    @property
    def shapes(self) -> list[tuple[str, list[str]]]:
        """The shapes of the input, each with its name for the tools."""
        sizes = {"min": self.profile.min, "opt": self.profile.opt, "max": self.profile.max}
        return [(name, [str(length) for length in tensor_shape(size)]) for name, size in sizes.items()]


def equal_commands(target: Target, recipe: Recipe) -> tuple[EqualCommand, EqualCommand]:
    """The commands of `trtexec` (for TensorRT-RTX `tensorrt_rtx`) and of `polygraphy convert`."""
    return _trtexec(target, recipe), _polygraphy(target, recipe)


def _trtexec(target: Target, recipe: Recipe) -> EqualCommand:
    trt, options = target.trt, recipe.options
    words = [target.flavour.tool, f"--onnx={recipe.onnx}", f"--saveEngine={recipe.engine}"]
    for name, shape in recipe.shapes:
        words.append(f"--{name}Shapes={recipe.parsed.input}:{'x'.join(shape)}")
    if options.precision == "fp32":
        words.append("--noTF32")
    if api.is_weakly_typed(trt):
        if options.precision == "fp16":
            words += ["--fp16", "--precisionConstraints=prefer"]
            single = ",".join(f"{layer}:fp32" for layer in recipe.parsed.float32_layers)
            words += [f"--layerPrecisions={single}", f"--layerOutputTypes={single}"] if single else []
    elif hasattr(trt.BuilderFlag, "FP16"):  # else all networks are strongly typed
        words.append("--stronglyTyped")
    if external := api.external_sources(trt):
        words.append(f"--tacticSources={','.join(f'-{source}' for source in external)}")
    if options.workspace_mib is not None:
        words.append(f"--memPoolSize=workspace:{options.workspace_mib}")
    if options.optimization_level is not None:
        words.append(f"--builderOptimizationLevel={options.optimization_level}")
    if _preview(target) is not None:
        words.append("--preview=+runtimeActivationResize")
    if options.version_compatible:
        words += [f"--{_camel(flag)}" for flag in api.version_compatible_flags(trt)]
    if api.CURRENT in target.to_set:
        words.append("--useGpu")
    elif target.to_set:
        listed = ",".join(capability.replace(".", "") for capability in target.to_set)
        words.append(f"--computeCapabilities={listed}")
    if target.gpu is not None and target.gpu.index > 0:
        words.append(f"--device={target.gpu.index}")
    if recipe.timing_cache is not None:
        words.append(f"--timingCacheFile={recipe.timing_cache}")
    if options.error_on_timing_cache_miss:
        words.append("--errorOnTimingCacheMiss")
    words.append("--skipInference" if api.makes_version_compatible(trt) else "--buildOnly")  # until 8.5
    return EqualCommand(target.flavour.tool, shlex.join(words), _without_option(trt))


def _polygraphy(target: Target, recipe: Recipe) -> EqualCommand:
    trt, options = target.trt, recipe.options
    lacks = list(_without_option(trt))
    words = ["polygraphy", "convert", str(recipe.onnx), "-o", recipe.engine]
    for name, shape in recipe.shapes:
        words += [f"--trt-{name}-shapes", f"{recipe.parsed.input}:[{','.join(shape)}]"]
    if not api.is_weakly_typed(trt):
        words.append("--strongly-typed")
    elif options.precision == "fp16":
        words += ["--fp16", "--precision-constraints", "prefer"]
        if recipe.parsed.float32_layers:
            words += ["--layer-precisions", *(f"{layer}:float32" for layer in recipe.parsed.float32_layers)]
            lacks.append("the output types of the layers in float32")
    words += ["--profiling-verbosity", "layer_names_only"]
    if external := api.external_sources(trt):
        own = (source for source in trt.TacticSource.__members__ if source not in external)
        words += ["--tactic-sources", *own]
    if options.workspace is not None:
        words += ["--pool-limit", f"workspace:{options.workspace}"]
    if options.optimization_level is not None:
        words += ["--builder-optimization-level", str(options.optimization_level)]
    if (feature := _preview(target)) is not None:
        words += ["--preview-features", feature.name]
    if options.version_compatible:
        words += [f"--{flag.lower().replace('_', '-')}" for flag in api.version_compatible_flags(trt)]
    if api.CURRENT in target.to_set:
        words.append("--use-gpu")
    elif target.to_set:
        words += ["--compute-capabilities", *target.to_set]
    if recipe.timing_cache is not None:
        words += ["--load-timing-cache", str(recipe.timing_cache)]
    if options.error_on_timing_cache_miss:
        words.append("--error-on-timing-cache-miss")
    variables = []
    if target.gpu is not None and target.gpu.index > 0:
        variables.append(f"CUDA_VISIBLE_DEVICES={target.gpu.index}")
    if not target.flavour.needs_gpu:
        variables.append("POLYGRAPHY_USE_TENSORRT_RTX=1")
        if options.precision == "fp32":
            lacks.append("TF32 off")
    return EqualCommand("Polygraphy", " ".join([*variables, shlex.join(words)]), tuple(lacks))


def _without_option(trt: Any) -> tuple[str, ...]:
    """What neither tool has an option for."""
    return (api.USER_ALLOCATION,) if hasattr(trt.BuilderFlag, api.USER_ALLOCATION) else ()


def _preview(target: Target) -> Any:
    """The preview feature that a build switches on, None if there is none. TensorRT-RTX has it on."""
    return api.activation_resize(target.trt) if target.flavour.needs_gpu else None


def _camel(flag: str) -> str:
    first, *rest = flag.lower().split("_")
    return first + "".join(map(str.capitalize, rest))
