"""Ed25519 keys in files, made by another library than the tested one calls, and OpenSSL's command."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class KeyFiles:
    """The files of a private key and of its public key."""

    private: Path
    public: Path


def openssl(*words: object) -> subprocess.CompletedProcess[str]:
    """Run OpenSSL's command. Skips the test where there is none."""
    if shutil.which("openssl") is None:
        pytest.skip("The command openssl is not installed.")
    return subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, timeout=60)


def key_files(folder: Path, name: str, algorithm: str = "ed25519") -> KeyFiles:
    """Make a key as a user does."""
    files = KeyFiles(folder / f"{name}.key", folder / f"{name}.pub")
    made = openssl("genpkey", "-algorithm", algorithm, "-out", files.private)
    assert made.returncode == 0, made.stderr
    done = openssl("pkey", "-in", files.private, "-pubout", "-out", files.public)
    assert done.returncode == 0, done.stderr
    return files
