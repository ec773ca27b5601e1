"""`bundle sign`, `bundle verify` and --trusted-key, as a user calls them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.command_line import Run, in_this_process
from support.signing_keys import KeyFiles, openssl

from efficientscn_trt import bundle as bundles
from efficientscn_trt.bundle import TrustedKeys
from efficientscn_trt.bundle.shipped import DEMO_BUNDLE

VARIABLE = "EFFICIENTSCN_TRUSTED_KEYS"


@pytest.fixture
def run(own_cache: None, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run `efficientscn-trt` with arguments in this process."""
    return in_this_process(capfd)


def fingerprint(key: KeyFiles) -> str:
    return TrustedKeys.from_files(key.public).keys[0].fingerprint


def test_sign_and_verify(run: Run, folder: Path, release: KeyFiles, other: KeyFiles) -> None:
    done = run("bundle", "sign", folder, "--key", release.private)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{folder}: signed with the key {fingerprint(release)}\n"
    done = run("bundle", "verify", folder, "--trusted-key", other.public, "--trusted-key", release.public)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"{folder}: signed with the trusted key {fingerprint(release)}; 2 ONNX files and 0 engines are "
        "unaltered\n"
    )
    done = run("bundle", "verify", folder, "--trusted-key", other.public)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith(f"Error: The signature of {folder} is by none of the trusted keys (")


def test_an_encrypted_key_is_asked_for_its_passphrase(
    run: Run, folder: Path, release: KeyFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    key = load_pem_private_key(release.private.read_bytes(), None)
    encrypted = tmp_path / "encrypted.key"
    encrypted.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"a word"))
    )
    for word, code in (("another", 4), ("a word", 0)):
        monkeypatch.setattr("click.termui.hidden_prompt_func", lambda prompt, word=word: word)
        assert run("bundle", "sign", folder, "--key", encrypted).returncode == code
        assert (folder / "manifest.json.sig").exists() == (code == 0)


def test_verify_looks_at_the_engines_too(run: Run, folder: Path, release: KeyFiles) -> None:
    (folder / "engines").mkdir()
    plan = folder / "engines" / "a.engine"
    plan.write_bytes(b"a plan")
    manifest = json.loads((folder / "manifest.json").read_text())
    network = manifest["networks"]["localization"]
    manifest["engines"] = [
        {
            "network": "localization",
            "flavour": "tensorrt",
            "version": "10.3.0",
            "platform": "linux-x86_64",
            "compute_capabilities": ["9.0"],
            "precision": "fp32",
            "profiles": [],
            "onnx_sha256": network["sha256"],
            "file": "engines/a.engine",
            "sha256": bundles.sha256(plan),
            "bytes": 6,
            "activation_memory": None,
        }
    ]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert run("bundle", "sign", folder, "--key", release.private).returncode == 0
    done = run("bundle", "verify", folder, "--trusted-key", release.public)
    assert "2 ONNX files and 1 engine are unaltered" in done.stdout
    plan.write_bytes(b"another plan")
    for command in (("verify", "--trusted-key", release.public), ("sign", "--key", release.private)):
        done = run("bundle", command[0], folder, *command[1:])
        assert done.returncode == 4
        assert f"{plan} was altered: its SHA-256 is" in done.stderr
    plan.unlink()
    done = run("bundle", "verify", folder, "--trusted-key", release.public)
    assert done.returncode == 4
    assert f"{plan} cannot be read: no such file or directory" in done.stderr


def test_verify_needs_a_key(run: Run, signed: Path) -> None:
    done = run("bundle", "verify", signed)
    assert done.returncode == 2
    assert f"No key is trusted; give one with --trusted-key, or name it in {VARIABLE}." in done.stderr


def test_verify_says_that_the_demo_bundle_is_not_signed(run: Run, release: KeyFiles) -> None:
    done = run("bundle", "verify", DEMO_BUNDLE, "--trusted-key", release.public)
    assert done.returncode == 4
    assert f"{DEMO_BUNDLE} is not signed" in done.stderr
    assert run("info", DEMO_BUNDLE, "--trusted-key", release.public).returncode == 0


