"""Every scan is found, once, under a name of its own; what is none, or broken, is named too."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.uid import MRImageStorage
from support.dicom import write_disk, write_series
from support.scans import block_image

from efficientscn_trt import InputError
from efficientscn_trt.batch import listings
from efficientscn_trt.batch.entry import Entry
from efficientscn_trt.batch.worklist import part, worklist
from efficientscn_trt.io.reading import read_series


def _ids(*inputs: Path, out: Path | None = None) -> list[str]:
    return [entry.id for entry in worklist(inputs, out or inputs[0] / "out")]


def _touch(*files: Path) -> None:
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def test_image_files_by_their_endings(scans: Path) -> None:
    names = [
        "a.nii.gz",
        "b.NII",
        "c.nrrd",
        "d.mha",
        "sub/e.mhd",
        "sub/e.raw",
        "sub/f.hdr",
        "sub/f.img",
        "sub/g.Seg.nrrd",
        "g.nhdr",
    ]
    _touch(
        *(scans / name for name in [*names, "notes.txt", "h.csv", ".hidden.nii", ".git/i.nii", "out/j.nii"])
    )
    assert _ids(scans) == ["a", "b", "c", "d", "g", "sub/e", "sub/f"]


def test_scans_of_one_name_are_told_apart(scans: Path, tmp_path: Path) -> None:
    _touch(scans / "a.nii.gz", scans / "a.nrrd", scans / "b.nii", tmp_path / "more" / "B.nii")
    ids = _ids(scans, tmp_path / "more")
    assert len(set(map(str.casefold, ids))) == 4
    assert sorted(each.rpartition("-")[0].casefold() for each in ids) == ["a", "a", "b", "b"]
    assert ids == _ids(scans, tmp_path / "more")
    assert _ids(scans, scans) == _ids(scans)  # given twice


def test_dicom_series_in_folders_of_their_own(scans: Path) -> None:
    write_series(block_image(), scans / "first" / "ct")
    write_series(block_image(), scans / "second")
    (scans / "second" / "notes.txt").write_text("notes")
    assert _ids(scans) == ["first/ct", "second"]


def _two_series(folder: Path) -> list[str]:
    """Two series in one folder; returns their UIDs."""
    for number in (1, 2):
        write_series(block_image(), folder, series=number)
    return [str(dcmread(folder / f"{number}-000.dcm").SeriesInstanceUID) for number in (1, 2)]


def test_several_series_in_one_folder(scans: Path) -> None:
    uids = _two_series(scans / "study")
    entries = worklist([scans], scans / "out")
    assert [entry.id for entry in entries] == [f"study/{uid}" for uid in uids]
    assert [entry.series for entry in entries] == uids
    assert not set(entries[0].files) & set(entries[1].files)


@pytest.mark.parametrize("few", [listings._FEW, 0], ids=["in this process", "in several processes"])
def test_a_series_in_several_folders_is_one_scan(
    few: int, scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listings, "_FEW", few)
    write_series(block_image(), scans / "study" / "a")
    files = sorted((scans / "study" / "a").iterdir())
    (scans / "study" / "b").mkdir()
    for file in files[::2]:
        file.rename(scans / "study" / "b" / file.name)
    (entry,) = worklist([scans], scans / "out")
    assert entry.id == "study"
    assert len(entry.files) == len(files)


def test_zip_archives(scans: Path, tmp_path: Path) -> None:
    write_series(block_image(), tmp_path / "one")
    uids = _two_series(tmp_path / "two")
    for name in ("one", "two"):
        with zipfile.ZipFile(scans / f"{name}.zip", "w") as archive:
            for file in (tmp_path / name).iterdir():
                archive.write(file, file.name)
    (scans / "broken.zip").write_bytes((scans / "one.zip").read_bytes()[:-30])
    assert _ids(scans) == ["broken", "one", *(f"two/{uid}" for uid in uids)]


def _to_mr(number: int, dataset: Dataset) -> None:
    dataset.SOPClassUID, dataset.Modality = MRImageStorage, "MR"


def test_what_should_be_a_scan_and_is_none_is_named(scans: Path) -> None:
    (scans / "empty").mkdir()
    _touch(scans / "zero.nii.gz")
    (scans / "garbage").mkdir()
    (scans / "garbage" / "1.dcm").write_bytes(b"no DICOM")
    write_series(block_image(), scans / "mr", change=_to_mr)
    assert _ids(scans) == ["empty", "garbage", "mr", "zero"]


def test_a_folder_that_cannot_be_read_costs_no_other(scans: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _touch(scans / "closed" / "a.nii", scans / "open" / "b.nii")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if os.path.basename(path) == "closed":  # also for root, who may read all folders
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert _ids(scans) == ["closed", "open/b"]


def test_damaged_files_come_with_the_series_of_their_folder(scans: Path) -> None:
    write_series(block_image(), scans / "ct")
    (scans / "ct" / "broken.dcm").write_bytes(b"no DICOM")
    (entry,) = worklist([scans], scans / "out")
    assert scans / "ct" / "broken.dcm" in entry.files


def test_the_list_of_a_disk_comes_with_its_series(scans: Path) -> None:
    write_disk(scans / "disk", block_image(), block_image())

    def found() -> dict[str | None, list[str]]:
        entries = worklist([scans], scans / "out")
        images = {entry.series: read_series(entry.path, entry.files, entry.series) for entry in entries}
        return {series: [warning.code for warning in image.warnings] for series, image in images.items()}

    first, second = found()
    assert found() == {first: [], second: []}
    for file in sorted((scans / "disk").rglob("*")):
        if file.is_file() and file.name != "DICOMDIR" and dcmread(file).SeriesInstanceUID == first:
            file.unlink()
            break
    assert found() == {first: ["missing-files"], second: []}


def test_a_list_without_its_images_is_named(scans: Path) -> None:
    file = write_disk(scans / "disk", block_image())
    for place in (scans / "disk").iterdir():
        if place.is_dir():
            shutil.rmtree(place)
    (entry,) = worklist([scans], scans / "out")
    assert entry == Entry("disk", scans / "disk", (file,))
    with pytest.raises(InputError, match="has a DICOMDIR, a list of 34 images, but not the images; give the"):
        read_series(entry.path, entry.files)


def test_links_are_followed_once(scans: Path) -> None:
    _touch(scans / "deep" / "a.nii")
    (scans / "deep" / "back").symlink_to(scans)
    (scans / "gone.nii").symlink_to(scans / "nothing")
    os.mkfifo(scans / "pipe.nii")
    assert _ids(scans) == ["deep/a"]


def test_single_files(scans: Path) -> None:
    _touch(scans / "a.nii.gz", scans / "odd")
    assert _ids(scans / "a.nii.gz", scans / "odd", out=scans) == ["a", "odd"]


def test_no_scans(scans: Path) -> None:
    (scans / "notes.txt").touch()
    with pytest.raises(InputError, match=r"scans has no scans; give image files, folders with DICOM series"):
        _ids(scans)
    with pytest.raises(InputError, match="There is no file or folder"):
        _ids(scans / "none")
    with pytest.raises(InputError, match="has the scans and is the output folder too"):
        _ids(scans, out=scans / ".." / "scans")


def test_a_table(scans: Path) -> None:
    (scans / "cases.csv").write_text(
        '\ufeffid,age,path,series_uid\nP1/first,60,in/a.nii,\n"P2, Ä",,/data/b,1.2.3\n', encoding="utf-8"
    )
    assert worklist([scans / "cases.csv"], scans) == [
        Entry("P1/first", scans / "in" / "a.nii"),
        Entry("P2, Ä", Path("/data/b"), series="1.2.3"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id;path\na;b\n", r"has the columns \['id;path'\], expected id, path and, if needed, series_uid"),
        ("", r"has the columns \[\]"),
        ("id,path\n", "has no scans"),
        ("id,path\na,b\nA,c\n", r"has the id 'A' in line 2 and in line 3; name each once"),
        ("id,path\na\n", r"line 2, has the id 'a' and the path ''"),
        ("id,path\n,b\n", r"line 2, has the id ''"),
        ("id,path\n../a,b\n", r"line 2, has the id '../a'.* does not lead out of a folder"),
        ("id,path\n/a,b\n", "line 2, has the id '/a'"),
        ('id,path\n"a\tb",c\n', "line 2, has the id"),
        ('id,path\n"a,b\n', "is no table in UTF-8, separated by commas"),
        ("id,path\n\x00,b\n", "line 2, has the id|is no table"),
    ],
)
def test_tables_that_are_refused(text: str, message: str, scans: Path) -> None:
    (scans / "cases.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        worklist([scans / "cases.csv"], scans)


def test_tables_in_other_forms(scans: Path) -> None:
    (scans / "cases.csv").write_bytes("id,path\nÄ,b\n".encode("latin-1"))
    with pytest.raises(InputError, match="is no table in UTF-8"):
        worklist([scans / "cases.csv"], scans)


def test_a_parquet_table(scans: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")

    def entries(**columns: list[object]) -> list[Entry]:
        parquet.write_table(pyarrow.table(columns), scans / "cases.parquet")
        return worklist([scans / "cases.parquet"], scans)

    assert entries(id=[17, 18], age=[60, None], path=["in/a.nii", "/data/b"], series_uid=[None, "1.2.3"]) == [
        Entry("17", scans / "in" / "a.nii"),
        Entry("18", Path("/data/b"), series="1.2.3"),
    ]
    with pytest.raises(InputError, match=r"has the columns \['name', 'path'\], expected id, path"):
        entries(name=["a"], path=["b"])
    with pytest.raises(InputError, match="has the id 'a' in row 1 and in row 2; name each once"):
        entries(id=["a", "a"], path=["b", "c"])
    with pytest.raises(InputError, match="row 1, has the id '' and the path 'b'"):
        entries(id=[None], path=["b"])
    with pytest.raises(InputError, match="has no scans"):
        entries(id=[], path=[])
    content = (scans / "cases.parquet").read_bytes()
    for cut in (0, 4, len(content) // 2, len(content) - 1):
        (scans / "cases.parquet").write_bytes(content[:cut])
        with pytest.raises(InputError, match="cannot be read as Parquet"):
            worklist([scans / "cases.parquet"], scans)


@given(st.sets(st.text(), max_size=60), st.integers(1, 7), st.randoms())
def test_parts_are_disjoint_and_complete_in_any_order(names: set[str], count: int, random: object) -> None:
    entries = [Entry(name, Path("x")) for name in names]
    parts = [part(entries, number, count) for number in range(1, count + 1)]
    assert sorted(entry.id for each in parts for entry in each) == sorted(names)
    backwards = [part(entries[::-1], number, count) for number in range(1, count + 1)]
    assert [set(each) for each in parts] == [set(each) for each in backwards]


def test_a_copy_of_a_folder_gives_the_same_ids(scans: Path, tmp_path: Path) -> None:
    write_series(block_image(), scans / "x" / "ct")
    sitk.WriteImage(block_image(), str(scans / "y.nii"))
    shutil.copytree(scans, tmp_path / "copy")
    assert _ids(scans) == _ids(tmp_path / "copy")
