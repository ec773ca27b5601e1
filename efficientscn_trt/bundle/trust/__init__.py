"""Who may make bundles: the trusted keys, and the signatures of manifests.

A signature is ed25519 (RFC 8032) over the bytes of `manifest.json`, which has the SHA-256 of every other
file.
"""

from __future__ import annotations

from .configured import TRUSTED_KEYS_VARIABLE, configured_keys
from .keys import ANYONE, PublicKey, SigningKey, TrustedKeys
from .own_key import own_key
from .signature import SIGNATURE, check_signature, refuse_link, write_signature

__all__ = [
    "ANYONE",
    "SIGNATURE",
    "TRUSTED_KEYS_VARIABLE",
    "PublicKey",
    "SigningKey",
    "TrustedKeys",
    "check_signature",
    "configured_keys",
    "own_key",
    "refuse_link",
    "write_signature",
]
