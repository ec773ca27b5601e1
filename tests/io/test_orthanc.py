"""A real PACS takes a scan and what is made of it, and gives it back unchanged."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from support.dicom import complete, write_series
from support.scans import block_image

from efficientscn_trt import Segmenter
from efficientscn_trt.bundle import Bundle

pytest.importorskip("highdicom")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _asked(port: int, path: str, data: bytes | None = None) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", data, timeout=10) as answer:
        return bytes(answer.read())


@pytest.fixture
def orthanc(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """The ports for DICOM and for HTTP of an Orthanc on this machine."""
    program = shutil.which("Orthanc", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if not program or not shutil.which("storescu"):
        pytest.skip("Orthanc or storescu is not installed (Debian: orthanc, dcmtk)")
    dicom, http = _free_port(), _free_port()
    settings = {
        "StorageDirectory": str(tmp_path / "orthanc"),
        "IndexDirectory": str(tmp_path / "orthanc"),
        "DicomPort": dicom,
        "HttpPort": http,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomAlwaysAllowStore": True,
    }
    (tmp_path / "orthanc.json").write_text(json.dumps(settings))
    process = subprocess.Popen([program, str(tmp_path / "orthanc.json")], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                _asked(http, "/system")
                break
            except OSError:
                time.sleep(0.2)
        yield dicom, http
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_scan_and_results_come_back_unchanged(
    orthanc: tuple[int, int], tiny_bundle: Bundle, tmp_path: Path
) -> None:
    dicom, http = orthanc
    write_series(block_image(), tmp_path / "series", change=lambda _, dataset: complete(dataset))
    result = Segmenter(tiny_bundle, device="cpu").segment(tmp_path / "series")
    result.save(tmp_path / "seg.dcm")
    result.save_rtstruct(tmp_path / "rs.dcm")
    result.save_sr(tmp_path / "sr.dcm", tmp_path / "seg.dcm")
    files = [*sorted((tmp_path / "series").iterdir()), *sorted(tmp_path.glob("*.dcm"))]
    assert len(files) == block_image().GetDepth() + 3
    done = subprocess.run(
        ["storescu", "-R", "127.0.0.1", str(dicom), *map(str, files)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (study,) = json.loads(_asked(http, "/studies"))
    series = [json.loads(_asked(http, f"/series/{each}")) for each in json.loads(_asked(http, "/series"))]
    assert {each["ParentStudy"] for each in series} == {study}
    assert sorted(each["MainDicomTags"]["Modality"] for each in series) == ["CT", "RTSTRUCT", "SEG", "SR"]
    for file in files:
        sent = pydicom.dcmread(file)
        (found,) = json.loads(_asked(http, "/tools/lookup", str(sent.SOPInstanceUID).encode()))
        back = pydicom.dcmread(BytesIO(_asked(http, f"/instances/{found['ID']}/file")))
        assert back == sent
