"""The whole pipeline on HU thresholds, where the labels are known."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from support.scans import SIZE_ZYX, SPACING_XYZ, block_array, block_image, block_labels

from efficientscn_trt import ScanWarning, Segmenter, segment
from efficientscn_trt.bundle import Bundle
from efficientscn_trt.segmenter import STAGES


def _huge_array() -> np.ndarray:
    """So long that stage 1 must be coarser than 6 mm, with other proportions than the small array."""
    return np.tile(block_array(), (8, 2, 2))[:, ::-1]


def test_labels_volumes_and_box(segmenter: Segmenter) -> None:
    result = segmenter.segment(block_image())
    truth = block_labels()
    assert isinstance(result.array, np.ndarray)
    assert (result.array == truth).mean() > 0.98
    assert result.array.dtype == np.uint8
    assert result.label_names == {0: "background", 1: "liver", 2: "kidneys", 3: "spleen", 4: "pancreas"}
    voxel_ml = np.prod(SPACING_XYZ) / 1000
    for value, name in list(result.label_names.items())[1:]:
        assert result.volumes_ml[name] == pytest.approx((result.array == value).sum() * voxel_ml)
    assert "background" not in result.volumes_ml
    assert result.warnings == []
    assert (truth[result.box.voxels] > 0).sum() == (truth > 0).sum()
    assert all(start < end for start, end in zip(result.box.start_mm, result.box.end_mm, strict=True))


def test_the_account_of_the_run(segmenter: Segmenter) -> None:
    calls: list[tuple[str, int, int]] = []
    result = segmenter.segment(block_image(), progress=lambda *call: calls.append(call))
    assert calls == [(stage, i, len(STAGES)) for i, stage in enumerate(STAGES)]
    assert tuple(result.seconds) == STAGES
    assert all(seconds >= 0 for seconds in result.seconds.values())
    assert 50e6 < result.peak_host_memory < 1e12
    assert (result.device, result.precision) == (segmenter.device, segmenter.precision)


@pytest.mark.parametrize("code", ["RAS", "LPI", "SAL", "PIR"])
def test_orientation_changes_neither_labels_nor_geometry(code: str, segmenter: Segmenter) -> None:
    image = block_image()
    expected = segmenter.segment(image)
    stored = sitk.DICOMOrient(image, code)
    result = segmenter.segment(stored)
    _assert_same_geometry(result.image, stored)
    back = sitk.DICOMOrient(result.image, "LPS")
    np.testing.assert_array_equal(sitk.GetArrayViewFromImage(back), expected.array)
    assert result.box.start_mm == expected.box.start_mm
    assert result.volumes_ml == expected.volumes_ml
    assert isinstance(result.array, np.ndarray) and isinstance(expected.array, np.ndarray)
    assert (result.array[result.box.voxels] > 0).sum() == (expected.array > 0).sum()


@pytest.mark.parametrize("code", ["LPS", "RAS", "SAL"])
def test_oblique_changes_neither_labels_nor_geometry(code: str, segmenter: Segmenter) -> None:
    image = sitk.DICOMOrient(block_image(), code)
    straight = segmenter.segment(image)
    turn = sitk.VersorTransform((0.6, 0.0, 0.8), np.deg2rad(11)).GetMatrix()
    direction = np.reshape(turn, (3, 3)) @ np.reshape(image.GetDirection(), (3, 3))
    image.SetDirection(direction.ravel().tolist())
    result = segmenter.segment(image)
    _assert_same_geometry(result.image, image)
    np.testing.assert_array_equal(result.array, straight.array)


def _assert_same_geometry(a: sitk.Image, b: sitk.Image) -> None:
    assert a.GetSize() == b.GetSize()
    assert a.GetSpacing() == b.GetSpacing()
    assert a.GetOrigin() == b.GetOrigin()
    assert a.GetDirection() == b.GetDirection()


def test_images_leave_no_trace_in_one_another(tiny_bundle: Bundle) -> None:
    small, huge = block_array(), _huge_array()
    alone = {name: segment(a, tiny_bundle, spacing=SPACING_XYZ) for name, a in (("s", small), ("h", huge))}
    for order in ("hs", "sh", "hsh"):
        both = Segmenter(tiny_bundle)
        for name in order:
            result = both.segment(small if name == "s" else huge, spacing=SPACING_XYZ)
            np.testing.assert_array_equal(result.array, alone[name].array)
            assert result.box == alone[name].box
            assert result.volumes_ml == alone[name].volumes_ml
            assert result.warnings == alone[name].warnings


def test_one_segmenter_serves_several_threads(segmenter: Segmenter) -> None:
    arrays = [np.roll(block_array(), shift, axis=(0, 1, 2)) for shift in range(3)] + [_huge_array()]
    expected = [segmenter.segment(array, spacing=SPACING_XYZ).array for array in arrays]
    with ThreadPoolExecutor(4) as pool:
        jobs = [
            (i, pool.submit(segmenter.segment, array, spacing=SPACING_XYZ))
            for _ in range(4)
            for i, array in enumerate(arrays)
        ]
    for i, job in jobs:
        np.testing.assert_array_equal(job.result().array, expected[i])


def test_the_number_of_threads_changes_nothing(tiny_bundle: Bundle, segmenter: Segmenter) -> None:
    one = Segmenter(tiny_bundle, threads=1).segment(block_image())
    np.testing.assert_array_equal(one.array, segmenter.segment(block_image()).array)


def test_the_scan_is_not_changed(segmenter: Segmenter) -> None:
    array = block_array()
    array.flags.writeable = False
    segmenter.segment(array, spacing=SPACING_XYZ)
    np.testing.assert_array_equal(array, block_array())


def test_strided_arrays(segmenter: Segmenter) -> None:
    expected = segmenter.segment(block_array(), spacing=SPACING_XYZ).array
    fortran = np.asfortranarray(block_array())
    every_second = np.repeat(block_array(), 2, axis=2)[:, :, ::2]
    for array in (fortran, every_second, block_array()[::-1, ::-1][::-1, ::-1]):
        np.testing.assert_array_equal(segmenter.segment(array, spacing=SPACING_XYZ).array, expected)
    assert expected.shape == SIZE_ZYX


def test_the_default_bundle_is_named_by_the_environment(
    tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EFFICIENTSCN_BUNDLE", str(tiny_bundle.path))
    assert Segmenter().bundle == tiny_bundle


def test_a_segmenter_can_be_sent_to_another_process(tiny_bundle: Bundle) -> None:
    import pickle

    original = Segmenter(tiny_bundle, device="cpu", precision="fp32", threads=1)
    copy = pickle.loads(pickle.dumps(original))
    assert (copy.bundle, copy.device, copy.precision) == (tiny_bundle, "cpu", "fp32")
    np.testing.assert_array_equal(copy.segment(block_image()).array, original.segment(block_image()).array)


def test_the_notice_of_a_bundle_is_a_warning(tmp_path: Path) -> None:
    from support.tiny_bundle import write_tiny_bundle

    bundle = write_tiny_bundle(
        tmp_path / "bundle", provenance={"notice": "These weights\nknow phantoms only."}
    )
    assert segment(block_image(), bundle).warnings == [
        ScanWarning("bundle-notice", "These weights know phantoms only.")
    ]
