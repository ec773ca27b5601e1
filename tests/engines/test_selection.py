"""Which engine runs on a machine, and the sentence for each reason why another does not."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import pytest
from support.engines import H100, RTX, RTX_4090, T4, TENSORRT, machine, with_engines

from efficientscn_trt import bundle as bundles
from efficientscn_trt.bundle import Bundle
from efficientscn_trt.engines import EngineChoice, Machine, NoEngine, engine_rows, select_engine


def reasons(bundle: Bundle, where: Machine, precision: str = "auto") -> tuple[str, ...]:
    found = select_engine(bundle, where, precision)
    assert isinstance(found, NoEngine)
    return found.reasons


def choice(bundle: Bundle, where: Machine, precision: str = "auto") -> EngineChoice:
    found = select_engine(bundle, where, precision)
    assert isinstance(found, EngineChoice), found.reasons
    return found


def edited(bundle: Bundle, **changes: Any) -> Bundle:
    """`bundle` with these fields of its engines changed in the manifest."""
    file = bundle.path / "manifest.json"
    document = json.loads(file.read_text())
    for engine in document["engines"]:
        engine.update(changes)
    file.write_text(json.dumps(document))
    return bundles.load(bundle.path)


@pytest.fixture
def built(bundle: Bundle) -> Bundle:
    """The bundle with engines for GeForce GPUs."""
    return with_engines(bundle)


def test_a_fitting_engine_is_chosen(built: Bundle) -> None:
    found = choice(built, machine())
    assert (found.flavour, found.version, found.precision) == ("tensorrt-rtx", RTX, "fp16")
    for network in bundles.NETWORKS:
        assert found.file(network).read_bytes().startswith(RTX.encode())
        assert getattr(found, network).network == network


def test_no_gpu(built: Bundle) -> None:
    assert reasons(built, machine(None)) == ("No NVIDIA GPU with a driver was found here; engines need one.",)


def test_no_engines(bundle: Bundle) -> None:
    command = re.escape(f"efficientscn-trt build {bundle.path} --target")
    (reason,) = reasons(bundle, machine())
    assert re.search(rf"does not have engines of both networks; build them: {command} tensorrt\.", reason)
    (reason,) = reasons(bundle, machine(versions={"tensorrt-rtx": RTX}), "fp32")
    assert re.search(
        rf"does not have fp32 engines of both networks.* {command} tensorrt-rtx --precision fp32\.", reason
    )


def test_turing_is_not_for_rtx(bundle: Bundle) -> None:
    """TensorRT-RTX builds the engine, but cannot run it."""
    command = f"efficientscn-trt build {bundle.path} --target tensorrt."
    rtx = machine(T4, versions={"tensorrt-rtx": RTX})
    assert reasons(bundle, rtx)[0].endswith(f"does not have engines of both networks; build them: {command}")
    built = with_engines(bundle, compute_capabilities=("7.5",))
    assert reasons(built, rtx)[0] == (
        f"{built.manifest.engines[0].file} is not for Tesla T4: TensorRT-RTX runs no 3-D convolutions on "
        f"GPUs of compute capability 7.5, according to its support matrix. Build for TensorRT: {command}"
    )
    both = with_engines(built, "tensorrt", gpu=T4)
    assert choice(both, machine(T4)).flavour == "tensorrt"


def test_altered_engine(built: Bundle) -> None:
    file = built.path / built.manifest.engines[1].file
    file.write_bytes(b"other code")
    (reason,) = reasons(built, machine())
    expected = built.manifest.engines[1].sha256
    assert re.search(
        rf"was altered: its SHA-256 is {bundles.sha256(file)}, expected {expected}; build it again: "
        rf"efficientscn-trt build {re.escape(str(built.path))} --target tensorrt-rtx\.",
        reason,
    )


def test_missing_engine(built: Bundle) -> None:
    (built.path / built.manifest.engines[0].file).unlink()
    (reason,) = reasons(built, machine())
    assert re.search(
        r"localization.*\.engine is missing; copy the whole bundle again, or build it: effic", reason
    )


def test_other_version(built: Bundle) -> None:
    found = reasons(built, machine(versions={"tensorrt-rtx": "1.8.0.1"}))
    assert len(found) == 2
    assert re.search(
        rf"was built by TensorRT-RTX {re.escape(RTX)}, but 1\.8\.0\.1 is installed, and an engine runs only "
        r"on the version that built it; build it again: efficientscn-trt build .* --target tensorrt-rtx\.",
        found[0],
    )


def test_not_installed(built: Bundle) -> None:
    found = reasons(built, machine(versions={"tensorrt": TENSORRT}))
    assert re.search(
        rf"needs TensorRT-RTX {re.escape(RTX)}, which is not installed; run: pip install "
        rf"tensorrt-rtx=={re.escape(RTX)}\.",
        found[0],
    )


def test_the_lean_runtime_takes_only_what_was_built_for_it(bundle: Bundle) -> None:
    lean = machine(H100, versions={"tensorrt": TENSORRT}, lean=frozenset({"tensorrt"}))
    command = re.escape(f"efficientscn-trt build {bundle.path} --target tensorrt --version-compatible.")
    assert re.search(
        rf"does not have engines of both networks; build them: {command}", reasons(bundle, lean)[0]
    )
    plain = with_engines(bundle, "tensorrt", gpu=H100)
    assert re.search(
        r"needs the full TensorRT, but only its lean runtime is installed; run: pip install "
        rf"tensorrt=={re.escape(TENSORRT)}, or on a machine that has it: {command}",
        reasons(plain, lean)[0],
    )
    both = with_engines(plain, "tensorrt", gpu=H100, version_compatible=True)
    assert choice(both, lean).segmentation.version_compatible
    assert not choice(both, machine(H100)).segmentation.version_compatible


def test_other_gpu(bundle: Bundle) -> None:
    found = reasons(with_engines(bundle, compute_capabilities=("8.6", "12.0")), machine(RTX_4090))
    assert re.search(
        r"is for GPUs of compute capability 8\.6, 12\.0, but NVIDIA GeForce RTX 4090 has 8\.9; build one for "
        r"it: efficientscn-trt build .* --target tensorrt-rtx --compute-capability 8\.9\.",
        found[0],
    )


def test_other_gpu_for_tensorrt(bundle: Bundle) -> None:
    found = reasons(with_engines(bundle, "tensorrt", gpu=H100), machine(RTX_4090))
    assert re.search(
        r"capability 9\.0, but NVIDIA GeForce RTX 4090 has 8\.9; .*--target tensorrt\.", found[0]
    )


def test_other_platform(built: Bundle) -> None:
    here = machine().platform
    found = reasons(built, machine(platform="win-amd64"))
    assert re.search(
        rf"was built on {here}, but this is win-amd64; build it here: efficientscn-trt build", found[0]
    )


def test_other_network(built: Bundle) -> None:
    """The bundle was exported again, by hand or under an older version, and kept its engines."""
    found = reasons(edited(built, onnx_sha256="0" * 64), machine())
    current = built.onnx("localization", "fp16").sha256
    assert re.search(
        rf"was built from an ONNX file with the SHA-256 0{{64}}, but the bundle's fp16 localization network "
        rf"has {current}; build it again: efficientscn-trt build",
        found[0],
    )


def test_a_float16_engine_without_its_network(built: Bundle) -> None:
    file = built.path / "manifest.json"
    document = json.loads(file.read_text())
    for network in bundles.NETWORKS:
        document["networks"][network]["float16"] = None
    file.write_text(json.dumps(document))
    assert "fp16 localization network has none" in reasons(bundles.load(built.path), machine())[0]


def test_unknown_flavour(built: Bundle) -> None:
    found = reasons(edited(built, flavour="tensorrt-next"), machine())
    assert "is for tensorrt-next, which this version does not know" in found[0]


def test_an_engine_of_one_network_alone_is_not_enough(built: Bundle) -> None:
    file = built.path / "manifest.json"
    document = json.loads(file.read_text())
    del document["engines"][1]
    file.write_text(json.dumps(document))
    assert "does not have engines of both networks" in reasons(bundles.load(built.path), machine())[0]


def test_one_built_on_the_gpu_itself_comes_first(built: Bundle) -> None:
    both = with_engines(built, "tensorrt", gpu=RTX_4090)
    assert choice(both, machine()).flavour == "tensorrt"
    assert choice(both, machine(versions={"tensorrt-rtx": RTX})).flavour == "tensorrt-rtx"


def test_one_timed_on_this_gpu_comes_first(bundle: Bundle) -> None:
    pcie = dataclasses.replace(H100, name="NVIDIA H100 PCIe")
    built = with_engines(bundle, "tensorrt", gpu=pcie)
    assert choice(built, machine(H100)).localization.timed_on == pcie.name
    both = with_engines(built, "tensorrt", gpu=H100)
    assert len(both.manifest.engines) == 4
    for gpu in (pcie, H100):
        assert choice(both, machine(gpu)).segmentation.timed_on == gpu.name


def test_an_engine_timed_elsewhere_has_a_note(bundle: Bundle) -> None:
    pcie = dataclasses.replace(H100, name="NVIDIA H100 PCIe")
    built = with_engines(bundle, "tensorrt", gpu=pcie)
    row = engine_rows(built, machine(H100), select_engine(built, machine(H100)))[0]
    assert (row.used, row.problem) == (True, None)
    assert re.search(
        r"was tuned on NVIDIA H100 PCIe and runs on NVIDIA H100, but an engine built here may be faster: "
        rf"efficientscn-trt build {re.escape(str(bundle.path))} --target tensorrt\.",
        str(row.note),
    )
    for where in (pcie, RTX_4090):
        rows = engine_rows(built, machine(where), select_engine(built, machine(where)))
        assert {row.note for row in rows} == {None}


def test_one_for_fewer_gpus_comes_first(built: Bundle) -> None:
    both = with_engines(built, compute_capabilities=("8.9",))
    assert len(both.manifest.engines) == 4
    assert choice(both, machine()).localization.compute_capabilities == ("8.9",)


def test_precisions(built: Bundle) -> None:
    assert "does not have fp32 engines" in reasons(built, machine(), "fp32")[0]
    both = with_engines(built, precision="fp32")
    assert choice(both, machine()).precision == "fp16"
    assert choice(both, machine(), "fp32").precision == "fp32"
    only = edited(built, precision="fp32", onnx_sha256="")
    assert isinstance(select_engine(only, machine()), NoEngine)


def test_reasons_are_those_of_the_precision_that_was_asked_for(built: Bundle) -> None:
    both = with_engines(built, precision="fp32")
    assert len(reasons(both, machine(T4))) == 4
    assert all(".fp32." in reason for reason in reasons(both, machine(T4), "fp32"))


def test_rows_say_which_is_used_and_why_not_the_others(built: Bundle) -> None:
    several = with_engines(with_engines(built, precision="fp32"), "tensorrt", gpu=H100)
    rows = engine_rows(several, machine(), select_engine(several, machine()))
    shown = [(row.engine.flavour, row.engine.precision, row.used, row.problem is None) for row in rows]
    assert shown == [
        *[("tensorrt-rtx", "fp16", True, True)] * 2,
        *[("tensorrt-rtx", "fp32", False, True)] * 2,
        *[("tensorrt", "fp16", False, False)] * 2,
    ]
    assert "but NVIDIA GeForce RTX 4090 has 8.9" in str(rows[-1].problem)


def test_rows_without_a_gpu(built: Bundle) -> None:
    rows = engine_rows(built, machine(None), select_engine(built, machine(None)))
    assert {(row.used, row.problem) for row in rows} == {
        (False, "No NVIDIA GPU with a driver was found here.")
    }


def test_records_survive_the_manifest(built: Bundle) -> None:
    engine = bundles.load(built.path).manifest.engines[0]
    assert engine == built.manifest.engines[0]
    assert dataclasses.asdict(engine)["profiles"][0]["max"] == (256, 80, 80)
