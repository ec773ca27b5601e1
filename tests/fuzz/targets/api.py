"""Arguments of the public functions, against the same call with the plainest arguments."""

from __future__ import annotations

import array
import decimal
import fractions
import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import numpy as np
import SimpleITK as sitk
from atheris import FuzzedDataProvider
from support.core_reference import every_view
from support.scans import block_array
from support.tiny_bundle import write_tiny_bundle

from efficientscn_trt import BundleError, DeviceError, InputError, OutputError, Segmenter, segment
from efficientscn_trt.segmenter import DEMO_BUNDLE
from fuzz import mutation
from fuzz.scans import check_sentence

PACKAGES = ("efficientscn_trt.io", "efficientscn_trt.pipeline", "efficientscn_trt.backends")
_REFUSALS = (InputError, BundleError, DeviceError, OutputError, ValueError, TypeError)
_WRONG_NUMBERS = ("The number of threads", "The memory limit")
_FOLDER = Path(tempfile.mkdtemp(prefix="escn-fuzz-"))
os.environ["EFFICIENTSCN_CACHE"] = str(_FOLDER / "cache")
_BUNDLE = write_tiny_bundle(_FOLDER / "bundle")
_SEGMENTER = Segmenter(_BUNDLE, "cpu", "fp32", 1, max_memory=1 << 40)
_SCAN = block_array()[:20, :24, :30]
_XYZ = (1.5, 1.25, 2.0)
_FILE = _FOLDER / "ct.nii"
_image = sitk.GetImageFromArray(_SCAN)
_image.SetSpacing(_XYZ)
sitk.WriteImage(_image, str(_FILE))
_RESULT = _SEGMENTER.segment(_SCAN, spacing=_XYZ)
_DTYPES = [
    *("i1", "<i2", ">i2", "<i4", ">i4", "<i8", "u1", "<u2", ">u2", "<u4", "<u8", "?", "<f2", "<f4", ">f4"),
    *("<f8", ">f8", "g", "c8", "c16", "O", "U8", "S8", "V2", "M8[s]", "m8[s]", "i2,i2"),
]
_NUMBERS: list[Any] = [
    *(0, 1, 2, 3, -1, 0.0, -0.0, 1.5, 0.5, 1e-3, 1e-4, 1e-300, 5e-324, 100.0, 1e4, 1e300, 10**400, 10**5000),
    *(True, None, float("nan"), float("inf"), "1", b"1", 1j, fractions.Fraction(3, 2), [1], (2,)),
    *(decimal.Decimal("1.5"), decimal.Decimal("sNaN"), np.float32(1.5), np.int8(2), np.float16(1)),
    *(np.bool_(True), np.array(1.5), np.array([1.5]), np.array([1.0, 2.0]), np.ma.masked),
    *(np.datetime64(5, "s"), np.timedelta64(5, "s")),
]


class _Subclass(np.ndarray):
    """An array that only changes its name."""


class _NoArithmetic(np.ndarray):
    """An array that refuses the functions of NumPy."""

    __array_ufunc__ = None  # type: ignore[assignment]


class _Raised(Exception):
    """What a callback raises."""


class _Named:
    """A path of another library."""

    def __init__(self, name: Any) -> None:
        self.name = name

    def __fspath__(self) -> Any:
        return self.name


class _Odd:
    """Refuses whatever is asked of it."""

    def __len__(self) -> int:
        raise TypeError("no length")

    def __float__(self) -> float:
        raise OverflowError("no number")

    def __index__(self) -> int:
        raise TypeError("no index")

    def __fspath__(self) -> str:
        raise TypeError("no path")


def seeds() -> Iterator[bytes]:
    random = Random(0)
    for _ in range(50):
        yield random.randbytes(100)


def mutate(data: bytes, random: Random) -> bytes:
    if random.random() < 0.3:
        return random.randbytes(random.randrange(20, 200))
    return mutation.raw(data)


def check(data: bytes) -> None:
    given = FuzzedDataProvider(data)
    actions: list[Callable[[FuzzedDataProvider], None]] = [_segment, _segment, _load, _read, _save, _call]
    _one(given, actions)(given)


def _one(given: FuzzedDataProvider, values: list[Any]) -> Any:
    return values[given.ConsumeIntInRange(0, len(values) - 1)]


