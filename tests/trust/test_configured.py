"""Which keys a process trusts. Keys that cannot be read never mean that everybody is trusted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.signing_keys import KeyFiles

from efficientscn_trt.bundle import ANYONE, TrustedKeys
from efficientscn_trt.bundle.trust import own_key
from efficientscn_trt.bundle.trust.configured import configured_keys
from efficientscn_trt.errors import SignatureError

VARIABLE = "EFFICIENTSCN_TRUSTED_KEYS"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the user's settings, which does not exist yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv(VARIABLE, raising=False)
    return tmp_path / "config" / "efficientscn-trt"


def test_by_default_nobody_has_to_sign(settings: Path) -> None:
    assert configured_keys() == ANYONE
    assert not ANYONE


def test_the_users_file_counts(settings: Path, release: KeyFiles) -> None:
    settings.mkdir(parents=True)
    (settings / "trusted-keys.pem").write_bytes(release.public.read_bytes())
    assert configured_keys() == TrustedKeys.from_files(release.public)


def test_the_variable_replaces_the_users_file(
    settings: Path, release: KeyFiles, other: KeyFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.mkdir(parents=True)
    (settings / "trusted-keys.pem").write_bytes(release.public.read_bytes())
    monkeypatch.setenv(VARIABLE, str(other.public))
    assert configured_keys() == TrustedKeys.from_files(other.public)
    monkeypatch.setenv(VARIABLE, os.pathsep.join((str(other.public), "", str(release.public))))
    assert configured_keys() == TrustedKeys.from_files(other.public, release.public)
    monkeypatch.setenv(VARIABLE, other.public.read_text())
    assert configured_keys() == TrustedKeys.from_files(other.public)
    monkeypatch.setenv(VARIABLE, "")
    assert configured_keys() == TrustedKeys.from_files(release.public)


@pytest.mark.parametrize("value", [os.pathsep, "  ", "missing.pem", "-----BEGIN PUBLIC KEY-----"])
def test_a_variable_without_keys_is_an_error(
    value: str, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(SignatureError):
        configured_keys()


@pytest.mark.parametrize("content", [None, b"", b"no key"])
def test_a_users_file_without_keys_is_an_error(content: bytes | None, settings: Path) -> None:
    settings.mkdir(parents=True)
    file = settings / "trusted-keys.pem"
    if content is None:
        file.symlink_to(settings / "missing")
    else:
        file.write_bytes(content)
    with pytest.raises(SignatureError, match=r"trusted-keys\.pem"):
        configured_keys()


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="root may search every folder")
def test_a_folder_that_may_not_be_searched_is_an_error(settings: Path) -> None:
    settings.parent.mkdir()
    settings.parent.chmod(0)
    try:
        with pytest.raises(SignatureError, match="cannot be seen: permission denied; let this user search"):
            configured_keys()
        assert own_key(make=True) is None
    finally:
        settings.parent.chmod(0o700)


def test_without_a_home_folder_there_is_no_users_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert configured_keys() == ANYONE
    assert own_key(make=True) is None


def test_the_users_own_key_is_made_once_and_is_secret(settings: Path) -> None:
    assert own_key(make=False) is None
    assert not settings.exists()
    made = own_key(make=True)
    assert made is not None
    (file,) = settings.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    for make in (True, False):
        again = own_key(make=make)
        assert again is not None
        assert again.public == made.public


def test_an_own_key_that_others_may_read_is_refused(settings: Path) -> None:
    own_key(make=True)
    file = settings / "cache-key.pem"
    file.chmod(0o640)
    with pytest.raises(SignatureError, match=r"cache-key\.pem has the owner \d+ and the permissions 640"):
        own_key(make=True)


def test_a_damaged_own_key_is_refused(settings: Path) -> None:
    own_key(make=True)
    (settings / "cache-key.pem").write_bytes(b"")
    with pytest.raises(SignatureError, match=r"cache-key\.pem holds no private key"):
        own_key(make=True)


def test_an_own_key_that_cannot_be_kept(settings: Path) -> None:
    settings.parent.write_bytes(b"a file, not a folder")
    assert own_key(make=True) is None
