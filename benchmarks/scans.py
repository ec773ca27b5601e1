"""The scans for the measurements: one phantom on several grids, so that the box in mm stays the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import SimpleITK as sitk

from efficientscn_trt import bundle as bundles
from efficientscn_trt.phantom import FIRST_UNSEEN_SEED, make_phantom

SEED = FIRST_UNSEEN_SEED + 1
STRETCH_XYZ = (1.0, 1.25, 0.8)
"""Factors for the body, so that the segmentation network's input has the size usual for patients."""

DRAWN_XYZ = (256, 256, 120)
SIZE_XYZ = (512, 512, 120)
"""Size of a usual abdominal CT."""

INPUT_ZYX = (96, 128, 160)
"""Input size of the segmentation network for the phantom, with the released parameters."""


def write_released_bundle(source: Path, path: Path) -> Path:
    """Write the networks of the bundle `source` with the released pipeline's parameters, like the peers.

    The demo bundle has coarser parameters to stay small, but the benchmarks measure the released pipeline.
    """
    bundle = bundles.load(source)
    networks = {}
    for name in bundles.NETWORKS:
        entry = getattr(bundle.manifest.networks, name)
        half = None if entry.float16 is None else bundle.file(name, "fp16").read_bytes()
        networks[name] = bundles.NetworkSource(
            bundle.file(name), entry.opset, entry.parameters, entry.input, entry.output, half, entry.core
        )
    manifest = bundle.manifest
    bundles.write(
        path,
        name=manifest.name,
        description=manifest.description,
        labels=manifest.labels,
        pipeline=bundles.PipelineParameters(),
        localization=networks["localization"],
        segmentation=networks["segmentation"],
        provenance=manifest.provenance,
        label_details=manifest.label_details,
    )
    return path


def write_phantom(path: Path, size_xyz: Sequence[int] = SIZE_XYZ) -> Path:
    """Write the phantom, enlarged to `size_xyz` voxels over the same field of view, and return `path`.

    It is drawn on a coarser grid and resampled, because drawing 512×512×800 voxels would take minutes.
    """
    image = make_phantom(SEED, DRAWN_XYZ).image
    image.SetSpacing([mm * factor for mm, factor in zip(image.GetSpacing(), STRETCH_XYZ, strict=True)])
    return write_resampled(image, path, size_xyz)


def write_resampled(image: sitk.Image, path: Path, size_xyz: Sequence[int]) -> Path:
    """Write `image` on a grid of `size_xyz` voxels over the same field of view."""
    old, spacing = image.GetSize(), image.GetSpacing()
    new_spacing = [s * n / m for s, n, m in zip(spacing, old, size_xyz, strict=True)]
    # The volume's corner stays in place, so the centre of the first voxel moves.
    shift = [(new - s) / 2 for new, s in zip(new_spacing, spacing, strict=True)]
    origin = image.TransformContinuousIndexToPhysicalPoint(
        [d / s for d, s in zip(shift, spacing, strict=True)]
    )
    filter_ = sitk.ResampleImageFilter()
    filter_.SetSize([int(n) for n in size_xyz])
    filter_.SetOutputSpacing(new_spacing)
    filter_.SetOutputOrigin(origin)
    filter_.SetOutputDirection(image.GetDirection())
    filter_.SetInterpolator(sitk.sitkLinear)
    filter_.UseNearestNeighborExtrapolatorOn()
    sitk.WriteImage(filter_.Execute(image), str(path), useCompression=True)
    return path


def write_cut(source: Path, path: Path, slices: int) -> Path:
    """Write the middle `slices` of the scan `source`; they show less of the organs, so the box is smaller."""
    image = sitk.ReadImage(str(source))
    first = (image.GetDepth() - slices) // 2
    sitk.WriteImage(image[:, :, first : first + slices], str(path), useCompression=True)
    return path


def write_series(image: sitk.Image, folder: Path) -> Path:
    """Write `image` as a DICOM series with a file per slice."""
    folder.mkdir()
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for number in range(image.GetDepth()):
        plane = sitk.Cast(image[:, :, number], sitk.sitkInt16)
        place = image.TransformIndexToPhysicalPoint((0, 0, number))
        for tag, value in {
            "0008|0016": "1.2.840.10008.5.1.4.1.1.2",
            "0008|0018": f"2.25.1.{number + 1}",
            "0008|0060": "CT",
            "0020|000d": "2.25.2",
            "0020|000e": "2.25.1",
            "0020|0032": "\\".join(f"{mm:.6f}" for mm in place),
            "0020|0037": "1\\0\\0\\0\\1\\0",
            "0020|0013": str(number + 1),
            "0028|1052": "0",
            "0028|1053": "1",
        }.items():
            plane.SetMetaData(tag, value)
        writer.SetFileName(str(folder / f"{number:03d}.dcm"))
        writer.Execute(plane)
    return folder
