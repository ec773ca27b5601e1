"""A bundle: a folder with two ONNX networks and `manifest.json`, which holds every number of the pipeline.

`load` reads and verifies one, `write` makes one. All triples are (z, y, x) unless a name ends in `_xyz`;
lengths are in mm, intensities in HU.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ._manifest import decode
from .errors import BundleError, OutputError
from .paths import is_there

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
NETWORKS = ("localization", "segmentation")

OPTIONAL = {"optional": True}
"""Metadata of a field that a manifest may lack."""

Size = tuple[int, int, int]
Sizes = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
Triple = tuple[float, float, float]


@dataclass(frozen=True)
class LocalizationPipeline:
    """Stage 1, from the whole scan to the box. Defaults: the released code (reference table, stage 1)."""

    spacing_mm: float = 6.0
    spacing_slack: float = 0.02
    valid_sizes: Sizes = (tuple(range(32, 257, 16)), (32, 48, 64, 80), (32, 48, 64, 80))
    padding_hu: float = -1024.0
    smoothing_sigma_mm: float = 0.0
    box_margin_mm: float = 10.0
    intensity_scale: float = 2048.0
    intensity_min: float = -1.0
    intensity_max: float = 1.0


@dataclass(frozen=True)
class SegmentationPipeline:
    """Stage 2, from the box to labels. Defaults: the released code (reference table, stage 2)."""

    spacing_mm: float = 2.0
    spacing_threshold: float = 1.9
    spacing_slack: float = 0.1
    valid_sizes: Sizes = ((32, 64, 96, 128, 160), (32, 64, 96, 128), (32, 64, 96, 128, 160))
    smoothing_sigma_mm: float = 1.0
    outside_hu: float = 0.0
    intensity_scale: float = 2048.0
    intensity_min: float = -1.0
    intensity_max: float = 1.0


@dataclass(frozen=True)
class UnknownSpacing:
    """A spacing of exactly `marker_xyz` means "unknown"; `used_xyz` is then used inside (reference table)."""

    marker_xyz: Triple = (1.0, 1.0, 1.0)
    used_xyz: Triple = (0.814528640267884, 0.814528640267884, 2.52795318268203)


@dataclass(frozen=True)
class Pipeline:
    """Every number that the pipeline assumes."""

    localization: LocalizationPipeline = LocalizationPipeline()
    segmentation: SegmentationPipeline = SegmentationPipeline()
    unknown_spacing: UnknownSpacing = UnknownSpacing()


@dataclass(frozen=True)
class Tensor:
    """Name, NumPy dtype name and shape of a network's input or output; a dynamic dimension is a name."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True)
class Float16File:
    """The form of a network that TensorRT builds float16 engines from; inputs and outputs are float16 too."""

    file: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Network:
    """One network of a bundle: float32 ONNX, which `input` and `output` describe, and its float16 form."""

    file: str
    sha256: str
    bytes: int
    opset: int
    parameters: int
    input: Tensor
    output: Tensor
    float16: Float16File | None = field(default=None, metadata=OPTIONAL)


@dataclass(frozen=True)
class Networks:
    """The two networks: mask of the organs at 6 mm, and label probabilities in the box at 2 mm."""

    localization: Network
    segmentation: Network


@dataclass(frozen=True)
class Profile:
    """The sizes (z, y, x) that an engine takes: from `min` to `max`, tuned for `opt`."""

    min: Size
    opt: Size
    max: Size


@dataclass(frozen=True)
class ActivationMemory:
    """Bytes of scratch memory that a network needs on the GPU: at a profile's `max`, and at its `opt`."""

    largest: int
    typical: int


