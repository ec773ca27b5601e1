"""Samples of a case: where they are taken, how they are moved, and how intensities change."""

from __future__ import annotations

import numpy as np
import pytest
from support.tiny_cases import SPACING, tiny_case

from efficientscn_trt.training.augment import STRENGTHS, Augmentation, sample
from efficientscn_trt.training.prepare import STEP, PreparedCase, RawCase, prepare_segmentation
from efficientscn_trt.training.sampling import draw_sample, valid_size

SIZE = (32, 32, 32)
STILL = Augmentation(1.0, 0.0, 0.0, 0.0, 0.0, 50.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def case() -> PreparedCase:
    hu, labels = tiny_case(0)
    return prepare_segmentation(RawCase(hu, labels, (SPACING,) * 3, (1, 2, 3, 4)))


def middle(case: PreparedCase) -> np.ndarray:
    return np.mean(case.box, axis=0)


def draw(
    case: PreparedCase, augmentation: Augmentation, seed: int = 0, center: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    image, labels = sample(case, middle(case) if center is None else center, SIZE, augmentation, rng)
    assert image.shape == (1, 1, *SIZE) and labels.shape == (1, *SIZE)
    return image[0, 0].numpy(), labels[0].numpy()


def plain(case: PreparedCase) -> tuple[np.ndarray, np.ndarray]:
    start = np.round(middle(case) - 16).astype(int)
    part = tuple(slice(first, first + 32) for first in start)
    return case.values[part] * np.float32(STEP), case.labels[part]


def test_without_augmentation_voxels_are_taken_as_they_are(case: PreparedCase) -> None:
    for ours, theirs in zip(draw(case, STRENGTHS["none"]), plain(case), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_transformation_of_nothing_is_the_identity(case: PreparedCase) -> None:
    image, labels = draw(case, STILL)
    expected, expected_labels = plain(case)
    np.testing.assert_allclose(image, expected, atol=1e-4)
    np.testing.assert_array_equal(labels, expected_labels)


def test_beyond_the_case_is_its_outside(case: PreparedCase) -> None:
    far = np.array([-200.0, 0, 0])
    for augmentation in (STRENGTHS["none"], STILL):
        image, labels = draw(case, augmentation, center=far)
        assert not labels.any()
        np.testing.assert_array_equal(image, case.outside)


@pytest.mark.parametrize(
    "augmentation",
    [
        Augmentation(1.0, 8.0, 0.0, 0.0, 0.0, 50.0, 0.0, 0.0),
        Augmentation(1.0, 0.0, 15.0, 0.0, 0.0, 50.0, 0.0, 0.0),
        Augmentation(1.0, 0.0, 0.0, 0.2, 0.0, 50.0, 0.0, 0.0),
        Augmentation(1.0, 0.0, 0.0, 0.0, 6.0, 30.0, 0.0, 0.0),
    ],
    ids=["translation", "rotation", "scale", "elastic"],
)
def test_each_movement_moves_image_and_labels_alike(case: PreparedCase, augmentation: Augmentation) -> None:
    image, labels = draw(case, augmentation, seed=4)
    _, still = plain(case)
    assert (labels != still).any()
    for label in range(1, 5):
        inside = case.values[case.labels == label] * STEP
        assert np.median(image[labels == label]) == pytest.approx(np.median(inside), abs=30 / 2048)
        assert (labels == label).sum() > 0.3 * (case.labels == label).sum()


def test_translation_is_bounded_and_scale_changes_volume(case: PreparedCase) -> None:
    _, still = plain(case)
    moved = Augmentation(1.0, 6.0, 0.0, 0.0, 0.0, 50.0, 0.0, 0.0)
    scaled = Augmentation(1.0, 0.0, 0.0, 0.2, 0.0, 50.0, 0.0, 0.0)
    volumes = []
    for seed in range(8):
        shift = np.argwhere(draw(case, moved, seed)[1] == 2).mean(0) - np.argwhere(still == 2).mean(0)
        assert np.abs(shift).max() < 6.0 / case.spacing + 0.5
        volumes.append((draw(case, scaled, seed)[1] == 3).sum() / (still == 3).sum())
    assert 0.3 < min(volumes) < 0.9 and 1.1 < max(volumes) < 3


def test_intensities_are_shifted_and_scaled_alone(case: PreparedCase) -> None:
    image, labels = draw(case, Augmentation(0.0, intensity_shift_hu=50.0, intensity_scale=0.2), seed=1)
    expected, expected_labels = plain(case)
    np.testing.assert_array_equal(labels, expected_labels)
    gain, shift = np.polyfit(expected.ravel(), image.ravel(), 1)
    assert 0.8 <= gain <= 1.2 and gain != 1 and abs(shift) * 2048 <= 50
    np.testing.assert_allclose(image, gain * expected + shift, atol=1e-5)


def test_samples_depend_on_the_generator_alone(case: PreparedCase) -> None:
    first, second, other = (draw(case, STRENGTHS["strong"], seed)[0] for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


def test_sizes_are_those_of_inference() -> None:
    assert valid_size((31, 31, 31)) == (32, 32, 32)
    assert valid_size((32, 95, 300)) == (64, 96, 160)
    assert valid_size((160, 128, 129)) == (160, 128, 160)


def test_the_region_is_the_box_with_a_margin_on_every_side(case: PreparedCase) -> None:
    for seed in range(5):
        image, labels = draw_sample(case, "segmentation", (), STRENGTHS["none"], np.random.default_rng(seed))
        assert all(size in (32, 64, 96) for size in image.shape[2:])
        # The sample contains all voxels of every organ.
        assert (labels.numpy() > 0).sum() == (case.labels > 0).sum()


def test_crops_are_of_the_sizes_given_and_show_organs(case: PreparedCase) -> None:
    crops = ((32, 32, 32), (32, 32, 64))
    sizes, shares = set(), []
    for seed in range(20):
        image, labels = draw_sample(
            case, "segmentation", crops, STRENGTHS["usual"], np.random.default_rng(seed)
        )
        sizes.add(tuple(image.shape[2:]))
        shares.append(bool(labels.any()))
    assert sizes == set(crops)
    assert np.mean(shares) > 0.7
