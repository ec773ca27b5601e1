"""Write a bundle, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import OutputError
from ..io.label_details import LabelDetails
from ..io.paths import is_there
from ..io.unfinished import unfinished_folder
from .core_form import CoreForm
from .manifest import (
    MANIFEST,
    SCHEMA_VERSION,
    Float16File,
    Manifest,
    Network,
    Networks,
    PipelineParameters,
    Tensor,
)
from .reader import Bundle, load
from .trust import ANYONE


@dataclass(frozen=True)
class NetworkSource:
    """A network for `write`: a serialized ONNX model, or the path of one, and its fields in the manifest."""

    content: bytes | Path
    opset: int
    parameters: int
    input: Tensor
    output: Tensor
    float16: bytes | None = None
    core: CoreForm | None = None


def write(
    path: str | os.PathLike[str],
    *,
    name: str,
    description: str,
    labels: Sequence[str],
    pipeline: PipelineParameters,
    localization: NetworkSource,
    segmentation: NetworkSource,
    provenance: Mapping[str, Any],
    label_details: Sequence[LabelDetails] = (),
) -> Bundle:
    """Write a bundle at `path` and return it, loaded and verified.

    A bundle or an empty folder at `path` is replaced; anything else is refused. The files are written to a
    temporary folder beside `path`, which is then renamed: there is never half a bundle. It is not signed.
    Raises OutputError if it cannot be written, BundleError if the parts do not fit together.
    """
    target = Path(path)
    _check_replaceable(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with unfinished_folder(target) as temporary:
            sources = {"localization": localization, "segmentation": segmentation}
            networks = {key: _write_network(temporary, key, source) for key, source in sources.items()}
            manifest = Manifest(
                schema_version=SCHEMA_VERSION,
                name=name,
                description=description,
                labels=tuple(labels),
                label_details=tuple(label_details),
                pipeline=pipeline,
                networks=Networks(**networks),
                provenance=dict(provenance),
                files={file.file: file.sha256 for network in networks.values() for file in network.files},
            )
            (temporary / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
            load(temporary, ANYONE)
            _replace_folder(temporary, target)
    except OSError as error:
        raise _unwritable(target, error) from error
    return load(target, ANYONE)


def _check_replaceable(target: Path) -> None:
    if not is_there(target, OutputError):
        return
    if not target.is_dir():
        raise OutputError(f"{target} is a file; give the name of a new folder for the bundle.")
    if any(target.iterdir()) and not (target / MANIFEST).is_file():
        raise OutputError(f"{target} is a folder that holds something other than a bundle; give a new name.")


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
        core=source.core,
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
    moved = old / "bundle"
    try:
        target.rename(moved)
        temporary.rename(target)
    except BaseException:  # also an interrupt: the old bundle must not be lost
        if moved.exists() and not target.exists():
            moved.rename(target)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _unwritable(target: Path, error: OSError) -> OutputError:
    return OutputError(f"The bundle {target} cannot be written: {error.strerror or error}.")
