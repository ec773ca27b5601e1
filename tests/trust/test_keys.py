"""Keys are read as OpenSSL writes them. What is no ed25519 key is refused in a sentence."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from support.signing_keys import KeyFiles, key_files, openssl

from efficientscn_trt.bundle import PublicKey, SigningKey, TrustedKeys
from efficientscn_trt.errors import SignatureError

#: RFC 8032, section 7.1, test 2: public key, message and signature.
RFC_KEY = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
RFC_MESSAGE = b"\x72"
RFC_SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def test_a_signature_of_the_standard_is_right() -> None:
    key = PublicKey(RFC_KEY)
    assert key.verifies(RFC_SIGNATURE, RFC_MESSAGE)
    assert not key.verifies(RFC_SIGNATURE, b"\x73")
    assert not key.verifies(RFC_SIGNATURE[:-1] + b"\x01", RFC_MESSAGE)
    assert not PublicKey(RFC_KEY[:-1] + b"\x0d").verifies(RFC_SIGNATURE, RFC_MESSAGE)


def test_openssl_verifies_what_we_sign(release: KeyFiles, tmp_path: Path) -> None:
    content, signature = tmp_path / "content", tmp_path / "signature"
    content.write_bytes(b"a manifest")
    signature.write_bytes(SigningKey.from_file(release.private).sign(b"a manifest"))
    words = ("-pubin", "-inkey", release.public, "-rawin", "-in", content, "-sigfile", signature)
    assert openssl("pkeyutl", "-verify", *words).returncode == 0
    content.write_bytes(b"another manifest")
    assert openssl("pkeyutl", "-verify", *words).returncode != 0


def test_we_verify_what_openssl_signs(release: KeyFiles, other: KeyFiles, tmp_path: Path) -> None:
    content, signature = tmp_path / "content", tmp_path / "signature"
    content.write_bytes(b"a manifest")
    words = ("-inkey", release.private, "-rawin", "-in", content, "-out", signature)
    assert openssl("pkeyutl", "-sign", *words).returncode == 0
    (ours,), (theirs,) = (TrustedKeys.from_files(each.public).keys for each in (release, other))
    assert ours.verifies(signature.read_bytes(), b"a manifest")
    assert not theirs.verifies(signature.read_bytes(), b"a manifest")


def test_the_fingerprint_is_that_of_the_key_in_der_form(release: KeyFiles) -> None:
    lines = release.public.read_text().splitlines()
    (key,) = TrustedKeys.from_files(release.public).keys
    assert key.fingerprint == hashlib.sha256(base64.b64decode("".join(lines[1:-1]))).hexdigest()
    assert key.fingerprint.startswith(key.short)


def test_a_file_may_have_several_keys(release: KeyFiles, other: KeyFiles, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(b"of the lab:\n" + other.public.read_bytes() + b"\n" + release.public.read_bytes())
    trusted = TrustedKeys.from_files(both)
    assert trusted == TrustedKeys.from_files(other.public, release.public)
    assert trusted == TrustedKeys.from_files(both, release.public)
    assert TrustedKeys.from_pem(trusted.to_pem(), "text") == trusted
    assert str(trusted) == ", ".join(key.short for key in trusted.keys)


def test_no_files_are_not_no_keys() -> None:
    with pytest.raises(SignatureError, match="No file with trusted keys was given"):
        TrustedKeys.from_files(*())


def test_an_encrypted_key_needs_its_passphrase(release: KeyFiles, tmp_path: Path) -> None:
    file = tmp_path / "encrypted.key"
    words = ("-in", release.private, "-aes256", "-passout", "pass:a word", "-out", file)
    assert openssl("pkey", *words).returncode == 0
    assert SigningKey.from_file(file, lambda: "a word").public == SigningKey.from_file(release.private).public
    with pytest.raises(SignatureError, match=r"encrypted\.key cannot be read with this passphrase, expected"):
        SigningKey.from_file(file, lambda: "another")
    with pytest.raises(
        SignatureError, match=r"encrypted\.key is encrypted, expected its passphrase; give it\."
    ):
        SigningKey.from_file(file)


def _truncated(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _altered(content: bytes) -> bytes:
    return content.replace(b"MC", b"!!", 1)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda _: b"", "holds no whole public key in PEM form"),
        (lambda _: b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI me", "holds no whole public key in PEM form"),
        (_truncated, "holds no whole public key in PEM form"),
        (lambda content: content + _truncated(content), "is damaged"),
        (_altered, "holds something other than an ed25519 key"),
        (lambda content: content + b"\0" * (1 << 20), "has more than 1048576 bytes"),
    ],
    ids=["empty", "OpenSSH's", "cut off", "second cut off", "altered", "huge"],
)
def test_what_is_no_public_key(
    change: Callable[[bytes], bytes], found: str, release: KeyFiles, tmp_path: Path
) -> None:
    file = tmp_path / "trusted.pem"
    file.write_bytes(change(release.public.read_bytes()))
    with pytest.raises(SignatureError) as caught:
        TrustedKeys.from_files(file)
    assert f"{file} {found}, expected " in str(caught.value)


def test_a_key_of_another_kind(tmp_path: Path) -> None:
    rsa = key_files(tmp_path, "rsa", "RSA")
    with pytest.raises(SignatureError, match="holds something other than an ed25519 key"):
        TrustedKeys.from_files(rsa.public)
    with pytest.raises(SignatureError, match="holds a key of another kind, expected an ed25519 one"):
        SigningKey.from_file(rsa.private)


def test_private_and_public_keys_are_not_mixed_up(release: KeyFiles) -> None:
    with pytest.raises(
        SignatureError, match=r"release\.key holds a private key, expected a public one; keep"
    ):
        TrustedKeys.from_files(release.private)
    with pytest.raises(SignatureError, match=r"release\.pub holds no private key in PEM form"):
        SigningKey.from_file(release.public)


def test_a_damaged_private_key(release: KeyFiles, tmp_path: Path) -> None:
    file = tmp_path / "damaged.key"
    file.write_bytes(_altered(release.private.read_bytes()))
    with pytest.raises(SignatureError, match=r"damaged\.key cannot be read, expected a private ed25519 key"):
        SigningKey.from_file(file)


@pytest.mark.parametrize("name", ["missing.pem", ".", "nul\0.pem"])
def test_a_file_that_cannot_be_read(name: str, tmp_path: Path) -> None:
    with pytest.raises(SignatureError, match="cannot be read: "):
        TrustedKeys.from_files(tmp_path / name)
