"""The peers compute what the released code computed, from the weights in a bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

pytest.importorskip("tensorflow")
pytest.importorskip("tf2onnx")


@pytest.fixture(scope="module")
def bundle(shared: Path, pytestconfig: pytest.Config) -> Path:
    """The released localization network and the SCN of the golden weights."""
    from support.released_bundle import released_bundle

    return released_bundle(shared, pytestconfig.cache.mkdir("released-bundle")).path


def test_weights_are_read_back_from_a_bundle(shared: Path, bundle: Path) -> None:
    from candidates.networks_of_bundle import read_weights

    from efficientscn_trt.export.reference.checkpoint import read_checkpoint

    with np.load(shared / "golden" / "scn_weights.npz") as golden:
        found = read_weights("segmentation", bundle / "segmentation.onnx")
        assert found.keys() == set(golden.files)
        for name in golden.files:
            np.testing.assert_array_equal(found[name], golden[name])
    saved = read_checkpoint("localization", shared / "models" / "localization").arrays
    for name, array in read_weights("localization", bundle / "localization.onnx").items():
        np.testing.assert_array_equal(array, saved[name])


def test_the_tensorflow_pipeline_gives_the_golden_run(shared: Path, bundle: Path, tmp_path: Path) -> None:
    from candidates.tensorflow_pipeline import TensorflowPipeline

    path = shared / "data" / "ct" / "example_ct.nii.gz"
    outcome = TensorflowPipeline(str(bundle)).segment(path)
    with np.load(shared / "golden" / "example_ct.npz") as golden:
        np.testing.assert_array_equal(outcome.box_mm, [golden["valid_bbox_start"], golden["valid_bbox_end"]])
        assert outcome.input_sizes["segmentation"] == tuple(golden["valid_bbox_size"])
    expected = sitk.ReadImage(str(shared / "golden" / "example_ct_label.nii.gz"))
    outcome.save(tmp_path / "labels.nii.gz")
    found = sitk.ReadImage(str(tmp_path / "labels.nii.gz"))
    labels = sitk.GetArrayViewFromImage(found)
    assert np.mean(labels == sitk.GetArrayViewFromImage(expected)) >= 0.9999
    assert found.GetDirection() == expected.GetDirection()