@dataclass(frozen=True)
class Engine:
    """A TensorRT engine of one network, and all that decides whether it may run on a machine.

    `flavour` is "tensorrt" or "tensorrt-rtx", `version` the one that built it and alone can run it,
    `platform` Python's name of system and processor, `onnx_sha256` that of the ONNX file it was built from.
    The activation memory is None where the builder did not tell it. `version_compatible`: whether the lean
    runtime, of the same version, runs it too. `timed_on`: the GPU whose timings chose its kernels, if any.
    """

    network: str
    flavour: str
    version: str
    platform: str
    compute_capabilities: tuple[str, ...]
    precision: str
    profiles: tuple[Profile, ...]
    onnx_sha256: str
    file: str
    sha256: str
    bytes: int
    activation_memory: ActivationMemory | None
    version_compatible: bool = field(default=False, metadata=OPTIONAL)
    timed_on: str | None = field(default=None, metadata=OPTIONAL)


@dataclass(frozen=True)
class Manifest:
    """The content of `manifest.json`. Engines vouch for themselves: `files` does not name them."""

    schema_version: int
    name: str
    description: str
    labels: tuple[str, ...]
    pipeline: Pipeline
    networks: Networks
    provenance: dict[str, Any]
    files: dict[str, str]
    engines: tuple[Engine, ...] = field(default=(), metadata=OPTIONAL)

    def to_json(self) -> str:
        """The text of `manifest.json`."""
        return json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class Bundle:
    """A verified bundle on disk."""

    path: Path
    manifest: Manifest

    def file(self, network: str, precision: str = "fp32") -> Path:
        """Path of the ONNX file of `network`, "localization" or "segmentation", in "fp32" or "fp16".

        Raises BundleError if the bundle has no float16 form.
        """
        return self.path / self.onnx(network, precision).file

    def onnx(self, network: str, precision: str = "fp32") -> Network | Float16File:
        """What the manifest says about the file of that `network` and `precision`. Raises BundleError."""
        entry: Network = getattr(self.manifest.networks, network)
        if precision == "fp32":
            return entry
        if entry.float16 is None:
            raise BundleError(
                f"{self.path} has no float16 form of the {network} network; export the bundle again with "
                "this version, or use the precision fp32."
            )
        return entry.float16


@dataclass(frozen=True)
class NetworkSource:
    """A network for `write`: a serialized ONNX model, or the path of one, and the manifest's words on it."""

    content: bytes | Path
    opset: int
    parameters: int
    input: Tensor
    output: Tensor
    float16: bytes | None = None


def load(path: str | os.PathLike[str]) -> Bundle:
    """Read the bundle at `path` and verify its schema, that each file is there, and its SHA-256.

    Raises BundleError.
    """
    folder = Path(path)
    document = _read_manifest(folder)
    version = document.get("schema_version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise BundleError(
            f"{folder / MANIFEST} has no schema version, so it is not the manifest of a bundle; "
            "give the folder that `efficientscn-trt export` wrote."
        )
    if version > SCHEMA_VERSION:
        raise BundleError(
            f"{folder} has bundle schema {version}, but this version reads schema {SCHEMA_VERSION}; "
            "upgrade efficientscn-trt (pip install --upgrade efficientscn-trt)."
        )
    try:
        manifest = decode(Manifest, document)
        _check_consistent(manifest)
    except BundleError as error:
        raise BundleError(f"{folder}: {error}") from None
    for name, expected in manifest.files.items():
        _verify_file(folder, name, expected)
    return Bundle(folder, manifest)


