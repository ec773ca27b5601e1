"""A network of fourteen labels, as of FLARE 2022, from its SavedModel to engines, DICOM and a page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from support.dicom import complete, write_series
from support.model_folders import ModelFolders
from support.scans import block_image

from efficientscn_trt import Segmentation, Segmenter
from efficientscn_trt import bundle as bundles
from efficientscn_trt.cli import run
from efficientscn_trt.engines.flavours import TENSORRT_RTX, installed_version

pytest.importorskip("tensorflow")
pytest.importorskip("tf2onnx")

LABELS = (
    "background",
    "liver",
    "right kidney",
    "spleen",
    "pancreas",
    "aorta",
    "inferior vena cava",
    "right adrenal gland",
    "left adrenal gland",
    "gallbladder",
    "esophagus",
    "stomach",
    "duodenum",
    "left kidney",
)
#: SNOMED CT, of DICOM PS3.16 CID 7192.
CODES = {
    "liver": "10200004",
    "right kidney": "64033007",
    "spleen": "78961009",
    "pancreas": "15776009",
    "aorta": "15825003",
    "inferior vena cava": "64131007",
    "right adrenal gland": "23451007",
    "left adrenal gland": "23451007",
    "gallbladder": "28231008",
    "esophagus": "32849002",
    "stomach": "69695003",
    "duodenum": "38848004",
    "left kidney": "64033007",
}
SIDES = {"right": "24028007", "left": "7771000"}  # CID 244

# A small input, so that the test takes a minute.
PARAMETERS = {"segmentation": {"valid_sizes": [[32], [32], [32]]}}


@pytest.fixture(scope="module")
def models(tiny_models: ModelFolders, tmp_path_factory: pytest.TempPathFactory) -> ModelFolders:
    from support.balanced_weights import balanced_weights

    from efficientscn_trt.export.reference.architecture import ScnArchitecture

    folder = tmp_path_factory.mktemp("fourteen")
    np.savez(folder / "weights.npz", **balanced_weights(ScnArchitecture(len(LABELS))))  # type: ignore[arg-type]
    command = ["reference-model", "segmentation", "--weights", str(folder / "weights.npz")]
    assert run([*command, "--labels", ",".join(LABELS), "-o", str(folder / "segmentation")]) == 0
    return ModelFolders(tiny_models.localization, folder / "segmentation")


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DICOM series."""
    folder = tmp_path_factory.mktemp("series")
    write_series(block_image(), folder, change=lambda number, dataset: complete(dataset))
    return folder


@pytest.fixture(scope="module")
def bundle(
    models: ModelFolders, scan: Path, own_cache: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("exported")
    (folder / "parameters.json").write_text(json.dumps(PARAMETERS))
    command = ["export", "--localization", str(models.localization), "--check-input", str(scan), "--quiet"]
    command += ["--segmentation", str(models.segmentation), "-o", str(folder / "bundle")]
    assert run([*command, "--parameters", str(folder / "parameters.json")]) == 0
    yield folder / "bundle"


@pytest.fixture(scope="module")
def result(bundle: Path, scan: Path) -> Segmentation:
    return Segmenter(bundle, "cpu", "fp32").segment(scan)


def test_the_manifest_has_the_names_that_came_with_the_saved_model(bundle: Path) -> None:
    manifest = bundles.load(bundle).manifest
    assert manifest.labels == LABELS
    assert manifest.networks.segmentation.output.shape[1] == 14
    assert manifest.networks.segmentation.core is not None
    assert manifest.provenance["segmentation"]["unrecognised"] == []
    types = {each.name: each.type.code for each in manifest.label_details if each.type}
    assert types == CODES
    for each in manifest.label_details:
        side = SIDES.get(each.name.split()[0])
        assert (each.modifier.code if each.modifier else None) == side


def test_its_labels_are_those_of_the_saved_model(
    bundle: Path, models: ModelFolders, tmp_path: Path, result: Segmentation
) -> None:
    assert set(np.unique(np.asarray(result.array))) == set(range(14))
    sitk.WriteImage(block_image(), str(tmp_path / "ct.nii.gz"))
    command = ["validate", str(bundle), "--localization", str(models.localization), "--quiet"]
    command += ["--segmentation", str(models.segmentation), "--input", str(tmp_path / "ct.nii.gz")]
    # bfloat16 differs more than is allowed, because the margins of untrained weights are small.
    assert run([*command, "--least-dice", "0", "-o", str(tmp_path / "out")]) == 0
    verdicts = json.loads((tmp_path / "out" / "validation.json").read_text())
    agreement = {verdict["backend"]: verdict["fidelity"]["agreement"] for verdict in verdicts}
    assert agreement["cpu fp32"] > 0.9999
    assert agreement["cpu fp32"] > agreement["SavedModel"]  # what float16 changes in the SavedModel


def test_each_label_has_statistics(result: Segmentation) -> None:
    assert list(result.statistics) == list(LABELS[1:])
    found = np.asarray(result.array)
    for value, name in enumerate(LABELS[1:], 1):
        assert result.statistics[name].voxels == np.count_nonzero(found == value)
    assert result.review is not None
    kidney = [reason for reason in result.review.reasons if reason.organ == "left kidney"]
    assert any("in adults (Dabers 2024" in reason.message for reason in kidney)


def test_dicom_seg_has_thirteen_segments(result: Segmentation, tmp_path: Path) -> None:
    highdicom = pytest.importorskip("highdicom")
    result.save(tmp_path / "seg.dcm")
    seg = highdicom.seg.segread(tmp_path / "seg.dcm")
    assert seg.number_of_segments == 13
    for number, name in enumerate(LABELS[1:], 1):
        described = seg.get_segment_description(number)
        assert described.segment_label == name
        assert described.segmented_property_type.value == CODES[name]
        modifiers = described.SegmentedPropertyTypeCodeSequence[0].get(
            "SegmentedPropertyTypeModifierCodeSequence", []
        )
        assert [item.CodeValue for item in modifiers] == [SIDES[side] for side in SIDES if side in name]
    segments = pydicom.dcmread(tmp_path / "seg.dcm").SegmentSequence
    assert len({tuple(segment.RecommendedDisplayCIELabValue) for segment in segments}) == 13


def test_the_page_names_all(result: Segmentation, tmp_path: Path) -> None:
    result.report(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    for name in LABELS[1:]:
        assert name.capitalize() in page


@pytest.mark.skipif(installed_version(TENSORRT_RTX) is None, reason="TensorRT-RTX is not installed")
def test_an_engine_is_built(bundle: Path) -> None:
    assert run(["build", str(bundle), "--target", "tensorrt-rtx", "--quiet"]) == 0
    localization, segmentation = bundles.load(bundle).manifest.engines
    assert (localization.network, segmentation.network) == ("localization", "segmentation")
