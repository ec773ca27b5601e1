"""With trusted keys, a bundle is loaded only if one of them signed it and nothing was altered since."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.signing_keys import KeyFiles

from efficientscn_trt import Segmenter
from efficientscn_trt import bundle as bundles
from efficientscn_trt.batch.cluster import shipping
from efficientscn_trt.bundle import ANYONE, SigningKey, TrustedKeys
from efficientscn_trt.bundle.shipped import DEMO_BUNDLE
from efficientscn_trt.errors import BundleError, OutputError, SignatureError


def trusting(*keys: KeyFiles) -> TrustedKeys:
    return TrustedKeys.from_files(*(each.public for each in keys))


def test_a_signed_bundle_is_loaded(signed: Path, release: KeyFiles, other: KeyFiles) -> None:
    for trusted in (trusting(release), trusting(other, release)):
        loaded = bundles.load(signed, trusted)
        assert loaded.signed_by == trusting(release).keys[0]
        assert loaded.trusted == trusted
    unchecked = bundles.load(signed, ANYONE)
    assert (unchecked.signed_by, unchecked.trusted) == (None, ANYONE)
    assert unchecked.manifest == loaded.manifest


def test_a_folder_that_is_a_link_is_the_same_folder(signed: Path, release: KeyFiles, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(signed)
    assert bundles.load(tmp_path / "link", trusting(release)).signed_by


def _edited(folder: Path) -> None:
    file = folder / "manifest.json"
    file.write_text(file.read_text().replace("HU thresholds", "HU threshold "))


def _reformatted(folder: Path) -> None:
    file = folder / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text())))


def _flipped(name: str) -> Callable[[Path], None]:
    def flip(folder: Path) -> None:
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / name).write_bytes(content)

    return flip


def _linked(name: str) -> Callable[[Path], None]:
    def link(folder: Path) -> None:
        shutil.move(folder / name, folder.parent / name)
        (folder / name).symlink_to(folder.parent / name)

    return link


def _linked_to_nothing(folder: Path) -> None:
    (folder / "manifest.json.sig").unlink()
    (folder / "manifest.json.sig").symlink_to("missing")


def _of_another_bundle(folder: Path) -> None:
    """A manifest and its signature by the same key, but of another bundle."""
    other = Path(shutil.copytree(DEMO_BUNDLE, folder.parent / "another"))
    bundles.sign(other, SigningKey.from_file(next(folder.parent.glob("*.key"))))
    for name in ("manifest.json", "manifest.json.sig"):
        shutil.copy(other / name, folder / name)


ALTERED: dict[str, tuple[Callable[[Path], object], str]] = {
    "manifest": (_edited, "is by none of the trusted keys"),
    "layout of the manifest": (_reformatted, "is by none of the trusted keys"),
    "ONNX": (_flipped("segmentation.onnx"), r"segmentation\.onnx was altered: its SHA-256 is"),
    "signature": (_flipped("manifest.json.sig"), "is by none of the trusted keys"),
    "no signature": (
        lambda folder: (folder / "manifest.json.sig").unlink(),
        r"is not signed \(it has no manifest\.json\.sig\)",
    ),
    "short signature": (
        lambda folder: os.truncate(folder / "manifest.json.sig", 63),
        "has 63 bytes, expected the 64 of an ed25519 signature",
    ),
    "long signature": (
        lambda folder: (folder / "manifest.json.sig").write_bytes(bytes(65)),
        "has more than 64 bytes, expected the 64",
    ),
    "link to the manifest": (_linked("manifest.json"), r"manifest\.json is a link, expected the file itself"),
    "link to the ONNX": (_linked("localization.onnx"), r"localization\.onnx is a link, expected the file"),
    "link to the signature": (_linked("manifest.json.sig"), r"manifest\.json\.sig is a link, expected"),
    "signature that leads nowhere": (
        _linked_to_nothing,
        r"manifest\.json\.sig is a link, expected",
    ),
    "manifest of another bundle": (_of_another_bundle, r"localization\.onnx was altered"),
}


@pytest.mark.parametrize(("alter", "sentence"), ALTERED.values(), ids=list(ALTERED))
def test_an_altered_bundle_is_refused(
    alter: Callable[[Path], object], sentence: str, signed: Path, release: KeyFiles
) -> None:
    shutil.copy(release.private, signed.parent)
    alter(signed)
    with pytest.raises(BundleError, match=sentence):
        bundles.load(signed, trusting(release))


def test_a_signature_of_somebody_else_is_refused(signed: Path, other: KeyFiles) -> None:
    (key,) = trusting(other).keys
    with pytest.raises(SignatureError) as caught:
        bundles.load(signed, trusting(other))
    assert str(caught.value) == (
        f"The signature of {signed} is by none of the trusted keys ({key.short}), or the manifest was "
        "altered after it was signed, as `build` does; get the bundle again, or if the change is yours, "
        f"sign it: efficientscn-trt bundle sign {signed} --key KEY."
    )


def test_the_signature_is_read_before_the_manifest(signed: Path, release: KeyFiles) -> None:
    (signed / "manifest.json").write_bytes(b"[" * 100_000)
    with pytest.raises(SignatureError):
        bundles.load(signed, trusting(release))


def test_the_demo_bundle_needs_no_signature(release: KeyFiles, tmp_path: Path) -> None:
    loaded = bundles.load(DEMO_BUNDLE, trusting(release))
    assert (loaded.signed_by, loaded.trusted) == (None, trusting(release))
    with pytest.raises(SignatureError, match="is not signed"):
        bundles.load(shutil.copytree(DEMO_BUNDLE, tmp_path / "copy"), trusting(release))


def test_a_bundle_is_signed_only_if_it_is_whole(folder: Path, release: KeyFiles) -> None:
    key = SigningKey.from_file(release.private)
    _flipped("localization.onnx")(folder)
    with pytest.raises(BundleError, match=r"localization\.onnx was altered"):
        bundles.sign(folder, key)
    assert not (folder / "manifest.json.sig").exists()


@pytest.mark.parametrize("name", ["manifest.json", "manifest.json.sig", "localization.onnx"])
def test_a_bundle_with_links_is_not_signed(name: str, signed: Path, release: KeyFiles) -> None:
    """It would be refused where it is used."""
    _linked(name)(signed)
    with pytest.raises(SignatureError, match=f"{name} is a link"):
        bundles.sign(signed, SigningKey.from_file(release.private))


def test_signing_again_replaces_the_signature(signed: Path, release: KeyFiles, other: KeyFiles) -> None:
    again = bundles.sign(signed, SigningKey.from_file(other.private))
    assert again == bundles.load(signed, trusting(other))
    with pytest.raises(SignatureError):
        bundles.load(signed, trusting(release))


def test_a_bundle_that_cannot_be_written(folder: Path, release: KeyFiles) -> None:
    (folder / "manifest.json.sig").mkdir()
    with pytest.raises(OutputError, match=r"manifest\.json\.sig is a folder, expected the name of a file"):
        bundles.sign(folder, SigningKey.from_file(release.private))


def test_a_network_that_is_altered_after_the_load_is_not_used(
    signed: Path, release: KeyFiles, own_cache: None
) -> None:
    loaded = bundles.load(signed, trusting(release))
    _flipped("localization.onnx")(signed)
    with pytest.raises(BundleError, match=r"localization\.onnx was altered since the bundle was loaded"):
        Segmenter(loaded, "cpu")


def test_compiled_networks_are_not_kept(
    signed: Path, release: KeyFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EFFICIENTSCN_CACHE", str(tmp_path / "cache"))
    Segmenter(bundles.load(signed, trusting(release)), "cpu")
    assert not list((tmp_path / "cache").rglob("*.blob"))
    Segmenter(bundles.load(signed, ANYONE), "cpu")
    assert list((tmp_path / "cache").rglob("*.blob"))


def test_a_segmenter_in_another_process_trusts_the_same_keys(
    signed: Path, release: KeyFiles, own_cache: None, monkeypatch: pytest.MonkeyPatch, other: KeyFiles
) -> None:
    monkeypatch.setenv("EFFICIENTSCN_TRUSTED_KEYS", str(release.public))
    pickled = pickle.dumps(Segmenter(signed, "cpu"))
    monkeypatch.setenv("EFFICIENTSCN_TRUSTED_KEYS", str(other.public))
    assert pickle.loads(pickled).bundle.trusted == trusting(release)
    _edited(signed)
    with pytest.raises(SignatureError):
        pickle.loads(pickled)


def test_a_segmenter_of_anyones_bundle_trusts_the_keys_where_it_arrives(
    folder: Path, own_cache: None, monkeypatch: pytest.MonkeyPatch, other: KeyFiles
) -> None:
    pickled = pickle.dumps(Segmenter(folder, "cpu"))
    monkeypatch.setenv("EFFICIENTSCN_TRUSTED_KEYS", str(other.public))
    with pytest.raises(SignatureError, match="is not signed"):
        pickle.loads(pickled)


def test_a_signature_travels_with_its_bundle(
    signed: Path, release: KeyFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EFFICIENTSCN_CACHE", str(tmp_path / "cache"))
    trusted, digest = trusting(release), shipping.digest_of(signed)
    files = shipping.packed(signed, trusted)
    copy = shipping.at_hand(tmp_path / "elsewhere", digest, trusted, lambda: files)
    assert bundles.load(copy, trusted).signed_by
    (copy / "manifest.json.sig").unlink()
    assert shipping.at_hand(tmp_path / "elsewhere", digest, trusted, lambda: files) == copy
    shutil.rmtree(copy)
    del files["manifest.json.sig"]
    with pytest.raises(SignatureError, match="is not signed"):
        shipping.at_hand(tmp_path / "elsewhere", digest, trusted, lambda: files)
