"""`info`: the bundle, the devices and the core."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from pathlib import Path

import pytest
from support.engines import H100, RTX, RTX_4090, machine, use_fakes, with_engines

from efficientscn_trt.backends import DEVICES
from efficientscn_trt.backends import survey as surveys
from efficientscn_trt.backends.survey import Availability, choose
from efficientscn_trt.bundle import NETWORKS, ActivationMemory, Bundle, Engine, Profile
from efficientscn_trt.engines import Gpu
from efficientscn_trt.segmenter import Segmenter

from .conftest import Run


def test_tables(run: Run, tiny_bundle: Bundle) -> None:
    done = run("info", tiny_bundle.path)
    assert done.returncode == 0, done.stderr
    for text in (
        "thresholds: HU thresholds, for tests",
        "0 background, 1 liver, 2 kidneys, 3 spleen, 4 pancreas",
        tiny_bundle.manifest.networks.segmentation.sha256[:12] + "… verified",
        "box margin, mm",
        "used by auto",
        "In float32 on a CPU: OpenVINO runs localization, OpenVINO runs segmentation.",
        "CUDA",
    ):
        assert text in done.stdout


def test_tables_where_the_output_lacks_a_character(run_process: Run, tiny_bundle: Bundle) -> None:
    done = run_process("info", tiny_bundle.path, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert tiny_bundle.manifest.networks.segmentation.sha256[:12] + "? verified" in done.stdout


def test_json(run: Run, tiny_bundle: Bundle) -> None:
    done = run("info", tiny_bundle.path, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document["bundle"]["pipeline"]["localization"]["spacing_mm"] == 6
    assert document["bundle"]["networks"]["segmentation"]["output"]["shape"] == [1, 5, "z", "y", "x"]
    assert document["bundle"]["verified"] is True
    assert [device["device"] for device in document["devices"]] == list(DEVICES[1:])
    assert document["device"] == Segmenter(tiny_bundle).device
    assert document["core"]["threads"] >= 1
    assert document["core"]["cuda"] or document["core"]["cuda_reason"]


def test_the_survey_knows_every_backend(tiny_bundle: Bundle) -> None:
    assert [device.device for device in surveys.survey(tiny_bundle)] == list(DEVICES[1:])


@pytest.mark.parametrize(
    ("gpu", "built", "problem"),
    [
        (H100, False, "TensorRT-RTX 1.7.1.116 cannot build for the compute capability 9.0, expected one of"),
        (H100, True, "TensorRT-RTX 1.7.1.116 cannot build for the compute capability 9.0, expected one of"),
        (RTX_4090, False, "has no float16 form of the localization network"),
        (RTX_4090, True, None),
    ],
)
def test_a_gpu_that_nothing_can_be_built_for_is_not_used(
    gpu: Gpu, built: bool, problem: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thresholds have no float16 form, so only engines built in fp32 run on a GPU."""
    pytest.importorskip("onnx")
    from support.tiny_bundle import write_tiny_bundle

    monkeypatch.setenv("EFFICIENTSCN_CACHE", str(tmp_path / "cache"))
    use_fakes(monkeypatch)
    bundle = write_tiny_bundle(tmp_path / "bundle")
    if built:
        bundle = with_engines(bundle, precision="fp32")
    capability = tuple(int(part) for part in gpu.compute_capability.split("."))
    device = {"name": gpu.name, "compute_capability": capability, "memory": gpu.memory, "problem": ""}
    status = {"problem": "", "devices": [device]}
    monkeypatch.setattr(surveys._core, "cuda_status", lambda: status)
    monkeypatch.setattr(surveys, "this_machine", lambda: machine(gpu, versions={"tensorrt-rtx": RTX}))
    devices = surveys.survey(bundle)
    assert (problem or "") in (devices[0].problem or "")
    assert choose(devices) == ("cpu" if problem else "cuda")
    assert devices[0].precisions == (("fp32",) if gpu == RTX_4090 else ())


