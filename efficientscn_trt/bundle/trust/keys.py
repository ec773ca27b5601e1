"""Ed25519 keys in PEM files, as OpenSSL writes them: public ones to trust, private ones to sign with."""

from __future__ import annotations

import hashlib
import os
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from ...errors import SignatureError
from ...io.paths import as_path
from ...io.wording import listed, system_reason

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_MOST_BYTES = 1 << 20
_PUBLIC_INFO = bytes.fromhex("302a300506032b6570032100")
"""What precedes the 32 bytes of a key in a SubjectPublicKeyInfo (RFC 8410)."""
_BLOCK = re.compile(rb"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----", re.DOTALL)
_NEW_KEY = "make one with `openssl genpkey -algorithm ed25519`"
_ITS_PUBLIC_KEY = "give what `openssl pkey -in KEY -pubout` prints"


@dataclass(frozen=True)
class PublicKey:
    """A public key. `raw`: its 32 bytes."""

    raw: bytes

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the key in DER form, in hexadecimal."""
        return hashlib.sha256(_PUBLIC_INFO + self.raw).hexdigest()

    @property
    def short(self) -> str:
        """The beginning of the fingerprint, for people."""
        return self.fingerprint[:16]

    def verifies(self, signature: bytes, content: bytes) -> bool:
        """Whether the owner of this key signed `content`."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, content)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class TrustedKeys:
    """The public keys of which one must have signed a bundle. If there are none, no signature is needed."""

    keys: tuple[PublicKey, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.keys)

    def __str__(self) -> str:
        return listed(key.short for key in self.keys)

    @classmethod
    def from_files(cls, *files: str | os.PathLike[str]) -> TrustedKeys:
        """The keys in PEM files, each with one or more. Raises SignatureError, also without files."""
        if not files:
            raise SignatureError("No file with trusted keys was given, expected one or more; give some.")
        paths = (as_path(file, SignatureError) for file in files)
        return cls(
            tuple(dict.fromkeys(key for path in paths for key in _public_keys(_read_pem(path), str(path))))
        )

    @classmethod
    def from_pem(cls, text: str, origin: str) -> TrustedKeys:
        """The keys in PEM text. `origin`: where it is from, for errors. Raises SignatureError."""
        return cls(tuple(dict.fromkeys(_public_keys(text.encode(errors="replace"), origin))))

    def to_pem(self) -> str:
        """The keys as PEM text."""
        blocks = (b64encode(_PUBLIC_INFO + key.raw).decode() for key in self.keys)
        return "".join(f"-----BEGIN PUBLIC KEY-----\n{block}\n-----END PUBLIC KEY-----\n" for block in blocks)


ANYONE = TrustedKeys()
"""Nobody in particular has to have signed a bundle."""


class SigningKey:
    """A private key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @property
    def public(self) -> PublicKey:
        """The public key to it."""
        return PublicKey(self._key.public_key().public_bytes_raw())

    def sign(self, content: bytes) -> bytes:
        """The 64 bytes of a signature."""
        return self._key.sign(content)

    @classmethod
    def new(cls) -> SigningKey:
        """A random key."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_file(
        cls, file: str | os.PathLike[str], passphrase: Callable[[], str] | None = None
    ) -> SigningKey:
        """The private key in a PEM file. `passphrase` is called if the file is encrypted.

        Raises SignatureError.
        """
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        path = as_path(file, SignatureError)
        content = _read_pem(path)
        if b"PRIVATE KEY-----" not in content:
            _refuse(str(path), "holds no private key in PEM form", "an ed25519 one", _NEW_KEY)
        words = None
        if b"ENCRYPTED" in content:
            if passphrase is None:
                _refuse(str(path), "is encrypted", "its passphrase", "give it")
            words = passphrase().encode()
        try:
            key: Any = load_pem_private_key(content, words)
        except UnsupportedAlgorithm:
            key = None
        except (ValueError, TypeError):
            if words is not None:
                _refuse(str(path), "cannot be read with this passphrase", "another one", "try again")
            _refuse(str(path), "cannot be read", "a private ed25519 key in PEM form", _NEW_KEY)
        if not isinstance(key, Ed25519PrivateKey):
            _refuse(str(path), "holds a key of another kind", "an ed25519 one", _NEW_KEY)
        return cls(key)

    def to_pem(self) -> bytes:
        """The key as PEM text, not encrypted."""
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _read_pem(file: Path) -> bytes:
    """The content of a small file. Raises SignatureError."""
    try:
        with file.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL character
        reason = system_reason(error) if isinstance(error, OSError) else str(error)
        raise SignatureError(
            f"The key {file} cannot be read: {reason}; give the name of a PEM file that you may read."
        ) from error
    if len(content) > _MOST_BYTES:
        _refuse(str(file), f"has more than {_MOST_BYTES} bytes", "a PEM file with keys", "give one")
    return content


def _public_keys(content: bytes, origin: str) -> list[PublicKey]:
    """Every block must be a public key, so that none is lost in silence."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if b"PRIVATE KEY-----" in content:
        _refuse(
            origin,
            "holds a private key",
            "a public one",
            f"keep the private key secret, and {_ITS_PUBLIC_KEY}",
        )
    blocks, found = list(_BLOCK.finditer(content)), []
    if not blocks or len(blocks) != content.count(b"-----BEGIN"):
        _refuse(
            origin,
            "holds no whole public key in PEM form" if not blocks else "is damaged",
            "one or more ed25519 ones",
            _ITS_PUBLIC_KEY,
        )
    for block in blocks:
        try:
            key: Any = load_pem_public_key(block[0])
        except (ValueError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, Ed25519PublicKey):
            _refuse(
                origin,
                "holds something other than an ed25519 key",
                "public ed25519 keys alone",
                f"{_ITS_PUBLIC_KEY} for a key of this kind",
            )
        found.append(PublicKey(key.public_bytes_raw()))
    return found


def _refuse(origin: str, found: str, expected: str, remedy: str) -> NoReturn:
    raise SignatureError(f"{origin} {found}, expected {expected}; {remedy}.")
