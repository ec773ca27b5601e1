"""Phantoms: the same bits for a seed, any grid, and the anatomy that a reader of CT expects."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from efficientscn_trt.errors import InputError
from efficientscn_trt.phantom import LABEL_NAMES, Phantom, make_phantom

COARSE = (4.0, 4.0, 5.0)
LIVER, KIDNEYS, SPLEEN, PANCREAS = range(1, 5)
SEEDS = range(6)


def arrays(phantom: Phantom) -> tuple[np.ndarray, np.ndarray]:
    return sitk.GetArrayFromImage(phantom.image), sitk.GetArrayFromImage(phantom.labels)


@pytest.fixture(scope="module")
def phantoms() -> list[tuple[np.ndarray, np.ndarray]]:
    return [arrays(make_phantom(seed, spacing_xyz=COARSE)) for seed in SEEDS]


def middle(labels: np.ndarray, label: int) -> np.ndarray:
    """Mean position (z, y, x) in mm."""
    return np.argwhere(labels == label).mean(0) * COARSE[::-1]


def test_a_seed_gives_the_same_bits_and_another_seed_others(
    phantoms: list[tuple[np.ndarray, np.ndarray]],
) -> None:
    again = arrays(make_phantom(0, spacing_xyz=COARSE))
    for first, second in zip(phantoms[0], again, strict=True):
        np.testing.assert_array_equal(first, second)
    assert phantoms[0][0].shape != phantoms[1][0].shape or (phantoms[0][0] != phantoms[1][0]).any()


def test_image_and_labels_are_of_the_types_and_the_geometry_promised() -> None:
    phantom = make_phantom(3, size_xyz=(40, 30, 20), spacing_xyz=(8.0, 9.0, 17.5))
    assert phantom.seed == 3
    assert phantom.image.GetPixelID() == sitk.sitkInt16 and phantom.labels.GetPixelID() == sitk.sitkUInt8
    for image in (phantom.image, phantom.labels):
        assert image.GetSize() == (40, 30, 20)
        assert image.GetSpacing() == (8.0, 9.0, 17.5)
        assert image.GetDirection() == (1, 0, 0, 0, 1, 0, 0, 0, 1)
    assert phantom.image.GetOrigin() == phantom.labels.GetOrigin()


@pytest.mark.parametrize("size", [(1, 1, 1), (90, 1, 2), (33, 47, 17)])
def test_any_size_is_filled_with_the_field_of_view(size: tuple[int, int, int]) -> None:
    phantom = make_phantom(1, size_xyz=size)
    assert phantom.image.GetSize() == size
    view = np.multiply(phantom.image.GetSpacing(), size)
    np.testing.assert_allclose(view, np.multiply(make_phantom(1, size_xyz=(5, 5, 5)).image.GetSpacing(), 5))
    assert arrays(phantom)[0].min() >= -1024 and arrays(phantom)[0].max() <= 3071


def test_the_body_is_the_same_on_another_grid(phantoms: list[tuple[np.ndarray, np.ndarray]]) -> None:
    fine = make_phantom(0, spacing_xyz=(2.5, 2.5, 2.5))
    for label in range(1, 5):
        coarse_ml = (phantoms[0][1] == label).sum() * np.prod(COARSE) / 1000
        fine_ml = (arrays(fine)[1] == label).sum() * 2.5**3 / 1000
        assert fine_ml == pytest.approx(coarse_ml, rel=0.05)


def test_volumes_are_those_of_adults(phantoms: list[tuple[np.ndarray, np.ndarray]]) -> None:
    ranges = {LIVER: (700, 2400), KIDNEYS: (90, 500), SPLEEN: (60, 420), PANCREAS: (30, 160)}
    for _, labels in phantoms:
        for label, (least, most) in ranges.items():
            assert least < (labels == label).sum() * np.prod(COARSE) / 1000 < most, LABEL_NAMES[label]


def test_organs_lie_where_they_belong(phantoms: list[tuple[np.ndarray, np.ndarray]]) -> None:
    for hu, labels in phantoms:
        # In LPS x grows to the patient's left, y to the back, z to the head.
        center = (np.array(hu.shape) - 1) / 2 * COARSE[::-1]
        liver, kidneys, spleen, pancreas = (middle(labels, label) for label in range(1, 5))
        assert liver[2] < center[2] < spleen[2]
        assert liver[2] < pancreas[2] < spleen[2]
        assert kidneys[0] < liver[0] and kidneys[0] < spleen[0]
        assert kidneys[1] > pancreas[1]
        on_left = np.argwhere(labels == KIDNEYS)[:, 2] * COARSE[0] > center[2]
        assert 0 < on_left.mean() < 1
        # The trunk is larger than its organs, so the organs must be found.
        (z, y, x) = np.ptp(np.argwhere(labels > 0), axis=0) * COARSE[::-1]
        assert z < 0.8 * hu.shape[0] * COARSE[2] and x < 0.9 * hu.shape[2] * COARSE[0] and y < 240
        assert 120 < np.ptp(np.argwhere(labels == LIVER)[:, 2]) * COARSE[0] < 290


def test_tissues_have_their_hu(phantoms: list[tuple[np.ndarray, np.ndarray]]) -> None:
    for hu, labels in phantoms:
        for label in range(1, 5):
            assert 0 < np.median(hu[labels == label]) < 260
        assert (hu < -950).mean() > 0.1  # air around
        assert ((hu > -900) & (hu < -600)).mean() > 0.02  # lungs
        assert ((hu > -130) & (hu < -60)).mean() > 0.1  # fat
        assert (hu > 250).sum() > 500  # bone


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"seed": -1}, "-1"),
        ({"seed": 0, "size_xyz": (10, 10)}, "(10, 10)"),
        ({"seed": 0, "size_xyz": (10, 0, 10)}, "(10, 0, 10)"),
        ({"seed": 0, "spacing_xyz": (1, 1, float("nan"))}, "nan"),
        ({"seed": 0, "spacing_xyz": (1, -1, 1)}, "-1"),
    ],
)
def test_impossible_grids_are_refused_with_what_was_found(arguments: dict, found: str) -> None:
    with pytest.raises(InputError) as error:
        make_phantom(**arguments)
    assert found in str(error.value) and "give" in str(error.value)
