"""A NIfTI scan lies where nibabel lays it, and its label map lies where each program lays the scan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spm2analyze import Spm2AnalyzeHeader
from scipy.spatial.transform import Rotation
from support.nifti import AFFINE, affine_of, header_of, labels_of, load, noise, write, write_pair
from support.scans import block_image

from efficientscn_trt import InputError, Segmenter
from efficientscn_trt.io.orientation import Geometry
from efficientscn_trt.io.reading import read
from efficientscn_trt.io.writing import EXTENSIONS
from efficientscn_trt.io.writing import write as write_image

#: The fields of a header that say where its volume lies.
PLACE = (
    *("pixdim", "xyzt_units", "qform_code", "sform_code"),
    *("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"),
    *("srow_x", "srow_y", "srow_z"),
)


def turned(
    rotation: np.ndarray, spacing: Any = (0.8, 1.1, 2.5), origin: Any = (-12.5, 40.25, 7)
) -> np.ndarray:
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = rotation * spacing, origin
    return affine


def by_sitk(path: Path) -> Any:
    """Where SimpleITK lays the file. None if it refuses it."""
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError:
        return None
    return image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection()


rotations = st.tuples(st.integers(0, 2**32 - 1), st.booleans()).map(
    lambda drawn: Rotation.random(random_state=drawn[0]).as_matrix() * (1, 1, -1 if drawn[1] else 1)
)


@given(
    qform=st.none() | rotations,
    sform=st.none() | rotations,
    codes=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    kind=st.sampled_from([Nifti1Header, Nifti2Header]),
    endianness=st.sampled_from("<>"),
    units=st.sampled_from([0, 2, 10]),
    fields=st.sampled_from(
        [{}, {}, {"pixdim": (0, 0.8, 1.1, 2.5, 0, 0, 0, 0)}, {"pixdim": (-1, -0.8, 1.1, 2.5, 7, 0, 0, 0)}]
    ),
)
def test_any_forms(
    qform: np.ndarray | None,
    sform: np.ndarray | None,
    codes: tuple[int, int],
    kind: type[Nifti1Header],
    endianness: str,
    units: int,
    fields: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder, array = tmp_path_factory.mktemp("nifti"), noise()
    header = header_of(
        array,
        qform=None if qform is None else turned(qform),
        sform=None if sform is None else turned(sform),
        kind=kind,
        endianness=endianness,
        xyzt_units=units,
        **fields,
    )
    for name, code in zip(("qform_code", "sform_code"), codes, strict=True):
        header[name] = code if header[name] else 0
    path = write(folder / "ct.nii", array, header)
    image, loaded = read(path), load(path)
    if header["qform_code"] or header["sform_code"]:
        np.testing.assert_allclose(affine_of(image.geometry), loaded.affine, atol=1e-4)
    else:
        assert [warning.code for warning in image.warnings] == ["orientation-assumed"]
    both = bool(header["qform_code"] and header["sform_code"])
    differ = both and not np.allclose(loaded.get_qform(), loaded.get_sform(), atol=1e-3)
    negative = bool((header["pixdim"][1:4] < 0).any() and (header["qform_code"] or header["sform_code"]))
    assert ("forms-differ" in [warning.code for warning in image.warnings]) == (differ or negative)

    labels = labels_of(path, folder / "labels.nii.gz")
    written = load(labels)
    np.testing.assert_array_equal(written.affine, loaded.affine)
    assert type(written) is type(loaded)
    assert written.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(written.dataobj, np.ones(array.shape))
    raw = kind.from_fileobj(nibabel.openers.Opener(str(labels)), check=False)
    for name in PLACE:
        assert raw[name].tobytes() == header[name].tobytes(), name
    assert by_sitk(labels) == by_sitk(path)


@pytest.mark.parametrize("kind", [Nifti1Header, Nifti2Header, Spm2AnalyzeHeader])
def test_pairs(kind: Any, tmp_path: Path) -> None:
    """The label map is one file, but lies where the pair lies."""
    array = noise()
    path = write_pair(tmp_path / "ct.hdr", array, header_of(array, kind=kind))
    labels = labels_of(tmp_path / "ct.img", tmp_path / "labels.nii")
    np.testing.assert_array_equal(load(labels).affine, load(path).affine)
    assert by_sitk(labels) == by_sitk(path)


@pytest.mark.parametrize(("unit", "factor"), [(0, 1), (1, 1000), (2, 1), (3, 0.001)])
def test_the_unit_counts(unit: int, factor: float, tmp_path: Path) -> None:
    """As in SimpleITK; nibabel leaves it to its caller."""
    path = write(tmp_path / "ct.nii", noise(), header_of(noise(), xyzt_units=unit))
    geometry = read(path).geometry
    np.testing.assert_allclose(geometry.spacing, np.array([1.5, 2, 3]) * factor)
    _, spacing, origin, direction = by_sitk(path)
    np.testing.assert_allclose(geometry.spacing, spacing)
    np.testing.assert_allclose(geometry.origin, origin)
    np.testing.assert_allclose(geometry.direction, direction)


def _forms_differ(message: str, tmp_path: Path, **options: Any) -> None:
    image = read(write(tmp_path / "ct.nii", noise(), header_of(noise(), **options)))
    (warning,) = image.warnings
    assert warning.code == "forms-differ"
    assert (
        warning.message == f"The header of {tmp_path / 'ct.nii'} places the scan in two ways: its {message}."
    )


MIRRORED, SHIFTED, FINER = AFFINE.copy(), AFFINE.copy(), AFFINE.copy()
MIRRORED[0] *= -1
SHIFTED[2, 3] += 25
FINER[:3, 0] /= 2


@pytest.mark.parametrize(
    ("qform", "found"),
    [
        (MIRRORED, "differ by up to 80.0 mm (LPS and RPS)"),
        (SHIFTED, "differ by up to 25.0 mm"),
        (FINER, "differ by up to 4.5 mm (spacings of 1.5 × 2 × 3 and 0.75 × 2 × 3 mm)"),
    ],
)
def test_forms_that_differ(qform: np.ndarray, found: str, tmp_path: Path) -> None:
    message = f"sform and its qform {found}. The sform was used; other programs may use the qform"
    _forms_differ(message, tmp_path, qform=qform)


def test_pixdim_that_differs_from_the_only_form(tmp_path: Path) -> None:
    _forms_differ(
        "sform and its pixdim differ by up to 6.0 mm (spacings of 1.5 × 2 × 3 and 2.5 × 2 × 3 mm). The sform "
        "was used; other programs may use the pixdim",
        tmp_path,
        qform=None,
        pixdim=(1, 2.5, 2, 3, 1, 1, 1, 1),
    )


LEANING = AFFINE.copy()
LEANING[0, 2] = 3.2


@pytest.mark.parametrize(
    ("fields", "used", "left", "fault"),
    [
        ({"srow_x": 0}, "qform", "sform", "leaves no volume"),
        ({"srow_y": np.nan}, "qform", "sform", "is not finite or no rotation"),
        ({"srow_y": (-1.5, 0, 0, 40)}, "qform", "sform", "leaves no volume"),
        ({"srow_x": (-1.5, 0, 3.2, 40)}, "qform", "sform", "has axes that lean by more than 45°"),
        ({"quatern_b": 3}, "sform", "qform", "is not finite or no rotation"),
        ({"pixdim": (1, 0, 2, 3, 1, 1, 1, 1)}, "sform", "qform", "leaves no volume"),
        ({"pixdim": (1, np.inf, 2, 3, 1, 1, 1, 1)}, "sform", "qform", "is not finite or no rotation"),
        ({"qoffset_x": np.inf}, "sform", "qform", "is not finite or no rotation"),
    ],
)
def test_a_form_that_cannot_be_used(
    fields: dict[str, Any], used: str, left: str, fault: str, tmp_path: Path
) -> None:
    message = f"{used} and its {left} differ, and the {left} {fault}. The {used} was used; other programs"
    _forms_differ(f"{message} may use the {left}", tmp_path, **fields)
    assert read(tmp_path / "ct.nii").geometry.spacing == (1.5, 2, 3)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"sform": None, "quatern_b": 3}, r"because its qform is not finite or no rotation; save it again"),
        ({"qform": None, "srow_x": 0}, r"because its sform leaves no volume; save it again"),
        ({"quatern_b": 3, "srow_x": 0}, r"its sform leaves no volume and its qform is not finite or no"),
        ({"qform": None, "sform": LEANING}, r"because its sform has axes that lean by more than 45°"),
        (
            {"sform": None, "pixdim": (1, 0, 2, 3, 1, 1, 1, 1)},
            r"has the spacing 0 × 2 × 3 mm, expected",
        ),
        ({"sform": None, "qform": None, "pixdim": np.nan}, r"has the spacing nan × nan × nan mm"),
    ],
)
def test_no_form_that_can_be_used(fields: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "ct.nii", noise(), header_of(noise(), **fields))
    with pytest.raises(InputError, match=message):
        read(path)


@pytest.mark.parametrize("code", [-1, 6, 256])
@pytest.mark.parametrize("form", ["sform", "qform"])
def test_a_form_of_an_unknown_code_is_none(form: str, code: int, tmp_path: Path) -> None:
    """As in nibabel. ITK takes some of them."""
    path = tmp_path / "ct.nii"
    header = header_of(noise(), qform=MIRRORED)
    header[f"{form}_code"] = code
    image = read(write(path, noise(), header))
    np.testing.assert_allclose(affine_of(image.geometry), load(path).affine, atol=1e-5)
    assert [(warning.code, warning.message) for warning in image.warnings] == [
        (
            "forms-differ",
            f"The header of {path} has the {form} code {code}, expected 0 to 5, so its {form} was ignored; "
            "other programs may mirror or move the scan.",
        )
    ]
    header[f"{'qform' if form == 'sform' else 'sform'}_code"] = 0
    image = read(write(path, noise(), header))
    assert [warning.code for warning in image.warnings] == ["orientation-assumed"]


@pytest.mark.parametrize(
    ("pixdim", "found"),
    [
        ((1, 1.5, -2, 3), "has a negative spacing (pixdim), whose sign was ignored"),
        ((-2, 1.5, 2, 3), "has the qfac -2 (pixdim), expected 1 or -1, so 1 was used"),
    ],
)
def test_signs_that_other_programs_read_otherwise(
    pixdim: tuple[float, ...], found: str, tmp_path: Path
) -> None:
    path = tmp_path / "ct.nii"
    image = read(write(path, noise(), header_of(noise(), sform=None, pixdim=(*pixdim, 1, 1, 1, 1))))
    np.testing.assert_allclose(affine_of(image.geometry), load(path).affine, atol=1e-5)
    assert [str(warning) for warning in image.warnings] == [
        f"The header of {path} {found}; other programs may mirror or move the scan."
    ]


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_the_label_map_of_another_format(extension: str, segmenter: Segmenter, tmp_path: Path) -> None:
    """Where the label map is no NIfTI, or the scan is none, nibabel and SimpleITK agree within float32."""
    image = sitk.DICOMOrient(block_image(), "RIA")
    sitk.WriteImage(image, str(tmp_path / "ct.mha"))
    segmenter.segment(tmp_path / "ct.mha").save(tmp_path / f"labels{extension}")
    size, spacing, origin, direction = by_sitk(tmp_path / f"labels{extension}")
    assert size == image.GetSize()
    np.testing.assert_allclose(spacing, image.GetSpacing(), rtol=1e-6)
    np.testing.assert_allclose(origin, image.GetOrigin(), rtol=1e-6)
    np.testing.assert_allclose(direction, image.GetDirection(), atol=1e-6)
    if "nii" in extension:
        written = load(tmp_path / f"labels{extension}")
        np.testing.assert_allclose(written.affine, affine_of(Geometry.of(image)), rtol=1e-6, atol=1e-4)
        np.testing.assert_allclose(written.get_qform(), written.affine, atol=1e-4)
        assert (written.header["qform_code"], written.header["sform_code"]) == (1, 1)


def test_voxels_are_in_the_byte_order_of_the_header(tmp_path: Path) -> None:
    path = write(tmp_path / "ct.nii", noise(), header_of(noise(), endianness=">"))
    image = read(path)
    write_image(image.array, image.geometry, tmp_path / "copy.nii")
    assert (tmp_path / "copy.nii").read_bytes()[352:] == path.read_bytes()[352:]
    np.testing.assert_array_equal(load(tmp_path / "copy.nii").dataobj, noise())


def test_a_grid_too_large_for_nifti_1(tmp_path: Path) -> None:
    labels = np.ones((2, 2, 32768), np.uint8)
    write_image(labels, Geometry((32768, 2, 2), (0.1, 1, 2)), tmp_path / "labels.nii.gz")
    written = load(tmp_path / "labels.nii.gz")
    assert isinstance(written, nibabel.Nifti2Image)
    assert written.shape == (32768, 2, 2)
    np.testing.assert_allclose(np.diag(written.affine), [-0.1, -1, 2, 1])
