"""The installed TensorRT is found by importing it, whatever its pip package is called."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from efficientscn_trt.engines.flavours import (
    TENSORRT,
    TENSORRT_RTX,
    has_builder,
    installed_version,
    load,
)
from efficientscn_trt.errors import DeviceError

NAMES = (*TENSORRT.modules, *TENSORRT_RTX.modules)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is the whole import path, so that only a test's own packages can be imported."""
    real = {name: sys.modules.pop(name) for name in NAMES if name in sys.modules}
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    yield tmp_path
    for name in NAMES:
        sys.modules.pop(name, None)
    sys.modules.update(real)


def test_the_metapackage_comes_first(packages: Path) -> None:
    (packages / "tensorrt_rtx_bindings.py").write_text("__version__ = '1.7.1.116'")
    assert installed_version(TENSORRT_RTX) == "1.7.1.116"
    (packages / "tensorrt_rtx.py").write_text("__version__ = '1.7.2.0'")
    sys.path_importer_cache.clear()
    assert installed_version(TENSORRT_RTX) == "1.7.2.0"


def test_not_installed(packages: Path) -> None:
    with pytest.raises(DeviceError, match=r"^TensorRT is not installed; run: pip install tensorrt\.$"):
        load(TENSORRT)
    assert installed_version(TENSORRT_RTX) is None


def test_the_lean_runtime_does_where_the_whole_is_not_installed(packages: Path) -> None:
    (packages / "tensorrt_lean_bindings.py").write_text("__version__ = '11.4.0.106'")
    module = load(TENSORRT)
    assert (module.__name__, installed_version(TENSORRT)) == ("tensorrt_lean_bindings", "11.4.0.106")
    assert not has_builder(module)
    with pytest.raises(DeviceError, match=r"^TensorRT-RTX is not installed; run"):
        load(TENSORRT_RTX)
    (packages / "tensorrt.py").write_text("__version__ = '11.4.0.106'")
    sys.path_importer_cache.clear()
    assert load(TENSORRT).__name__ == "tensorrt"


def test_a_package_that_cannot_be_loaded(packages: Path) -> None:
    (packages / "tensorrt.py").write_text("raise ImportError('libcublas.so.11: cannot open\\nmore')")
    with pytest.raises(
        DeviceError, match=r"^tensorrt cannot be loaded \(libcublas\.so\.11: cannot open\); install"
    ):
        load(TENSORRT)


def test_a_package_that_lacks_another(packages: Path) -> None:
    (packages / "tensorrt.py").write_text("import tensorrt_libs_that_are_not_there")
    with pytest.raises(
        DeviceError, match=r"^tensorrt lacks tensorrt_libs_that_are_not_there; install TensorRT"
    ):
        load(TENSORRT)
