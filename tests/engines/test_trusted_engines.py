"""With trusted keys, TensorRT gets no byte of a plan that none of them signed.

The bundle has engines and a signature. Each test alters something, and then looks at the plans that TensorRT
is given: none, or those that this process built from the signed networks into the user's cache.
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.engines import H100, machine, use_fakes
from support.signing_keys import KeyFiles, key_files

from efficientscn_trt import bundle as bundles
from efficientscn_trt.backends import tensorrt
from efficientscn_trt.bundle import ANYONE, Bundle, SigningKey, TrustedKeys
from efficientscn_trt.engines import BuildOptions
from efficientscn_trt.engines.build import build_engines
from efficientscn_trt.engines.cache import find_obstacle, known_engines
from efficientscn_trt.errors import BundleError, DeviceError, SignatureError

HOSTILE = b"hostile code"


class Deserialized(Exception):
    """TensorRT was given a plan."""


@dataclass
class Site:
    """A machine with a GPU that trusts one key, and a signed bundle. `plans`: what TensorRT was given."""

    folder: Path
    release: KeyFiles
    cache: Path
    settings: Path
    plans: list[bytes]

    @property
    def trusted(self) -> TrustedKeys:
        return TrustedKeys.from_files(self.release.public)

    @property
    def manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text())
        return found

    @property
    def engine(self) -> Path:
        """The file of the first engine."""
        return self.folder / self.manifest["engines"][0]["file"]

    def write(self, manifest: dict[str, Any]) -> None:
        (self.folder / "manifest.json").write_text(json.dumps(manifest))

    def use(self, trusted: TrustedKeys | None = None) -> bytes:
        """Use the bundle on the GPU, and return the plan that TensorRT gets first."""
        self.plans.clear()
        loaded = bundles.load(self.folder, self.trusted if trusted is None else trusted)
        with pytest.raises(Deserialized):
            tensorrt.load_tensorrt(loaded, "auto", 0, H100)
        (plan,) = self.plans
        return plan


@pytest.fixture
def site(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Each build gives other plans, as TensorRT's do."""
    fakes = use_fakes(monkeypatch)
    numbers = itertools.count()
    for fake in fakes.values():
        build = fake.Builder.build_serialized_network
        monkeypatch.setattr(
            fake.Builder,
            "build_serialized_network",
            lambda *arguments, build=build: build(*arguments) + f" build {next(numbers)}".encode(),
        )
    monkeypatch.setattr(fakes["tensorrt"].Runtime, "deserialize_cuda_engine", _engine_of(fakes["tensorrt"]))
    monkeypatch.setattr(tensorrt, "this_machine", lambda index: machine(H100))
    monkeypatch.setattr(tensorrt, "load", lambda flavour: fakes[flavour.name])
    monkeypatch.setattr(tensorrt, "current", lambda gpu: nullcontext())
    monkeypatch.setenv("EFFICIENTSCN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    release = key_files(tmp_path, "release")
    build_engines(bundle, "tensorrt", machine=machine(H100))
    bundles.sign(bundle.path, SigningKey.from_file(release.private))
    plans: list[bytes] = []

    def record(trt: Any, plan: bytes) -> Any:
        plans.append(plan)
        raise Deserialized

    monkeypatch.setattr(tensorrt, "_LoadedEngine", record)
    yield Site(bundle.path, release, tmp_path / "cache", tmp_path / "config" / "efficientscn-trt", plans)
    assert all(HOSTILE not in plan for plan in plans)


def _engine_of(trt: Any) -> Callable[..., Any]:
    original = trt.Runtime.deserialize_cuda_engine
    return lambda self, plan: original(self, plan.partition(b" build")[0])


def _link(file: Path) -> None:
    """Replace a file or folder by a link to the same content elsewhere."""
    place = file.parent.parent / f"elsewhere-{file.name}"
    shutil.move(file, place)
    file.symlink_to(place)


def _engine_with_its_record(site: Site) -> None:
    manifest = site.manifest
    site.engine.write_bytes(HOSTILE)
    manifest["engines"][0]["sha256"] = bundles.sha256(site.engine)
    site.write(manifest)


def _record_of_another(site: Site) -> None:
    """Another manifest of the same networks and engines."""
    manifest = site.manifest
    manifest["engines"][0]["timed_on"] = "another GPU"
    site.write(manifest)


def _resigned(site: Site) -> None:
    _engine_with_its_record(site)
    stranger = key_files(site.folder.parent, "stranger")
    bundles.sign(site.folder, SigningKey.from_file(stranger.private))


REFUSED: dict[str, tuple[Callable[[Site], object], str]] = {
    "manifest": (_record_of_another, "is by none of the trusted keys"),
    "engine with its record": (_engine_with_its_record, "is by none of the trusted keys"),
    "signed by a stranger": (_resigned, "is by none of the trusted keys"),
    "ONNX": (
        lambda site: (site.folder / "segmentation.float16.onnx").write_bytes(HOSTILE),
        r"segmentation\.float16\.onnx was altered",
    ),
    "signature": (
        lambda site: (site.folder / "manifest.json.sig").write_bytes(bytes(64)),
        "is by none of the trusted keys",
    ),
    "no signature": (lambda site: (site.folder / "manifest.json.sig").unlink(), "is not signed"),
    "another trusted key": (
        lambda site: shutil.copy(key_files(site.folder.parent, "another").public, site.release.public),
        "is by none of the trusted keys",
    ),
    "damaged trusted key": (
        lambda site: site.release.public.write_text("no key"),
        r"release\.pub holds no whole public key in PEM form",
    ),
    "link to the manifest": (lambda site: _link(site.folder / "manifest.json"), "is a link"),
    "link to the signature": (lambda site: _link(site.folder / "manifest.json.sig"), "is a link"),
    "link to the ONNX": (lambda site: _link(site.folder / "segmentation.float16.onnx"), "is a link"),
}


@pytest.mark.parametrize(("alter", "sentence"), REFUSED.values(), ids=list(REFUSED))
def test_an_altered_bundle_is_refused(alter: Callable[[Site], object], sentence: str, site: Site) -> None:
    assert site.use() == site.engine.read_bytes()
    site.plans.clear()
    alter(site)
    with pytest.raises(BundleError, match=sentence):
        site.use()
    assert site.plans == []
    assert not (site.cache / "engines").exists()


def _swapped(site: Site) -> None:
    """The engine of another bundle by the same maker, under the first one's name."""
    other = bundles.load(shutil.copytree(site.folder, site.folder.parent / "other"), ANYONE)
    built = build_engines(other, "tensorrt", machine=machine(H100)).bundle
    bundles.sign(other.path, SigningKey.from_file(site.release.private))
    shutil.copy(other.path / built.manifest.engines[0].file, site.engine)


BUILT_AGAIN: dict[str, tuple[Callable[[Site], object], str]] = {
    "plan": (lambda site: site.engine.write_bytes(HOSTILE), "was altered: its SHA-256 is"),
    "plan of another bundle": (_swapped, "was altered: its SHA-256 is"),
    "no plan": (lambda site: site.engine.unlink(), "is missing"),
    "link to the plan": (lambda site: _link(site.engine), "is a link, expected the file itself"),
    "link to the folder of plans": (lambda site: _link(site.engine.parent), "engines is a link, expected"),
}


@pytest.mark.parametrize(("alter", "sentence"), BUILT_AGAIN.values(), ids=list(BUILT_AGAIN))
def test_an_altered_engine_is_built_again(
    alter: Callable[[Site], object],
    sentence: str,
    site: Site,
    caplog: pytest.LogCaptureFixture,
) -> None:
    alter(site)
    found = site.engine.read_bytes() if site.engine.exists() else b""
    plan = site.use()
    assert plan not in (b"", found)
    assert sentence in caplog.text
    assert "Building engines for NVIDIA H100" in caplog.text
    assert site.use() == plan  # kept, and signed with the user's own key
    (copy,) = (site.cache / "engines").iterdir()
    assert (copy / "manifest.json.sig").stat().st_size == 64


@pytest.fixture
def in_cache(site: Site) -> Path:
    """The copy in the cache of a bundle that was signed without engines."""
    manifest = site.manifest
    manifest["engines"] = []
    site.write(manifest)
    bundles.sign(site.folder, SigningKey.from_file(site.release.private))
    site.use()
    (copy,) = (path for path in (site.cache / "engines").iterdir() if path.is_dir())
    return copy


def _first_engine(copy: Path) -> Path:
    manifest = json.loads((copy / "manifest.json").read_text())
    return copy / str(manifest["engines"][0]["file"])


def _forge(copy: Path) -> None:
    """Another plan with its record, as whoever may write to the cache can leave it."""
    manifest = json.loads((copy / "manifest.json").read_text())
    _first_engine(copy).write_bytes(HOSTILE)
    manifest["engines"][0]["sha256"] = bundles.sha256(_first_engine(copy))
    (copy / "manifest.json").write_text(json.dumps(manifest))


def _forge_and_sign(copy: Path) -> None:
    _forge(copy)
    bundles.sign(copy, SigningKey.new())


IN_CACHE: dict[str, Callable[[Path], object]] = {
    "plan": lambda copy: _first_engine(copy).write_bytes(HOSTILE),
    "plan with its record": _forge,
    "signed by a stranger": _forge_and_sign,
    "signature": lambda copy: (copy / "manifest.json.sig").write_bytes(bytes(64)),
    "no signature": lambda copy: (copy / "manifest.json.sig").unlink(),
    "ONNX": lambda copy: (copy / "segmentation.float16.onnx").write_bytes(HOSTILE),
    "link to the plan": lambda copy: _link(_first_engine(copy)),
    "link to the manifest": lambda copy: _link(copy / "manifest.json"),
}


@pytest.mark.parametrize("alter", IN_CACHE.values(), ids=list(IN_CACHE))
def test_an_altered_engine_in_the_cache_is_built_again(
    alter: Callable[[Path], object], site: Site, in_cache: Path
) -> None:
    before = site.use()
    alter(in_cache)
    plan = site.use()
    assert plan != before
    assert site.use() == plan


def test_the_copy_of_another_bundle_in_the_cache_is_not_used(
    site: Site, in_cache: Path, bundle: Bundle, tmp_path: Path
) -> None:
    """Even if this user built it: somebody may have moved it."""
    other = shutil.copytree(site.folder, tmp_path / "other")
    document = json.loads((other / "manifest.json").read_text()) | {"name": "other"}
    (other / "manifest.json").write_text(json.dumps(document))
    bundles.sign(other, SigningKey.from_file(site.release.private))
    theirs = Site(Path(other), site.release, site.cache, site.settings, site.plans)
    plan = theirs.use()
    (place,) = (path for path in in_cache.parent.iterdir() if path.is_dir() and path != in_cache)
    shutil.rmtree(place)
    shutil.copytree(in_cache, place)
    ours = site.use()
    assert theirs.use() not in (plan, ours)
    assert json.loads((place / "manifest.json").read_text())["name"] == "other"
    assert site.use() == ours


def test_engines_that_were_built_without_trusted_keys_are_built_again(site: Site, in_cache: Path) -> None:
    shutil.rmtree(in_cache)
    plan = site.use(ANYONE)
    (copy,) = (path for path in in_cache.parent.iterdir() if path.is_dir())
    assert not (copy / "manifest.json.sig").exists()
    assert site.use() != plan


def test_a_user_without_a_key_trusts_nothing_in_the_cache(site: Site, in_cache: Path) -> None:
    shutil.rmtree(site.settings)
    (in_cache / "manifest.json.sig").unlink()
    _forge(in_cache)
    loaded = bundles.load(site.folder, site.trusted)
    assert known_engines(loaded, machine(H100)) == []
    assert not site.settings.exists()  # to look does not make a key
    assert HOSTILE not in site.use()


def test_without_a_place_for_the_own_key_nothing_is_built(site: Site, in_cache: Path) -> None:
    shutil.rmtree(site.settings)
    site.settings.parent.rmdir()
    site.settings.parent.write_bytes(b"a file, not a folder")
    loaded = bundles.load(site.folder, site.trusted)
    with pytest.raises(DeviceError) as caught:
        tensorrt.load_tensorrt(loaded, "auto", 0, H100)
    assert str(caught.value) == find_obstacle(loaded, machine(H100))
    assert "no folder of settings is writable for the key that would sign them" in str(caught.value)


def test_an_own_key_that_others_may_read_stops_everything(site: Site, in_cache: Path) -> None:
    (site.settings / "cache-key.pem").chmod(0o644)
    loaded = bundles.load(site.folder, site.trusted)
    with pytest.raises(SignatureError, match=r"cache-key\.pem has the owner \d+ and the permissions 644"):
        tensorrt.load_tensorrt(loaded, "auto", 0, H100)


def test_engines_beside_the_demo_bundle_are_not_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its networks need no signature, its engines do."""
    monkeypatch.setattr("efficientscn_trt.bundle.reader.DEMO_BUNDLE", site.folder)
    (site.folder / "manifest.json.sig").unlink()
    beside = site.engine.read_bytes()
    assert site.use() != beside
    loaded = bundles.load(site.folder, site.trusted)
    problems = [row.problem or "" for row in known_engines(loaded, machine(H100)) if row.path == site.folder]
    assert [problem.split(", ")[0] for problem in problems] == [
        f"{site.folder / engine.file} is not signed" for engine in loaded.manifest.engines
    ]


def test_a_build_says_that_the_signature_no_longer_fits(site: Site) -> None:
    loaded = bundles.load(site.folder, site.trusted)
    report = build_engines(loaded, "tensorrt", machine=machine(H100))
    assert report.warnings == (
        f"{site.folder} has new engines, so it has to be signed again: efficientscn-trt bundle sign "
        f"{site.folder} --key KEY.",
    )
    with pytest.raises(SignatureError):
        site.use()
    bundles.sign(site.folder, SigningKey.from_file(site.release.private))
    assert site.use() == site.engine.read_bytes()


def test_a_build_can_sign(site: Site) -> None:
    loaded, key = bundles.load(site.folder, site.trusted), SigningKey.from_file(site.release.private)
    report = build_engines(loaded, "tensorrt", machine=machine(H100), key=key)
    assert (report.warnings, report.bundle.signed_by) == ((), key.public)
    assert site.use() == site.engine.read_bytes()


def test_a_bundle_that_is_altered_during_a_build_gets_no_engines(site: Site) -> None:
    loaded = bundles.load(site.folder, site.trusted)
    (site.folder / "manifest.json").write_text(json.dumps(site.manifest))
    with pytest.raises(SignatureError):
        build_engines(loaded, "tensorrt", machine=machine(H100))


def test_timings_are_read_if_the_user_names_them(site: Site, tmp_path: Path) -> None:
    loaded, timings = bundles.load(site.folder, site.trusted), tmp_path / "timings"
    with pytest.raises(DeviceError, match="Where keys are trusted, no timing cache beside a bundle is read"):
        build_engines(
            loaded, "tensorrt", BuildOptions(error_on_timing_cache_miss=True), machine=machine(H100)
        )
    build_engines(loaded, "tensorrt", BuildOptions(timing_cache=timings), machine=machine(H100))
    assert timings.read_bytes() == b"++"  # the fake adds one for each network


def test_timings_that_nobody_signed_are_not_read(site: Site) -> None:
    build_engines(bundles.load(site.folder, ANYONE), "tensorrt", machine=machine(H100))
    (timings,) = site.folder.parent.glob("*.timing-cache")
    timings.write_bytes(HOSTILE)
    bundles.sign(site.folder, SigningKey.from_file(site.release.private))
    report = build_engines(bundles.load(site.folder, site.trusted), "tensorrt", machine=machine(H100))
    assert timings.read_bytes() == HOSTILE
    assert all("timing-cache" not in command.line for each in report.engines for command in each.commands)