def test_info_says_who_signed(run: Run, signed: Path, release: KeyFiles) -> None:
    done = run("info", signed, "--trusted-key", release.public)
    assert f"Signed with the trusted key {fingerprint(release)[:16]}\n" in done.stdout
    assert (
        "Has a signature, which was not verified, because no key is trusted here\n"
        in run("info", signed).stdout
    )
    done = run("info", signed, "--json", "--trusted-key", release.public)
    assert json.loads(done.stdout)["bundle"]["signed_by"] == fingerprint(release)
    assert json.loads(run("info", signed, "--json").stdout)["bundle"]["signed_by"] is None


def test_the_option_does_not_outlive_its_command(run: Run, signed: Path, other: KeyFiles) -> None:
    assert run("info", signed, "--trusted-key", other.public).returncode == 4
    assert VARIABLE not in os.environ
    os.environ[VARIABLE] = str(other.public)
    try:
        assert run("info", signed).returncode == 4
        assert os.environ[VARIABLE] == str(other.public)
    finally:
        del os.environ[VARIABLE]


@pytest.mark.parametrize("command", ["segment", "batch"])
def test_scans_are_labelled_by_signed_bundles_alone(
    command: str, run: Run, signed: Path, scan_file: Path, release: KeyFiles, other: KeyFiles, tmp_path: Path
) -> None:
    output = tmp_path / ("labels.nii.gz" if command == "segment" else "labels")
    report = ("--json", tmp_path / "report.json") if command == "segment" else ("--json",)
    arguments = (command, scan_file, "-o", output, "--bundle", signed, "--device", "cpu", "--quiet", *report)
    done = run(*arguments, "--trusted-key", other.public)
    assert done.returncode == 4
    assert "is by none of the trusted keys" in done.stderr
    assert not output.exists()
    done = run(*arguments, "--trusted-key", release.public)
    assert done.returncode == 0, done.stderr
    assert output.exists()
    (file,) = tmp_path.glob("report.json" if command == "segment" else "labels/**/*.json")
    assert json.loads(file.read_text())["bundle"]["signed_by"] == fingerprint(release)


def test_a_benchmark_measures_signed_bundles_alone(
    run: Run, signed: Path, scan_file: Path, other: KeyFiles
) -> None:
    for command in (("benchmark", signed), ("build", signed, "--target", "tensorrt-rtx")):
        done = run(*command, "--trusted-key", other.public)
        assert done.returncode == 4
        assert "is by none of the trusted keys" in done.stderr


def test_without_the_package_that_verifies_nothing_is_trusted(signed: Path, release: KeyFiles) -> None:
    program = (
        "import sys; sys.modules['cryptography'] = None; from efficientscn_trt import cli; "
        "sys.exit(cli.run(sys.argv[1:]))"
    )
    words = ["info", str(signed), "--trusted-key", str(release.public)]
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True)
    assert done.returncode == 69
    assert done.stderr == (
        "Error: This command needs the Python package cryptography, which is not installed; run: pip install "
        "'efficientscn-trt[sign]'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "info", str(signed)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_signature_that_openssl_made_counts(run: Run, folder: Path, release: KeyFiles) -> None:
    words = ("-inkey", release.private, "-rawin", "-in", folder / "manifest.json")
    assert openssl("pkeyutl", "-sign", *words, "-out", folder / "manifest.json.sig").returncode == 0
    assert run("bundle", "verify", folder, "--trusted-key", release.public).returncode == 0
    shutil.copy(folder / "manifest.json.sig", folder / "kept")
    assert run("bundle", "sign", folder, "--key", release.private).returncode == 0
    assert (folder / "manifest.json.sig").read_bytes() == (
        folder / "kept"
    ).read_bytes()  # ed25519 has no chance