def _checked(call: Callable[[], Any], *names: object) -> Any:
    """What `call` returns, None if it refuses. Its sentence may have `names`, however they are."""
    try:
        return call()
    except _REFUSALS as error:
        sentence = str(error)
        for name in filter(None, map(str, (each for each in names if isinstance(each, str | os.PathLike)))):
            sentence = sentence.replace(name, "NAME")
            if (folder := os.path.dirname(name)) not in ("", "/"):
                sentence = sentence.replace(folder, "FOLDER")
        if isinstance(error, ValueError) and not str(error).startswith(_WRONG_NUMBERS):
            raise
        if isinstance(error, TypeError) and "not callable" not in sentence:
            raise
        check_sentence(sentence)
        return None


def _text(given: FuzzedDataProvider) -> Any:
    odd: list[Any] = [
        *(
            "",
            "LPS",
            "RAS",
            "lps",
            "LPSS",
            "LLL",
            "\0",
            "\x1b[2J",
            "\ud800",
            "x" * 10**6,
            "ſps",
            "a\nb",
            "1.2",
        ),
        *(None, 5, b"LPS", ["LPS"], np.str_("RAI"), np.array("LPS"), _Odd(), True),
        given.ConsumeUnicode(8),
    ]
    return _one(given, odd)


def _spacing(given: FuzzedDataProvider) -> Any:
    if given.ConsumeBool():
        return _XYZ
    numbers = [_one(given, _NUMBERS) if given.ConsumeBool() else 1.5 for _ in range(3)]
    if given.ConsumeIntInRange(0, 9) == 0:
        numbers = numbers[: given.ConsumeIntInRange(0, 3)] * given.ConsumeIntInRange(1, 2)

    def as_array(kind: str) -> Any:
        with np.errstate(all="ignore"):
            try:
                return np.array(numbers).astype(kind)
            except (ValueError, TypeError, OverflowError, np.ma.MaskError):
                return np.array([1, 2, 3]).astype(kind)

    forms: list[Callable[[], Any]] = [
        lambda: tuple(numbers),
        lambda: numbers,
        lambda: as_array(_one(given, _DTYPES)),
        lambda: as_array("f8").reshape(-1, 1),
        lambda: np.ma.masked_equal(as_array("f8"), 1.5),
        lambda: iter(numbers),
        lambda: deque(numbers),
        lambda: array.array("d", [1.5, 2.5, 3.5]),
        lambda: {1: 1.5, 2: 2, 3: 3},
        lambda: {1.0, 2.0, 3.0},
        lambda: bytearray(b"\1\2\3"),
        lambda: memoryview(b"\1\2\3"),
        lambda: range(1, 4),
        lambda: _text(given),
        lambda: _Odd(),
        lambda: [1.5, 1.5, _Odd()],
        lambda: _one(given, _NUMBERS),
        lambda: sitk.VectorDouble([1.5, 2.5, 3.5]),
    ]
    return _one(given, forms)()


def _array(given: FuzzedDataProvider) -> np.ndarray:
    """The scan, or another, in some type and place in memory."""
    scan = _SCAN
    if given.ConsumeIntInRange(0, 4) == 0:
        shape = [_one(given, [0, 1, 2, 3, 20]) for _ in range(given.ConsumeIntInRange(0, 5))]
        scan = np.resize(_SCAN, shape)
    if given.ConsumeIntInRange(0, 4) == 0 and scan.size:
        scan = scan.astype("f8")
        scan.flat[given.ConsumeIntInRange(0, scan.size - 1)] = _one(
            given, [np.nan, np.inf, 1e300, 7e4, -6e4, 3e38]
        )
    kind = np.dtype(_one(given, _DTYPES)) if given.ConsumeBool() else scan.dtype
    with np.errstate(all="ignore"):
        try:
            scan = scan.astype(kind)
        except (TypeError, ValueError):
            scan = np.zeros(scan.shape, kind)
    if scan.ndim == 3 and scan.size and given.ConsumeBool():
        scan = _one(given, every_view(scan)) if kind.kind in "iufb" else scan
    elif given.ConsumeIntInRange(0, 3) == 0:
        memory = np.zeros(scan.nbytes + 1, np.uint8)
        if scan.dtype != object:
            unaligned = memory[1:].view(scan.dtype)[: scan.size].reshape(scan.shape) if scan.size else scan
            unaligned[...] = scan
            scan = unaligned
    elif given.ConsumeIntInRange(0, 3) == 0 and scan.ndim == 3:
        scan = np.broadcast_to(scan[:1], scan.shape) if len(scan) else scan
    forms: list[Callable[[], Any]] = [
        lambda: scan,
        lambda: scan,
        lambda: scan.view(_Subclass),
        lambda: scan.view(_NoArithmetic),
        lambda: np.ma.array(scan),
        lambda: np.ma.array(scan, mask=np.zeros(scan.shape, bool)),
        lambda: np.ma.masked_where(np.indices(scan.shape).sum(axis=0) == 4, scan) if scan.ndim else scan,
        lambda: scan.view(np.recarray) if scan.dtype.names else scan,
    ]
    found: np.ndarray = _one(given, forms)()
    if given.ConsumeIntInRange(0, 3) == 0:
        found.flags.writeable = False
    return found


