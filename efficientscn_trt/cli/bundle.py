"""`efficientscn-trt bundle`: who made a bundle."""

from __future__ import annotations

from pathlib import Path

import click

from .options import FILE, trusted_key_option


@click.group()
def bundle() -> None:
    """Sign a bundle, or verify who signed it.

    A bundle's engines are native code, and the SHA-256 in its manifest show damage, but not who made it. A
    signature does. Where keys are trusted (--trusted-key, the variable EFFICIENTSCN_TRUSTED_KEYS, or the
    user's file), every command refuses a bundle that none of them signed.

    \b
    Example:
        openssl genpkey -algorithm ed25519 -out release.key
        openssl pkey -in release.key -pubout -out release.pub
        efficientscn-trt bundle sign my-bundle/ --key release.key
        efficientscn-trt bundle verify my-bundle/ --trusted-key release.pub
    """


@bundle.command()
@click.argument("folder", metavar="BUNDLE", type=FILE)
@click.option(
    "--key",
    required=True,
    type=FILE,
    metavar="FILE",
    help="Private ed25519 key in PEM form. If it is encrypted, its passphrase is asked for.",
)
def sign(folder: Path, key: Path) -> None:
    """Sign BUNDLE with a private key.

    Each file is compared with its SHA-256 first, the engines too. The signature is the file manifest.json.sig
    in BUNDLE; a former one is replaced. `build` changes the manifest, so sign after it.

    \b
    Example:
        efficientscn-trt bundle sign my-bundle/ --key release.key
    """
    from ..bundle import SigningKey
    from ..bundle import sign as sign_bundle

    signer = SigningKey.from_file(
        key, lambda: click.prompt(f"Passphrase of {key}", hide_input=True, err=True)
    )
    sign_bundle(folder, signer)
    click.echo(f"{folder}: signed with the key {signer.public.fingerprint}")


@bundle.command()
@click.argument("folder", metavar="BUNDLE", type=FILE)
@trusted_key_option
def verify(folder: Path) -> None:
    """Verify that a trusted key signed BUNDLE, and that none of its files was altered.

    Without --trusted-key, the keys of the variable EFFICIENTSCN_TRUSTED_KEYS count, else those of the user's
    file. The exit code is 4 if the signature or a file is wrong.

    \b
    Example:
        efficientscn-trt bundle verify my-bundle/ --trusted-key release.pub
    """
    from .. import bundle as bundles
    from ..bundle.trust import TRUSTED_KEYS_VARIABLE, configured_keys
    from ..bundle.trust.signature import unsigned
    from ..io.wording import counted

    trusted = configured_keys()
    if not trusted:
        raise click.UsageError(
            f"No key is trusted; give one with --trusted-key, or name it in {TRUSTED_KEYS_VARIABLE}."
        )
    loaded = bundles.load(folder, trusted)
    if loaded.signed_by is None:  # the demo bundle, which is used without a signature
        raise unsigned(folder, trusted)
    bundles.verify_engines(loaded)
    networks, engines = len(loaded.manifest.files), len(loaded.manifest.engines)
    click.echo(
        f"{folder}: signed with the trusted key {loaded.signed_by.fingerprint}; "
        f"{counted(networks, 'ONNX file')} and {counted(engines, 'engine')} are unaltered"
    )
