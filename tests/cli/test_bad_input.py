"""Bad input ends in one sentence on stderr and the exit code of its kind, and writes nothing."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import SimpleITK as sitk
from support.bad_scans import BAD_SCANS
from support.scans import block_image

from efficientscn_trt.bundle import Bundle

from .conftest import Run

# The other cases take the same path through the command line; tests/runtime has them all.
SCANS = (
    "missing",
    "name too long",
    "text",
    "truncated gzip",
    "2-D",
    "4-D",
    "RGB",
    "empty",
    "one slice",
    "zero spacing, NIfTI",
    "NaN spacing, MHA",
    "NaN voxel",
    "infinite voxels",
    "not HU",
)


def _assert_refused(done: CompletedProcess[str], code: int, message: str) -> None:
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    # SimpleITK's C++ may print a warning before our sentence.
    sentence = done.stderr.splitlines()[-1]
    assert sentence.startswith("Error: ")
    assert re.search(message, sentence)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("case", SCANS)
def test_bad_scan(case: str, run: Run, tiny_bundle: Bundle, tmp_path: Path) -> None:
    make, message = BAD_SCANS[case]
    output = tmp_path / "output"
    output.mkdir()
    done = run(
        "segment",
        make(tmp_path),
        *("-o", output / "labels.nii.gz", "--preview", output / "p.png", "--json", output / "r.json"),
        *("--bundle", tiny_bundle.path),
    )
    _assert_refused(done, 3, message)
    assert not list(output.iterdir())


@pytest.mark.parametrize("case", ["missing", "truncated gzip"])
def test_bad_scan_ends_the_process_with_the_code(
    case: str, run_process: Run, tiny_bundle: Bundle, tmp_path: Path
) -> None:
    make, message = BAD_SCANS[case]
    done = run_process("segment", make(tmp_path), "-o", tmp_path / "l.nii.gz", "--bundle", tiny_bundle.path)
    _assert_refused(done, 3, message)


def _no_folder(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))


def _file_missing(path: Path) -> None:
    (path / "segmentation.onnx").unlink()


def _file_altered(path: Path) -> None:
    with (path / "localization.onnx").open("ab") as stream:
        stream.write(b" ")


def _newer_schema(path: Path) -> None:
    document = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps(document | {"schema_version": 99}))


def _no_manifest(path: Path) -> None:
    (path / "manifest.json").unlink()


@pytest.mark.parametrize(
    ("breaks", "message"),
    [
        (_no_folder, "There is no bundle at .*bundle"),
        (_no_manifest, r"has no manifest\.json"),
        (_file_missing, r"lacks the file segmentation\.onnx; copy the whole bundle again"),
        (
            _file_altered,
            r"localization\.onnx was altered: its SHA-256 is [0-9a-f]{64}, expected [0-9a-f]{64}",
        ),
        (_newer_schema, "has bundle schema 99, but this version reads schema 2; upgrade efficientscn-trt"),
    ],
)
@pytest.mark.parametrize("command", ["segment", "info"])
def test_bad_bundle(command: str, breaks: object, message: str, run: Run, scan_file: Path) -> None:
    pytest.importorskip("onnx")
    from support.tiny_bundle import write_tiny_bundle

    bundle = scan_file.parent / "bundle"
    write_tiny_bundle(bundle)
    assert callable(breaks)
    breaks(bundle)
    labels = scan_file.parent / "labels.nii.gz"
    if command == "segment":
        done = run("segment", scan_file, "-o", labels, "--bundle", bundle)
    else:
        done = run("info", bundle)
    _assert_refused(done, 4, message)
    assert not labels.exists()


def test_a_network_that_openvino_dies_of(run: Run, scan_file: Path) -> None:
    pytest.importorskip("onnx")
    from support.other_networks import DEADLY, write_bundle_with

    bundle = scan_file.parent / "bundle"
    write_bundle_with(bundle, segmentation=DEADLY["Pad without pads"])
    labels = scan_file.parent / "labels.nii.gz"
    done = run("segment", scan_file, "-o", labels, "--bundle", bundle, "--device", "cpu")
    _assert_refused(done, 4, r"OpenVINO dies of .*segmentation\.onnx \(SIGSEGV\)")
    assert not labels.exists()


def test_output_is_checked_before_the_work(run: Run, tmp_path: Path) -> None:
    """The scan is none, but the error is about the output, so nothing was read."""
    (tmp_path / "file").touch()
    (loop := tmp_path / "loop.nii.gz").symlink_to("loop.nii.gz")
    scan = tmp_path / "scan.nii.gz"
    scan.touch()
    (twin := tmp_path / "twin.nii.gz").hardlink_to(scan)
    good = tmp_path / "labels.nii.gz"
    for arguments, message in (
        (("-o", tmp_path / "no" / "l.nii.gz"), "there is no folder .*no; make it first"),
        (("-o", tmp_path / "file" / "l.nii.gz"), "file is no folder; give one"),
        (("-o", tmp_path / "labels.png"), r"has no known extension, expected one of \.nii\.gz"),
        (("-o", good, "--preview", tmp_path / "p.jpg"), r"p\.jpg has no known extension .*expected \.png"),
        (("-o", good, "--json", tmp_path), "is a folder, expected the name of a file"),
        (("-o", good, "--preview", tmp_path / "no" / "p.png"), "there is no folder"),
        (("-o", good, "--json", good), r"labels\.nii\.gz is another output as well"),
        (("-o", tmp_path / f"{'l' * 400}.nii.gz"), "cannot be written: file name too long"),
        (("-o", tmp_path / ("l" * 400) / "l.nii.gz"), "cannot be written: file name too long"),
        (("-o", scan), r"scan\.nii\.gz is the input as well; give another file name"),
        (("-o", twin), r"twin\.nii\.gz is the input as well; give another file name"),
        (("-o", good, "--json", twin), r"twin\.nii\.gz is the input as well"),
        (("-o", loop), r"loop\.nii\.gz is a link that leads back to itself; give another name"),
    ):
        _assert_refused(run("segment", scan, *arguments), 5, message)
    names = ["file", "loop.nii.gz", "scan.nii.gz", "twin.nii.gz"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    done = run("segment", loop, "-o", good)
    _assert_refused(done, 3, r"loop\.nii\.gz cannot be read: too many levels of symbolic links")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' names are text")
def test_names_that_are_not_utf_8(run: Run, tiny_bundle: Bundle, tmp_path: Path) -> None:
    """SimpleITK ends the process by SIGABRT for such a name. It only writes .mha."""
    from support.dicom import write_series

    bad = Path(os.fsdecode(os.fsencode(tmp_path) + b"/ct\xff"))
    write_series(block_image(), bad)
    outputs = [tmp_path / name for name in ("labels.nii.gz", "preview.png", "report.json")]
    options = ("--preview", outputs[1], "--json", outputs[2], "--bundle", tiny_bundle.path)
    done = run("segment", bad, "-o", outputs[0], *options)
    assert done.returncode == 0, done.stderr
    assert all(path.exists() for path in outputs)
    assert json.loads(outputs[2].read_text(encoding="utf-8"))["input"] == str(bad)

    image = bad.with_suffix(".mha")
    sitk.WriteImage(block_image(), str(tmp_path / "ct.mha"))
    (tmp_path / "ct.mha").rename(image)
    for extension in (".nrrd", ".nii", ".out.mha"):
        target = Path(f"{bad}{extension}")
        assert run("segment", image, "-o", target, "--bundle", tiny_bundle.path).returncode == 0
        assert os.path.isfile(target)


@pytest.mark.parametrize("arguments", [("", "-o", "labels.nii.gz"), ("ct.nii.gz", "-o", "")])
def test_an_empty_path_is_not_the_current_folder(arguments: tuple[str, ...], run: Run) -> None:
    done = run("segment", *arguments)
    assert done.returncode == 2
    assert "The path is empty." in done.stderr


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that cannot be read")
def test_a_disk_that_cannot_be_read(run: Run, tmp_path: Path) -> None:
    done = run("segment", "/proc/self/mem", "-o", tmp_path / "labels.nii.gz")
    _assert_refused(done, 3, "/proc/self/mem cannot be read: input/output error")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder in which nobody may write")
def test_folder_in_which_even_root_cannot_write(run: Run, scan_file: Path) -> None:
    done = run("segment", scan_file, "-o", "/proc/self/labels.nii.gz")
    _assert_refused(
        done, 5, r"/proc/self/labels\.nii\.gz cannot be written: .*give a folder where you may write"
    )


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write into every folder")
def test_folder_without_permission(run: Run, scan_file: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    _assert_refused(run("segment", scan_file, "-o", locked / "l.nii.gz"), 5, "permission denied")
    _assert_refused(run("demo", "-o", locked / "demo"), 5, "cannot be created: permission denied")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may look into every folder")
@pytest.mark.parametrize("mode", [0o000, 0o400])
def test_what_one_may_not_look_into(mode: int, run: Run, scan_file: Path, tmp_path: Path) -> None:
    locked, labels = tmp_path / "locked", tmp_path / "l.nii.gz"
    locked.mkdir(mode=mode)
    for scan in (locked, locked / "ct.nii.gz"):
        _assert_refused(run("segment", scan, "-o", labels), 3, "cannot be read: permission denied")
    for bundle in (locked, locked / "bundle"):
        done = run("segment", scan_file, "-o", labels, "--bundle", bundle)
        _assert_refused(done, 4, "cannot be read: permission denied")
    _assert_refused(run("segment", scan_file, "-o", locked / "sub" / "l.nii.gz"), 5, "permission denied")
    _assert_refused(run("evaluate", locked / "l.nii.gz", scan_file), 3, "permission denied")


def test_wrong_usage(run: Run, scan_file: Path) -> None:
    done = run("segment", scan_file, "-o", "l.nii.gz", "--device", "abacus")
    assert done.returncode == 2
    assert "'abacus'" in done.stderr
    assert run("segment", scan_file).returncode == 2
    assert run("frobnicate").returncode == 2