def _volume(given: FuzzedDataProvider) -> Any:
    if given.ConsumeIntInRange(0, 3):
        return _array(given)
    interface = {
        "version": _one(given, [3, 2, None]),
        "shape": _one(
            given, [(20, 24, 30), [20, 24, 30], (20, 24), (-1, 2, 3), (1 << 62,) * 3, 5, "abc", None]
        ),
        "typestr": _one(
            given, ["<i2", ">i2", "|u1", "O", "<f4", "V0", "", None, 5, "\0", "i2,i2", "x" * 10**5]
        ),
        "data": _one(
            given, [(4096, False), (0, False), (-2, True), (1 << 64, 0), (4097, False), (), None, b"ab"]
        ),
        "strides": _one(
            given, [None, (1440, 60, 2), (0, 0, 0), (1 << 62, 1, 1), (1, 1), "abc", (1 << 70, 2, 2)]
        ),
        "stream": _one(given, [None, 1, 0, -1, 1 << 70, "x"]),
        "mask": _one(given, [None, None, None, 1]),
    }
    if given.ConsumeBool():
        del interface[_one(given, list(interface))]
    forms: list[Callable[[], Any]] = [
        lambda: SimpleNamespace(__cuda_array_interface__=interface),
        lambda: SimpleNamespace(__cuda_array_interface__=_text(given)),
        lambda: SimpleNamespace(__array_interface__=_SCAN.__array_interface__),
        lambda: _SCAN.tolist(),
        lambda: _SCAN[0, 0, 0],
        lambda: _one(given, [None, 5, b"ct.nii", memoryview(b"abc"), {}, object(), np.ndarray, _Odd()]),
        lambda: _image,
        lambda: sitk.Image([2, 3], sitk.sitkInt16),
    ]
    return _one(given, forms)()


def _progress(given: FuzzedDataProvider) -> Any:
    def raising(name: str, index: int, count: int) -> None:
        if index == at:
            raise _Raised

    at = given.ConsumeIntInRange(0, 6)
    return _one(given, [None, None, None, None, raising, 5, lambda *_: 1])


def _segment(given: FuzzedDataProvider) -> None:
    volume, spacing, progress = _volume(given), _spacing(given), _progress(given)
    options: dict[str, Any] = {"progress": progress}
    if given.ConsumeIntInRange(0, 5) == 0:
        options[_one(given, ["series", "orientation"])] = _text(given)
    if given.ConsumeIntInRange(0, 9) == 0:
        options["keep_on_device"] = _one(given, [True, "no", 5, []])
    if isinstance(volume, sitk.Image) and given.ConsumeBool():
        spacing = None
    try:
        found = _checked(lambda: _SEGMENTER.segment(volume, spacing=spacing, **options))
    except _Raised:
        return
    except TypeError:
        assert progress is not None, "a TypeError that no callback raised"
        return
    if found is None or not isinstance(volume, np.ndarray):
        return
    plain = np.ascontiguousarray(np.asarray(volume), np.float32)
    mm = tuple(float(value) for value in spacing)
    expected = _SEGMENTER.segment(plain, spacing=mm)
    np.testing.assert_array_equal(found.array, expected.array)
    assert found.geometry.spacing == mm


