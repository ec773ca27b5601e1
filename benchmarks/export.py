"""Compare graphs before and after the export: nodes, seconds, and the engines that TensorRT-RTX builds.

"Plain" is the SavedModel as tf2onnx converts it, "folded" is the plain graph with its constant shape
arithmetic computed, and "optimised" is the graph that the export writes into a bundle. All three are built in
float32, so that only the graphs differ; the optimised one is also built in float16. Activation memory is
given for the largest input. No GPU is needed.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
import onnx_ir as ir
from candidates.plain import plain_network, write_saved_models
from report import COLOURS, Report, figure, parser, say

from efficientscn_trt import bundle as bundles
from efficientscn_trt.engines import BuildOptions
from efficientscn_trt.engines.builder import NetworkBuilder, OnnxFile
from efficientscn_trt.engines.flavours import TENSORRT_RTX, installed_version
from efficientscn_trt.engines.profiles import profile_for
from efficientscn_trt.engines.target import find_target
from efficientscn_trt.errors import DeviceError
from efficientscn_trt.export import export_bundle
from efficientscn_trt.export.passes import constants
from efficientscn_trt.export.savedmodel import Role

CAPABILITY = "8.9"
"""Compute capability of the GPUs that the engines are built for."""


def main() -> None:
    """Measure and write."""
    arguments = parser(__doc__).parse_args()
    report = Report("Export: plain and optimised graphs")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        say("writing the SavedModels")
        saved = write_saved_models(arguments.bundle, folder / "saved")
        begin = time.perf_counter()
        exported = export_bundle(
            saved["localization"], saved["segmentation"], folder / "bundle", progress=say
        )
        seconds = time.perf_counter() - begin
        files: list[tuple[Role, str, Path, str]] = []
        for role, model in saved.items():
            say(f"{role}: the plain conversion")
            graph = plain_network(model, role)
            plain, folded = (folder / f"{role}-{kind}.onnx" for kind in ("plain", "folded"))
            ir.save(graph, plain)
            constants.PASS(graph)
            ir.save(graph, folded)
            files.append((role, "plain", plain, "fp32"))
            files.append((role, "folded", folded, "fp32"))
            files.append((role, "optimised", exported.bundle.file(role), "fp32"))
            if getattr(exported.bundle.manifest.networks, role).float16 is not None:
                files.append((role, "optimised, float16", exported.bundle.file(role, "fp16"), "fp16"))
        for role, kind, file, precision in files:
            say(f"{role}, {kind}: building an engine")
            report.results[f"{role}, {kind}"] = {
                "network": role,
                "kind": kind,
                "nodes": len(onnx.load(str(file)).graph.node),
                "onnx_bytes": file.stat().st_size,
                **_engine(file, precision, profile_for(role, exported.bundle.manifest.pipeline)),
            }
    report.text(f"The whole export takes {seconds:.0f} s, including its checks.")
    report.table(
        ("", "Nodes", "ONNX (MB)", "Engine (MB)", "Built in (s)", "Activation memory (MB)"),
        [
            [
                name,
                str(result["nodes"]),
                *(_megabytes(result[key]) for key in ("onnx_bytes", "engine_bytes")),
                "–" if result["build_seconds"] is None else f"{result['build_seconds']:.1f}",
                _megabytes(result["activation_bytes"]),
            ]
            for name, result in report.results.items()
        ],
    )
    for name, result in report.results.items():
        if result["refusal"] is not None:
            report.text(f"{name}: {result['refusal']}")
    for network in (exported.localization, exported.segmentation):
        report.table(
            (f"{network.role.capitalize()}, step", "Nodes before", "after", "Seconds"),
            [[s.name, str(s.before), str(s.after), f"{s.seconds:.1f}"] for s in network.steps],
        )
        report.results[f"{network.role}, steps"] = [
            {"name": s.name, "before": s.before, "after": s.after, "seconds": s.seconds}
            for s in network.steps
        ]
    report.write(arguments, _draw)


def _engine(file: Path, precision: str, profile: bundles.Profile) -> dict[str, Any]:
    """Return bytes, seconds and activation memory of an engine, or the refusal with None for each."""
    none = {"engine_bytes": None, "build_seconds": None, "activation_bytes": None}
    if installed_version(TENSORRT_RTX) is None:
        return {**none, "refusal": f"{TENSORRT_RTX.title} is not installed."}
    options = BuildOptions(precision=precision, compute_capabilities=(CAPABILITY,))
    builder = NetworkBuilder(find_target(TENSORRT_RTX.name, None, options), options)
    try:
        plan = builder.build(OnnxFile.read(file), profile, can_load=False)
    except DeviceError as error:
        return {**none, "refusal": str(error).replace(str(file), "the graph")}
    return {
        "engine_bytes": len(plan.content),
        "build_seconds": plan.seconds,
        "activation_bytes": plan.activation.largest if plan.activation else None,
        "refusal": None,
    }


def _megabytes(count: int | None) -> str:
    return "–" if count is None else f"{count / 1e6:.1f}"


def _draw(results: Mapping[str, Any]) -> Any:
    graphs = {name: result for name, result in results.items() if isinstance(result, dict)}
    picture = figure(9, 0.8 + 0.5 * len(graphs))
    panels = (
        ("nodes", 1, "Nodes"),
        ("engine_bytes", 1e6, "Engine (MB)"),
        ("activation_bytes", 1e6, "Activation memory (MB)"),
    )
    for axes, (key, unit, title), colour in zip(
        picture.subplots(1, 3, sharey=True), panels, COLOURS, strict=False
    ):
        names = list(graphs)[::-1]
        axes.barh(names, [(graphs[name][key] or 0) / unit for name in names], color=colour)
        axes.set_xlabel(title)
        axes.spines[["top", "right"]].set_visible(False)
    return picture


if __name__ == "__main__":
    main()