def test_engines_in_the_users_cache_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnx")
    from support.tiny_bundle import write_tiny_bundle

    from efficientscn_trt import engines
    from efficientscn_trt.cli import run as command
    from efficientscn_trt.engines.cache import obtain_engine

    monkeypatch.setenv("EFFICIENTSCN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "160")
    use_fakes(monkeypatch)
    bundle = write_tiny_bundle(tmp_path / "bundle")
    kept = obtain_engine(bundle, machine(H100), "fp32", notice=print)
    monkeypatch.setattr(engines, "this_machine", lambda: machine(H100))
    capsys.readouterr()
    assert command(["info", str(bundle.path), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["engines"]
    assert [row["path"] for row in rows] == [str(kept.file(network)) for network in NETWORKS]
    assert all(row["used"] for row in rows)
    assert command(["info", str(bundle.path)]) == 0
    shown = capsys.readouterr().out
    assert f"in the user's cache, {kept.path}\n" in shown
    for network in NETWORKS:
        assert re.search(rf"^ {network} +fp32 ", shown.partition("in the user's cache")[2], re.MULTILINE)


def test_auto_takes_the_first_that_works() -> None:
    broken = Availability("gpu", "", "TensorRT", (), "There is no GPU here.")
    works = Availability("cpu", "", "OpenVINO", ("fp32",))
    assert choose([broken, works, works]) == "cpu"
    assert choose([broken]) is None


def test_engines_and_why_they_do_not_run_here(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    from support.tiny_bundle import write_tiny_bundle

    path = write_tiny_bundle(tmp_path / "bundle").path
    size = (32, 32, 32)
    engine = Engine(
        network="segmentation",
        flavour="tensorrt-rtx",
        version="1.7",
        platform="plan9-vax",
        compute_capabilities=("8.9",),
        precision="fp16",
        profiles=(Profile(size, size, size),),
        onnx_sha256="0" * 64,
        file="segmentation.engine",
        sha256="0" * 64,
        bytes=1,
        activation_memory=ActivationMemory(699_000_000, 400_000_000),
    )
    manifest = json.loads((path / "manifest.json").read_text())
    document = manifest | {"engines": [dataclasses.asdict(engine)]}
    (path / "manifest.json").write_text(json.dumps(document))

    done = run("info", path, "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["engines"]
    assert (row["file"], row["used"]) == ("segmentation.engine", False)
    assert "was built on plan9-vax, but this is" in row["problem"]
    table = run("info", path).stdout
    heading = "Engines for tensorrt-rtx 1.7: not usable here\non plan9-vax, compute capability 8.9\n"
    for text in (heading, "699.00 MB", row["problem"]):
        assert text in table


def test_tables_lose_nothing_in_80_columns(run_process: Run, tiny_bundle: Bundle, tmp_path: Path) -> None:
    shutil.copytree(tiny_bundle.path, tmp_path / "bundle")
    manifest = json.loads((tiny_bundle.path / "manifest.json").read_text())
    manifest["provenance"] = {
        "training_data": "cases of [bold]one[/bold] clinic :smile: " + "and of others " * 20,
        "localization": {"source_sha256": "a1" * 32, "agreement": 0.12345678, "unrecognised": []},
        "runs": 1,
        "stages": [{"steps": 1000}, None, True],
        "path": "x" * 200,
    }
    (tmp_path / "bundle" / "manifest.json").write_text(json.dumps(manifest))
    done = run_process("info", tmp_path / "bundle", COLUMNS="80")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.partition("Labels: ")[2].splitlines()
    tables = [line for line in lines if not line.startswith(("cuda: ", "cpu: "))]  # sentences, for a terminal
    assert max(map(len, tables)) <= 80
    assert all(line == line.rstrip() for line in lines)
    provenance = done.stdout.partition("Provenance")[2].partition("Devices")[0]
    assert provenance.count("x") == 200
    assert "cases of [bold]one[/bold] clinic :smile: and" in provenance
    for row in (
        "localization",
        "  source SHA-256 +a1a1a1a1a1a1…",
        "  agreement +0.123457",
        "  unrecognised +none",
        "runs +1",
        r'stages +\{"steps": 1000\}, –, true',
    ):
        assert re.search(rf"^ {row}$", provenance, re.MULTILINE), row
