"""`Segmenter` gives the same results on a GPU as on the CPU. NumPy computes the networks."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from support.device_scans import on_gpu as held_on_gpu
from support.fake_gpu import gpu_backend, write_engines
from support.fake_memory import GpuMemory, QueuedMemory
from support.fake_runtime import VERSIONS
from support.fake_runtime import RuntimeCache as FakeRuntimeCache
from support.scans import SPACING_XYZ, block_array, block_image, block_labels

from efficientscn_trt import (
    BundleError,
    DeviceError,
    InputError,
    MemoryLimitError,
    Segmenter,
    _core,
    backends,
)
from efficientscn_trt.backends import tensorrt
from efficientscn_trt.backends.gpu import require_gpu
from efficientscn_trt.bundle import Bundle, PublicKey, TrustedKeys
from efficientscn_trt.engines import Gpu
from efficientscn_trt.engines.flavours import TENSORRT, load
from efficientscn_trt.engines.runtime_cache import RuntimeCache
from efficientscn_trt.io.device_array import DeviceLabels
from efficientscn_trt.segmenter import STAGES

OLD, TEN, LEAN, RTX = VERSIONS

pytestmark = pytest.mark.usefixtures("_own_cache")


def gpu_engines(folder: Path, version: str, flavour: str = "tensorrt", memory: Any = None) -> tuple[Any, Any]:
    """Engines with their tensors on the GPU, and the TensorRT module that loads them."""
    return write_engines(folder, version, flavour, memory or GpuMemory())


def watched(make: Callable[[], Any], tell: Callable[[Any], None]) -> Callable[[], Any]:
    """Return `make`, changed to pass what it makes to `tell`."""

    def made() -> Any:
        found = make()
        tell(found)
        return found

    return made


@pytest.fixture
def on_gpu(tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Segmenter:
    """A segmenter on the GPU."""
    choice, trt = gpu_engines(tmp_path, TEN)
    monkeypatch.setitem(backends._BACKENDS, "cuda", lambda bundle, *_: gpu_backend(bundle, choice, trt))
    return Segmenter(tiny_bundle, device="cuda")


@pytest.fixture(scope="module")
def on_cpu(tiny_bundle: Bundle) -> Segmenter:
    return Segmenter(tiny_bundle, device="cpu", precision="fp32")


@pytest.mark.parametrize("code", ["LPS", "RAS", "SAL", "PIR"])
def test_labels_are_those_of_the_cpu(code: str, on_gpu: Segmenter, on_cpu: Segmenter) -> None:
    image = sitk.DICOMOrient(block_image(), code)
    expected, result = on_cpu.segment(image), on_gpu.segment(image)
    assert (on_gpu.device, on_gpu.precision) == ("cuda:0", "fp32")
    assert (np.asarray(result.array) != expected.array).mean() < 2e-4
    assert result.image.GetDirection() == image.GetDirection()
    assert result.box == expected.box
    for name, volume in expected.volumes_ml.items():
        assert result.volumes_ml[name] == pytest.approx(volume, rel=2e-3)


def test_the_networks_alone_are_those_of_the_cpu(on_gpu: Segmenter, on_cpu: Segmenter) -> None:
    image = np.random.default_rng(0).uniform(-0.5, 0.3, (32, 48, 64)).astype(np.float32)
    np.testing.assert_array_equal(on_gpu._backend.localize(image), on_cpu._backend.localize(image))
    np.testing.assert_allclose(on_gpu._backend.segment(image), on_cpu._backend.segment(image), atol=1e-5)


def test_the_account_of_the_run(on_gpu: Segmenter) -> None:
    calls: list[tuple[str, int, int]] = []
    result = on_gpu.segment(block_image(), progress=lambda *call: calls.append(call))
    assert calls == [(stage, i, len(STAGES)) for i, stage in enumerate(STAGES)]
    assert tuple(result.seconds) == STAGES
    assert result.peak_device_memory > 0
    assert result.estimated_host_memory > block_array().nbytes + block_labels().nbytes
    on_gpu.trim()


def test_a_scan_that_needs_too_much_memory_of_the_host(on_gpu: Segmenter) -> None:
    on_gpu._memory.most = on_gpu._memory.loaded + block_array().nbytes
    with pytest.raises(MemoryLimitError, match=r"needs at least .* GiB of memory"):
        on_gpu.segment(block_image())


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_says_that_cuda_does_not_work_in_it(
    on_gpu: Segmenter, on_cpu: Segmenter, capfd: pytest.CaptureFixture[str]
) -> None:
    require_gpu(0)
    child = os.fork()
    if not child:
        for use in (lambda: on_gpu.segment(block_image()), on_gpu.trim, lambda: require_gpu(0)):
            try:
                use()
            except DeviceError as error:
                print(error, flush=True)
        assert on_cpu.segment(block_image()).volumes_ml["liver"] > 0
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert (
        capfd.readouterr().out.splitlines()
        == [
            "CUDA does not work in a process that was forked from one that had used it; start processes by "
            'the method "spawn", or load networks only after the fork.'
        ]
        * 3
    )


def test_an_array_on_the_device_goes_in_without_a_copy(on_gpu: Segmenter) -> None:
    expected = on_gpu.segment(block_array(), spacing=SPACING_XYZ)
    for array in (block_array(), np.asfortranarray(block_array(np.float32))):
        result = on_gpu.segment(held_on_gpu(array, stream=1), spacing=SPACING_XYZ)
        np.testing.assert_array_equal(result.array, expected.array)
        assert result.statistics == expected.statistics


def test_labels_can_stay_on_the_device(on_gpu: Segmenter, tmp_path: Path) -> None:
    image = sitk.DICOMOrient(block_image(), "RIP")
    expected = on_gpu.segment(image)
    kept = on_gpu.segment(image, keep_on_device=True)
    assert isinstance(kept.array, DeviceLabels)
    np.testing.assert_array_equal(np.asarray(kept.array), expected.array)
    kept.save(tmp_path / "labels.mha")
    np.testing.assert_array_equal(sitk.GetArrayFromImage(kept.image), expected.array)
    assert kept.volumes_ml == expected.volumes_ml
    assert kept.statistics == {}
    assert tuple(kept.seconds) == STAGES[:-1]


def test_statistics_are_those_of_the_cpu(on_gpu: Segmenter, on_cpu: Segmenter) -> None:
    image = sitk.DICOMOrient(block_image(), "RIP")
    ours, theirs = (segmenter.segment(image) for segmenter in (on_gpu, on_cpu))
    np.testing.assert_array_equal(ours.array, theirs.array)
    assert ours.statistics == theirs.statistics


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ((-1, False), "its address is in host memory; pass it as a NumPy array"),
        ((1, False), r'is on cuda:1, but the networks run on cuda:0; copy it, or use device="cuda:1"'),
        ((0, True), "context of its own, expected the primary one; import pycuda.autoprimaryctx instead"),
    ],
)
def test_arrays_that_the_networks_cannot_reach(
    place: tuple[int, bool], message: str, on_gpu: Segmenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_core.DevicePipeline, "place_of", lambda *_: place)
    with pytest.raises(InputError, match=message):
        on_gpu.segment(held_on_gpu(block_array()), spacing=SPACING_XYZ)


@pytest.mark.parametrize(
    ("array", "spacing", "message"),
    [
        (block_array(np.float64), SPACING_XYZ, "of the type float64, expected int16, .* convert it there"),
        (block_array()[0], SPACING_XYZ, "has 2 dimensions"),
        (block_array(), None, "A GPU array has no spacing"),
        (np.full((8, 9, 10), np.nan, np.float32), SPACING_XYZ, "720 voxels that are NaN or infinite"),
        (np.full((8, 9, 10), 0.5, np.float32), SPACING_XYZ, "was scaled and is not in HU"),
    ],
)
def test_bad_arrays_on_the_device(array: np.ndarray, spacing: Any, message: str, on_gpu: Segmenter) -> None:
    with pytest.raises(InputError, match=message):
        on_gpu.segment(held_on_gpu(array), spacing=spacing)


def test_values_of_a_scan_on_the_host_are_checked_as_it_streams(on_gpu: Segmenter) -> None:
    array = block_array(np.float32)
    array[3, 4, 5] = np.inf
    with pytest.raises(InputError, match="1 voxel that is NaN or infinite"):
        on_gpu.segment(array, spacing=SPACING_XYZ)
    with pytest.raises(InputError, match=r"no air .* and no fat"):
        on_gpu.segment(block_array() + np.int16(1000), spacing=SPACING_XYZ)
    odd = on_gpu.segment(block_array() - np.int16(1000), spacing=SPACING_XYZ)
    assert "unusual-values" in [warning.code for warning in odd.warnings]


def test_an_empty_mask_is_a_warning(on_gpu: Segmenter) -> None:
    result = on_gpu.segment(np.full((20, 24, 28), -1000, np.int16), spacing=SPACING_XYZ)
    assert "no-organ-found" in [warning.code for warning in result.warnings]


def test_the_lean_runtime_runs_what_was_built_for_it(
    tiny_bundle: Bundle, tmp_path: Path, on_cpu: Segmenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice, trt = gpu_engines(tmp_path, LEAN)
    for name, module in (("tensorrt", None), ("tensorrt_lean", None), ("tensorrt_lean_bindings", trt)):
        monkeypatch.setitem(sys.modules, name, module)
    backend = gpu_backend(tiny_bundle, choice, load(TENSORRT))
    monkeypatch.setitem(backends._BACKENDS, "cuda", lambda *_: backend)
    result = Segmenter(tiny_bundle, device="cuda").segment(block_image())
    assert (np.asarray(result.array) != on_cpu.segment(block_image()).array).mean() < 2e-4


@pytest.mark.parametrize(("version", "engines"), [(OLD, 2), (TEN, 1), (RTX, 1)])
def test_backends_share_an_engine_where_they_can(
    version: str, engines: int, tiny_bundle: Bundle, tmp_path: Path
) -> None:
    choice, trt = gpu_engines(tmp_path, version)
    loaded: list[Any] = []
    for plan, maker in list(trt.plans.items()):
        trt.plans[plan] = watched(maker, loaded.append)
    both = [gpu_backend(tiny_bundle, choice, trt) for _ in range(2)]
    assert both[0].core is not both[1].core
    used = [len(engine.contexts) for engine in loaded if engine.contexts]  # RTX loads each plan twice
    assert used == [2 // engines] * 2 * engines
    image = np.zeros((32, 32, 32), np.float32)
    with ThreadPoolExecutor(2) as pool:
        masks = list(pool.map(lambda backend: backend.localize(image), both))
    assert not any(mask.any() for mask in masks)


@pytest.mark.parametrize(
    ("version", "flavour", "replays"), [(TEN, "tensorrt", True), (RTX, "tensorrt-rtx", False)]
)
def test_networks_are_replayed_where_that_is_faster_but_not_by_rtx(
    version: str,
    flavour: str,
    replays: bool,
    tiny_bundle: Bundle,
    tmp_path: Path,
    replay_share: Callable[[str], None],
) -> None:
    replay_share("0.5")
    backend = gpu_backend(tiny_bundle, *gpu_engines(tmp_path, version, flavour, QueuedMemory()))
    for _ in range(8):
        backend.segment(np.zeros((32, 32, 32), np.float32))
    assert backend.core.replays is replays


def test_an_engine_is_freed_with_its_last_backend(tiny_bundle: Bundle, tmp_path: Path) -> None:
    choice, trt = gpu_engines(tmp_path, TEN)
    made: list[str] = []
    for plan, maker in list(trt.plans.items()):
        trt.plans[plan] = watched(maker, lambda _: made.append("made"))
    for _ in range(2):
        backend = gpu_backend(tiny_bundle, choice, trt)
        del backend
    assert len(made) == 4


def test_a_plan_that_was_altered_since_it_was_chosen(tiny_bundle: Bundle, tmp_path: Path) -> None:
    choice, trt = gpu_engines(tmp_path, TEN)
    choice.file("segmentation").write_bytes(b"something else")
    with pytest.raises(BundleError, match=r"segmentation\.engine was altered while it was loaded"):
        gpu_backend(tiny_bundle, choice, trt)
    choice.file("segmentation").unlink()
    with pytest.raises(BundleError, match=r"segmentation\.engine cannot be read"):
        gpu_backend(tiny_bundle, choice, trt)


def test_kernels_that_rtx_compiled_are_kept(
    tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice, trt = gpu_engines(tmp_path, RTX, "tensorrt-rtx")
    monkeypatch.setitem(backends._BACKENDS, "cuda", lambda bundle, *_: gpu_backend(bundle, choice, trt))
    Segmenter(tiny_bundle, device="cuda").segment(block_image())
    kept = sorted((tmp_path / "cache" / "kernels").iterdir())
    assert [file.name for file in kept] == sorted(
        f"{engine.sha256[:16]}-test-rtx-1.bin" for engine in (choice.localization, choice.segmentation)
    )
    assert all(file.read_bytes() for file in kept)


def test_kernels_are_not_kept_where_only_what_is_signed_may_be_loaded(
    tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice, trt = gpu_engines(tmp_path, RTX, "tensorrt-rtx")
    signed = dataclasses.replace(tiny_bundle, trusted=TrustedKeys((PublicKey(bytes(32)),)))
    monkeypatch.setitem(backends._BACKENDS, "cuda", lambda bundle, *_: gpu_backend(bundle, choice, trt))
    Segmenter(signed, device="cuda").segment(block_image())
    assert not (tmp_path / "cache" / "kernels").exists()


@pytest.fixture
def on_rtx(tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Segmenter:
    """A segmenter on the GPU, with a TensorRT-RTX that compiles one more kernel in each run."""
    choice, trt = gpu_engines(tmp_path, RTX, "tensorrt-rtx")
    monkeypatch.setitem(backends._BACKENDS, "cuda", lambda bundle, *_: gpu_backend(bundle, choice, trt))
    return Segmenter(tiny_bundle, device="cuda")


def kept_kernels(folder: Path) -> set[int]:
    return {file.stat().st_size for file in (folder / "cache" / "kernels").iterdir()}


def test_kernels_that_were_compiled_in_the_background_are_kept_later(
    on_rtx: Segmenter, tmp_path: Path
) -> None:
    kept = []
    for _ in range(5):
        on_rtx.segment(block_image())
        kept.append(kept_kernels(tmp_path))
    assert kept == [{1}, {2}, {2}, {4}, {4}]


def test_kernels_of_another_localization_size_are_kept(on_rtx: Segmenter, tmp_path: Path) -> None:
    array = block_array()
    longer = np.pad(array, ((40, 40), (0, 0), (0, 0)), constant_values=-1000)
    boxes = [on_rtx.segment(scan, spacing=SPACING_XYZ).box for scan in (array, array, array, longer)]
    size = [np.subtract(box.end_mm, box.start_mm) for box in boxes]
    np.testing.assert_array_equal(size[-1], size[0])  # so the segmentation network sees one size
    assert kept_kernels(tmp_path) == {4}


def test_kernels_are_asked_for_with_the_gpu_current(
    on_rtx: Segmenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    current = False

    @contextmanager
    def made_current(gpu: Gpu) -> Iterator[None]:
        nonlocal current
        current = True
        yield
        current = False

    monkeypatch.setattr(tensorrt, "current", made_current)
    monkeypatch.setattr(RuntimeCache, "save", lambda self: asked.append(current))
    on_rtx.segment(block_image())
    assert asked == [True, True]


def test_labels_outlive_kernels_that_cannot_be_had(
    on_rtx: Segmenter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeRuntimeCache, "serialize", lambda self: None)
    assert on_rtx.segment(block_image()).volumes_ml
    assert not (tmp_path / "cache" / "kernels").exists()


def test_labels_of_the_blocks(on_gpu: Segmenter) -> None:
    assert (np.asarray(on_gpu.segment(block_image()).array) == block_labels()).mean() > 0.98
