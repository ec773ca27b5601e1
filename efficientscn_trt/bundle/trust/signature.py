"""Sign a manifest, and refuse one that no trusted key signed."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from ...errors import SignatureError
from ...io.atomic import replacing
from ...io.wording import system_reason
from .keys import PublicKey, SigningKey, TrustedKeys

SIGNATURE = "manifest.json.sig"
_BYTES = 64


def write_signature(folder: Path, manifest: bytes, key: SigningKey) -> None:
    """Write the signature of `manifest`, the bytes of the manifest of the bundle in `folder`.

    Raises OutputError, and SignatureError if the file of a former signature is a link.
    """
    refuse_link(folder, SIGNATURE)
    with replacing(folder / SIGNATURE) as temporary:
        temporary.write_bytes(key.sign(manifest))


def check_signature(folder: Path, manifest: bytes, trusted: TrustedKeys) -> PublicKey:
    """The key among `trusted` that signed `manifest`. Raises SignatureError if none did."""
    file = folder / SIGNATURE
    if not os.path.lexists(file):
        raise unsigned(folder, trusted)
    refuse_link(folder, SIGNATURE)
    try:
        with file.open("rb") as stream:
            signature = stream.read(_BYTES + 1)
    except OSError as error:
        raise SignatureError(f"{file} cannot be read: {system_reason(error)}.") from error
    if len(signature) != _BYTES:
        size = f"more than {_BYTES}" if len(signature) > _BYTES else str(len(signature))
        raise SignatureError(
            f"{file} has {size} bytes, expected the {_BYTES} of an ed25519 signature; copy the bundle again."
        )
    for key in trusted.keys:
        if key.verifies(signature, manifest):
            return key
    raise SignatureError(
        f"The signature of {folder} is by none of the trusted keys ({trusted}), or the manifest was altered "
        "after it was signed, as `build` does; get the bundle again, or if the change is yours, sign it: "
        f"efficientscn-trt bundle sign {folder} --key KEY."
    )


def unsigned(folder: Path, trusted: TrustedKeys) -> SignatureError:
    """The error for a bundle without a signature."""
    return SignatureError(
        f"{folder} is not signed (it has no {SIGNATURE}), expected the signature of a trusted key "
        f"({trusted}); get a signed bundle, or if it is yours, sign it: "
        f"efficientscn-trt bundle sign {folder} --key KEY."
    )


def refuse_link(folder: Path, name: str) -> None:
    """Raise SignatureError if the file `name` of the bundle in `folder`, or a folder to it, is a link."""
    place = folder
    for part in PurePosixPath(name).parts:
        place = place / part
        if os.path.islink(place):
            raise SignatureError(
                f"{place} is a link, expected the file itself, because the bundle has to be signed; copy the "
                "whole bundle again."
            )
