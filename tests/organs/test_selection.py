"""Organs that are chosen, and masks of each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from support.scans import block_image, block_labels

from efficientscn_trt import InputError, OutputError, Segmentation, Segmenter
from efficientscn_trt.bundle import Bundle
from efficientscn_trt.organs.selection import mask_files


@pytest.fixture
def result(tiny_bundle: Bundle) -> Segmentation:
    return Segmenter(tiny_bundle, device="cpu").segment(sitk.DICOMOrient(block_image(), "RAS"))


def test_only_some_organs(result: Segmentation) -> None:
    only = result.only("spleen", "kidneys")
    found = np.asarray(result.array)
    np.testing.assert_array_equal(only.array, np.where(np.isin(found, (2, 3)), found, 0))
    assert only.label_names == {0: "background", 2: "kidneys", 3: "spleen"}
    assert list(only.volumes_ml) == ["kidneys", "spleen"]
    assert list(only.statistics) == ["kidneys", "right_kidney", "left_kidney", "spleen"]
    assert only.statistics["spleen"] == result.statistics["spleen"]
    assert only.geometry == result.geometry
    assert set(np.unique(found)) == {0, 1, 2, 3, 4}  # it is left as it was


@pytest.mark.parametrize(
    ("organs", "message"),
    [
        (
            ("liver", "heart"),
            r"The networks do not label heart, expected some of liver, kidneys, spleen, pan",
        ),
        (("background",), r"The networks do not label background, expected some of liver"),
        ((), r"No organ is named, expected some of liver"),
    ],
)
def test_organs_that_cannot_be_chosen(organs: tuple[str, ...], message: str, result: Segmentation) -> None:
    with pytest.raises(InputError, match=message):
        result.only(*organs)


def test_a_mask_of_each(result: Segmentation, tmp_path: Path) -> None:
    result.only("liver", "pancreas").save_each(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["liver.nii.gz", "pancreas.nii.gz"]
    scan = sitk.DICOMOrient(block_image(), "RAS")
    for name, value in (("liver", 1), ("pancreas", 4)):
        mask = sitk.ReadImage(str(tmp_path / f"{name}.nii.gz"))
        assert mask.GetSize() == scan.GetSize()
        np.testing.assert_allclose(mask.GetOrigin(), scan.GetOrigin(), atol=1e-4)
        np.testing.assert_allclose(mask.GetDirection(), scan.GetDirection(), atol=1e-6)
        turned = sitk.GetArrayFromImage(sitk.DICOMOrient(mask, "LPS"))
        assert set(np.unique(turned)) == {0, 1}
        assert (turned.astype(bool) == (block_labels() == value)).mean() > 0.99


@pytest.mark.parametrize("name", ["a/b", ".", "a\\b", "/etc/liver"])
def test_names_that_no_file_can_have(name: str) -> None:
    with pytest.raises(OutputError, match=r"The label .* cannot be the name of a file; write one label map"):
        mask_files(Path("masks"), {0: "background", 1: name})
