"""`segment --report`: a page, which names the patient only if it is asked to."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.dicom import complete, write_series
from support.html_page import HtmlPage
from support.scans import block_image

from efficientscn_trt import OutputError
from efficientscn_trt.bundle import Bundle

from .conftest import Run


def test_a_page(run: Run, tiny_bundle: Bundle, scan_file: Path) -> None:
    labels, page = scan_file.with_name("labels.nii.gz"), scan_file.with_name("page.html")
    command = ("segment", scan_file, "-o", labels, "--bundle", tiny_bundle.path, "--report")
    done = run(*command, page, "--organs", "liver,spleen")
    assert done.returncode == 0, done.stderr
    assert "Page" in done.stdout  # its seconds
    assert list(HtmlPage(page).organs) == ["Liver", "Spleen"]
    assert scan_file.name not in page.read_text(encoding="utf-8")
    done = run(*command, page, "--with-patient")
    assert done.returncode == 0, done.stderr
    assert HtmlPage(page).facts["File or folder"] == str(scan_file)
    assert sorted(path.name for path in scan_file.parent.iterdir()) == [
        "ct.nii.gz",
        "labels.nii.gz",
        "page.html",
    ]


def test_a_page_of_a_series(run: Run, tiny_bundle: Bundle, tmp_path: Path) -> None:
    write_series(block_image(), tmp_path / "series", change=lambda _, dataset: complete(dataset))
    done = run(
        *("segment", tmp_path / "series", "-o", tmp_path / "labels.nii.gz", "--bundle", tiny_bundle.path),
        *("--report", tmp_path / "page.htm", "--with-patient"),
    )
    assert done.returncode == 0, done.stderr
    assert HtmlPage(tmp_path / "page.htm").facts["Name"] == "Nobody, Jane"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ("--report", "page.pdf"),
            OutputError.exit_code,
            "page.pdf has no known extension for a page, expected .html or .htm.",
        ),
        (("--report", "no/page.html"), OutputError.exit_code, "there is no folder"),
        (("--with-patient",), 2, "--with-patient is about the page; write that too: --report FILE.html."),
    ],
)
def test_what_is_refused_before_the_work(
    arguments: tuple[str, ...],
    code: int,
    message: str,
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("segment", "missing.nii.gz", "-o", "labels.nii.gz", *arguments)
    assert done.returncode == code
    assert message in " ".join(done.stderr.split())
    assert not list(tmp_path.iterdir())


def test_a_batch_refuses_it_too(run: Run, tmp_path: Path) -> None:
    done = run("batch", tmp_path, "-o", tmp_path / "out", "--with-patient")
    assert done.returncode == 2
    assert "--with-patient is about the page; write that too: --report." in " ".join(done.stderr.split())