def write(
    path: str | os.PathLike[str],
    *,
    name: str,
    description: str,
    labels: Sequence[str],
    pipeline: Pipeline,
    localization: NetworkSource,
    segmentation: NetworkSource,
    provenance: Mapping[str, Any],
) -> Bundle:
    """Write a bundle at `path` and return it, loaded and verified.

    A bundle that is already there is replaced, anything else is left alone. The files are written to a
    temporary folder beside `path`, which is then renamed: there is never half a bundle.
    Raises OutputError if it cannot be written, BundleError if the parts do not fit one another.
    """
    target = Path(path)
    _check_replaceable(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent))
    except OSError as error:
        raise _unwritable(target, error) from error
    try:
        sources = {"localization": localization, "segmentation": segmentation}
        networks = {key: _write_network(temporary, key, source) for key, source in sources.items()}
        manifest = Manifest(
            schema_version=SCHEMA_VERSION,
            name=name,
            description=description,
            labels=tuple(labels),
            pipeline=pipeline,
            networks=Networks(**networks),
            provenance=dict(provenance),
            files={file.file: file.sha256 for network in networks.values() for file in _files(network)},
        )
        (temporary / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
        load(temporary)
        temporary.chmod(0o755)  # mkdtemp makes it private
        _replace_folder(temporary, target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return load(target)


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _read_manifest(folder: Path) -> dict[str, Any]:
    if not is_there(folder, BundleError):
        raise BundleError(f"There is no bundle at {folder}; make one with `efficientscn-trt export`.")
    if not folder.is_dir():
        raise BundleError(f"{folder} is a file, but a bundle is a folder with {MANIFEST} and two networks.")
    file = folder / MANIFEST
    if not file.is_file():
        raise BundleError(
            f"{folder} is not a bundle, for it has no {MANIFEST}; "
            "give the folder that `efficientscn-trt export` wrote."
        )
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BundleError(f"{file} cannot be read: {error}; export the bundle again.") from error
    if not isinstance(document, dict):
        raise BundleError(f"{file} holds no JSON object, so it is not the manifest of a bundle.")
    return document


def _check_consistent(manifest: Manifest) -> None:
    channels = manifest.networks.segmentation.output.shape[1:2]
    if channels != (len(manifest.labels),):
        raise BundleError(
            f"manifest.json names {len(manifest.labels)} labels, but the segmentation network's output "
            f"has the shape {list(manifest.networks.segmentation.output.shape)}."
        )
    for key in NETWORKS:
        for file in _files(getattr(manifest.networks, key)):
            if manifest.files.get(file.file) != file.sha256:
                raise BundleError(f"manifest.json: files and networks.{key} do not agree on {file.file}.")
    for name in (*manifest.files, *(engine.file for engine in manifest.engines)):
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise BundleError(f"manifest.json names the file {name}, which lies outside the bundle.")


def _files(network: Network) -> list[Network | Float16File]:
    return [network] if network.float16 is None else [network, network.float16]


def _verify_file(folder: Path, name: str, expected: str) -> None:
    file = folder / name
    if not file.is_file():
        raise BundleError(f"{folder} lacks the file {name}; copy the whole bundle again, or export it again.")
    try:
        found = sha256(file)
    except OSError as error:
        raise BundleError(f"{file} cannot be read: {error.strerror}.") from error
    if found != expected:
        raise BundleError(
            f"{file} was altered: its SHA-256 is {found}, expected {expected}; "
            "copy the bundle again, or export it again."
        )


def _check_replaceable(target: Path) -> None:
    if not is_there(target, OutputError):
        return
    if not target.is_dir():
        raise OutputError(f"{target} is a file; give the name of a new folder for the bundle.")
    if any(target.iterdir()) and not (target / MANIFEST).is_file():
        raise OutputError(f"{target} is a folder that holds something else than a bundle; give a new name.")


def _write_network(folder: Path, key: str, source: NetworkSource) -> Network:
    content = source.content if isinstance(source.content, bytes) else source.content.read_bytes()
    file = f"{key}.onnx"
    _write_file(folder / file, content)
    float16 = None
    if source.float16 is not None:
        name = f"{key}.float16.onnx"
        _write_file(folder / name, source.float16)
        float16 = Float16File(name, hashlib.sha256(source.float16).hexdigest(), len(source.float16))
    return Network(
        file=file,
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        opset=source.opset,
        parameters=source.parameters,
        input=source.input,
        output=source.output,
        float16=float16,
    )


def _write_file(file: Path, content: bytes) -> None:
    with file.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _replace_folder(temporary: Path, target: Path) -> None:
    if not target.exists():
        temporary.rename(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".old", dir=target.parent))
    try:
        target.rename(old / "bundle")
        try:
            temporary.rename(target)
        except OSError:
            (old / "bundle").rename(target)
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _unwritable(target: Path, error: OSError) -> OutputError:
    return OutputError(f"The bundle {target} cannot be written: {error.strerror or error}.")