def _load(given: FuzzedDataProvider) -> None:
    folders: list[Any] = [
        *(
            _BUNDLE,
            str(_BUNDLE.path),
            _BUNDLE.path,
            _FILE,
            _FOLDER,
            "/nowhere",
            _Named(str(_BUNDLE.path)),
            "",
            0,
            5,
        ),
        *(
            b"x",
            [],
            _Named(b"x"),
            _Named(5),
            np.array([1, 2]),
            "/dev/null",
            "/proc/self/mem",
            _FOLDER / ("x" * 300),
        ),
        *(_Odd(), _text(given)),
    ]
    bundle = _one(given, folders) if given.ConsumeBool() else _BUNDLE
    device = _one(
        given, ["cpu", "cuda", "cuda:1", "cuda:99999", "CPU", "cpu:0", "gpu", "cuda:٣", _text(given)]
    )
    precision = _one(given, ["auto", "fp32", "bf16", "fp16", "FP32", _text(given)])
    threads = _one(given, [*_NUMBERS, 1024, 1025, 1, _Odd(), 10**5000])
    limit = _one(given, [*_NUMBERS, 1 << 20, _Odd(), 10**5000]) if given.ConsumeBool() else None
    found = _checked(
        lambda: Segmenter(bundle, device, precision, threads, limit), bundle, getattr(bundle, "name", None)
    )
    if found is not None:
        assert found.device == "cpu" and found.precision in ("fp32", "bf16")
        expected = DEMO_BUNDLE if bundle is None else _BUNDLE.path
        assert found.bundle.path == expected, f"another bundle than {bundle!r}"


def _path(given: FuzzedDataProvider, *usual: Any) -> Any:
    names: list[Any] = [
        *(
            "",
            ".",
            "/",
            "a\0b.nii",
            "\ud800.nii.gz",
            "x" * 10**6 + ".nii",
            "x" * 300 + ".nrrd",
            "\x1b[2J.mha",
            ".nii",
        ),
        *(
            "/dev/null",
            "/dev/full",
            "/proc/self/mem",
            "/proc/self/fd/0.nii",
            "a\nb.nii.gz",
            "nowhere/ct.nii",
            "ü.mha",
        ),
        *(b"ct.nii", _Named(b"ct.nii"), _Named(5), _Named("ct.nii"), 5, None, _Odd(), "\udcff.nii"),
        *(_text(given), given.ConsumeUnicode(6) + ".nii"),
    ]
    name = _one(given, names)
    if isinstance(name, str) and not name.startswith("/") and given.ConsumeBool():
        name = f"{_FOLDER}/{name}"
    return _one(given, [*usual, name, name])


def _read(given: FuzzedDataProvider) -> None:
    path = _path(given, str(_FILE), _FILE, _FOLDER, _Named(str(_FILE)))
    options = {name: _text(given) for name in ("series", "orientation") if given.ConsumeBool()}
    if given.ConsumeIntInRange(0, 4) == 0:
        options["spacing"] = _spacing(given)
    found = _checked(lambda: _SEGMENTER.segment(path, **options), path, getattr(path, "name", None))
    if found is not None:
        np.testing.assert_array_equal(found.array, _RESULT.array)


def _save(given: FuzzedDataProvider) -> None:
    path = _path(
        given, _FOLDER / "labels.nii.gz", str(_FOLDER / "labels.nrrd"), _Named(str(_FOLDER / "labels.mha"))
    )
    before = os.getcwd()
    os.chdir(_FOLDER)
    try:
        _checked(lambda: _RESULT.save(path), path, getattr(path, "name", None))
    finally:
        os.chdir(before)


def _call(given: FuzzedDataProvider) -> None:
    spacing, orientation = _spacing(given), _text(given) if given.ConsumeBool() else None
    found = _checked(
        lambda: segment(
            _SCAN, _BUNDLE, spacing=spacing, orientation=orientation, device="cpu", precision="fp32"
        )
    )
    if found is not None:
        expected = _SEGMENTER.segment(_SCAN, spacing=tuple(float(value) for value in spacing))
        np.testing.assert_array_equal(found.array, expected.array)
