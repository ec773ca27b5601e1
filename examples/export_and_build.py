"""Export two SavedModels to a bundle, and add TensorRT-RTX engines for some GPUs. No GPU is needed.

python export_and_build.py LOCALIZATION SEGMENTATION BUNDLE [COMPUTE_CAPABILITY ...]
"""

import sys

from efficientscn_trt.engines import BuildOptions
from efficientscn_trt.engines.build import build_engines
from efficientscn_trt.export import EngineProof, export_bundle


def main(localization: str, segmentation: str, output: str, *compute_capabilities: str) -> None:
    """Build for `compute_capabilities` such as "8.9", by default for all from 8.0 on."""
    exported = export_bundle(localization, segmentation, output)
    for network in (exported.localization, exported.segmentation):
        agreement = 100 * network.reference.agreement
        print(f"{network.role}: {agreement:.3f} % of the outputs agree with the SavedModel")

    proof = EngineProof()
    options = BuildOptions(compute_capabilities=compute_capabilities)
    built = build_engines(exported.bundle, "tensorrt-rtx", options, proof=proof)
    for report in built.engines:
        engine = report.engine
        print(f"{engine.file}: {engine.precision}, for {', '.join(engine.compute_capabilities)}")
    for warning in (*built.warnings, *proof.warnings):
        print(f"Warning: {warning}", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
