"""Cases from folders and phantoms, and the cache that keeps them prepared."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from support.tiny_cases import SPACING, tiny_case, write_case

from efficientscn_trt.errors import InputError
from efficientscn_trt.training.cases import Cache, Folder, Mixture, Phantoms
from efficientscn_trt.training.prepare import RawCase, prepare_localization, prepare_segmentation


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b", "a"):
        write_case(tmp_path, name, *tiny_case(ord(name)))
    return tmp_path


def test_a_folder_gives_its_pairs(folder: Path) -> None:
    (folder / "labels" / "alone.nii.gz").touch()
    source = Folder(folder)
    assert source.names == ["a", "b"]
    case = source.load("a")
    hu, labels = tiny_case(ord("a"))
    np.testing.assert_array_equal(case.hu, hu)
    np.testing.assert_array_equal(case.labels, labels)
    assert case.spacing == (SPACING,) * 3 and case.known == (1, 2, 3, 4)
    draws = {source.draw(np.random.default_rng(seed)) for seed in range(20)}
    assert draws == {"a", "b"}


def test_challenge_names_and_other_orientations_are_read(tmp_path: Path) -> None:
    hu, labels = tiny_case(0)
    write_case(tmp_path, "case", hu, labels, direction=-1)
    image = tmp_path / "images" / "case.nii.gz"
    image.rename(image.with_name("case_0000.nii.gz"))
    case = Folder(tmp_path).load("case")
    np.testing.assert_array_equal(case.hu, hu)
    np.testing.assert_array_equal(case.labels, labels)


def test_labels_that_a_case_lacks_may_count_as_unknown(tmp_path: Path) -> None:
    hu, labels = tiny_case(0)
    write_case(tmp_path, "case", hu, np.where(labels == 3, 0, labels))
    assert Folder(tmp_path).load("case").known == (1, 2, 3, 4)
    assert Folder(tmp_path, ignore_missing=True).load("case").known == (1, 2, 4)


def test_bad_folders_are_refused_with_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="images/NAME"):
        Folder(tmp_path).names  # noqa: B018
    hu, labels = tiny_case(0)
    write_case(tmp_path, "small", hu[:20], labels)
    write_case(tmp_path, "classes", hu, labels * 20)
    for part in ("images", "labels"):
        assert (tmp_path / part).is_dir()
    with pytest.raises(InputError, match="value 20"):
        Folder(tmp_path).load("classes")
    write_case(tmp_path / "x", "small", hu[:20], labels[:20])
    (tmp_path / "x" / "images" / "small.nii.gz").replace(tmp_path / "images" / "small.nii.gz")
    with pytest.raises(InputError, match=r"40, 40, 20"):
        Folder(tmp_path).load("small")


def test_damaged_cases_are_refused(folder: Path) -> None:
    """ITK reads half a NIfTI file without an error."""
    for kind, name in (("images", "a"), ("labels", "b")):
        path = folder / kind / f"{name}.nii.gz"
        path.write_bytes(path.read_bytes()[:-500])
        with pytest.raises(InputError, match=rf"{kind}/{name}\.nii\.gz is damaged or cut short"):
            Folder(folder).load(name)


def test_labels_along_other_axes_are_refused(folder: Path, tmp_path: Path) -> None:
    write_case(tmp_path / "turned", "a", *tiny_case(ord("a")), direction=-1)
    (tmp_path / "turned" / "labels" / "a.nii.gz").replace(folder / "labels" / "a.nii.gz")
    with pytest.raises(InputError, match="The image and the labels of case a have different axis directions"):
        Folder(folder).load("a")


def test_phantoms_are_drawn_below_the_unseen_ones() -> None:
    from efficientscn_trt.phantom import FIRST_UNSEEN_SEED

    source = Phantoms(count=3, first_seed=50)
    keys = {source.draw(np.random.default_rng(seed)) for seed in range(30)}
    assert keys == {"phantom-50", "phantom-51", "phantom-52"}
    assert Phantoms(count=999_000).first_seed + 999_000 == FIRST_UNSEEN_SEED
    with pytest.raises(InputError, match=r"kept for evaluation .* train on at most 999000"):
        Phantoms(count=999_001)
    first, second = source.load("phantom-50"), source.load("phantom-50")
    np.testing.assert_array_equal(first.hu, second.hu)
    assert first.spacing == second.spacing and first.spacing[1] == first.spacing[2]
    assert set(np.unique(first.labels)) <= {0, 1, 2, 3, 4}


def test_some_scans_end_within_the_organs() -> None:
    for case in (Phantoms(1, seed, cut_share=1.0).load(f"phantom-{seed}") for seed in (7, 8)):
        assert case.labels[0].any() or case.labels[-1].any()


def test_a_mixture_draws_from_both(folder: Path) -> None:
    source = Mixture(Folder(folder), Phantoms(5), 0.5)
    keys = [source.draw(np.random.default_rng(seed)) for seed in range(40)]
    ours = [key for key in keys if key in ("1-a", "1-b")]
    assert 8 < len(ours) < 32
    assert source.load("1-a").hu.shape == (40, 40, 40)
    assert source.identity("2-phantom-1000") == Phantoms(5).identity("phantom-1000")


def test_the_cache_prepares_a_case_once_until_its_file_changes(folder: Path, tmp_path: Path) -> None:
    loads: list[str] = []

    class Counting(Folder):
        def load(self, key: str) -> RawCase:
            loads.append(key)
            return super().load(key)

    for _ in range(2):
        cache = Cache(Counting(folder), prepare_localization, tmp_path / "cache", held=1)
        for key in ("a", "b", "a"):
            assert cache.get(key).spacing == 6.0
    assert loads == ["a", "b"]
    write_case(folder, "a", *tiny_case(99))
    Cache(Counting(folder), prepare_localization, tmp_path / "cache").get("a")
    assert loads == ["a", "b", "a"]


def test_a_case_without_organs_is_refused_by_name(tmp_path: Path) -> None:
    image, labels = tiny_case(0)
    write_case(tmp_path, "empty", image, labels * 0)
    cache = Cache(Folder(tmp_path), prepare_segmentation, tmp_path / "cache")
    with pytest.raises(
        InputError, match=r"Case empty: The label map has no annotated organ; leave the case out"
    ):
        cache.get("empty")


def test_the_cache_keeps_spacings_apart(folder: Path, tmp_path: Path) -> None:
    spacings = [
        Cache(Folder(folder), prepare, tmp_path / "cache").get("a").spacing
        for prepare in (prepare_segmentation, partial(prepare_segmentation, spacing_mm=4.0))
    ]
    assert spacings == [2.0, 4.0]
