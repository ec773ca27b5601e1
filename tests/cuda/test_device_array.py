"""Arrays from other libraries are used without a copy; label maps can stay on the device."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from efficientscn_trt import InputError, Segmenter
from efficientscn_trt.io.device_array import (
    LEGACY_STREAM,
    address_view,
    device_array,
    is_device_array,
)


def exposed(array: np.ndarray, **changes: Any) -> Any:
    """Return `array` as PyCUDA, CuPy or torch expose theirs, with host memory in place of device memory."""
    interface = {
        "version": 3,
        "shape": array.shape,
        "typestr": array.dtype.str,
        "data": (array.__array_interface__["data"][0], False),
        "strides": array.strides,
        "stream": None,
    }
    return SimpleNamespace(__cuda_array_interface__=interface | changes, owner=array)


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.uint16, np.int32, np.float32])
def test_address_shape_and_strides_are_kept(dtype: Any) -> None:
    array = np.arange(4 * 5 * 6).reshape(4, 5, 6).astype(dtype)[::-1, 1:, ::2].transpose(2, 0, 1)
    found = device_array(exposed(array))
    assert found.view.strides == array.strides
    np.testing.assert_array_equal(found.view, array)
    assert np.shares_memory(found.view, array)


@pytest.mark.parametrize(
    "changes",
    [
        *(
            {"shape": shape}
            for shape in ((-1, 4, 5), (2.5, 4, 5), None, "345", (2**40,) * 3, (2**70, 4, 5), 8)
        ),
        *({"typestr": typestr} for typestr in ("xx", None, 5, "", "x" * 10**5)),
        *({"data": data} for data in (None, 5, (), (None, False), (-8, False), (2**70, False), ("x", False))),
        {"data": (0, False)},
        *({"strides": strides} for strides in ((2,), "abc", (2.5, 2, 2), (2**70, 2, 2), 5)),
        *({"stream": stream} for stream in ("x", -5, 2**70, [1])),
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_a_malformed_interface_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="`__cuda_array_interface__` is not that of an array") as caught:
        device_array(exposed(np.zeros((2, 3, 4), np.int16), **changes))
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("missing", ["shape", "typestr", "data"])
def test_an_incomplete_interface_is_refused(missing: str) -> None:
    array = exposed(np.zeros((2, 3, 4), np.int16))
    del array.__cuda_array_interface__[missing]
    with pytest.raises(InputError, match=rf"is not that of an array \(KeyError\('{missing}'\)\)"):
        device_array(array)


class _Refusing:
    """As a tensor of torch that needs a gradient."""

    @property
    def __cuda_array_interface__(self) -> Any:
        raise RuntimeError("Can't get it on a Variable that requires grad.")


@pytest.mark.parametrize(
    ("array", "reason"),
    [(_Refusing(), "requires grad"), (SimpleNamespace(__cuda_array_interface__=5), "'int'")],
)
def test_an_array_without_an_interface_is_refused(array: Any, reason: str) -> None:
    assert is_device_array(array)
    with pytest.raises(InputError, match=f"does not say where it is on a GPU: .*{reason}"):
        device_array(array)


def test_the_other_byte_order_is_refused(segmenter: Segmenter) -> None:
    with pytest.raises(InputError, match="The array has voxels of the type >i2, expected int16"):
        segmenter.segment(exposed(np.zeros((9, 9, 9), ">i2")), spacing=(4, 4, 4))


def test_no_strides_mean_contiguous() -> None:
    array = np.zeros((2, 3, 4), np.int16)
    assert device_array(exposed(array, strides=None)).view.strides == array.strides


@pytest.mark.parametrize("stream", [1, 2, 0x7F00])
def test_the_stream_of_its_maker_is_kept(stream: int) -> None:
    assert device_array(exposed(np.zeros((2, 2, 2), np.int16), stream=stream)).stream == stream


@pytest.mark.parametrize("stream", [None, 0])
def test_without_a_stream_the_default_one_is_waited_for(stream: int | None) -> None:
    assert device_array(exposed(np.zeros((2, 2, 2), np.int16), stream=stream)).stream == LEGACY_STREAM


def test_version_2_has_no_stream() -> None:
    value = exposed(np.zeros((2, 2, 2), np.int16))
    del value.__cuda_array_interface__["stream"]
    assert device_array(value).stream == LEGACY_STREAM


class FakeTensor:
    """The attributes that are read from a tensor on a GPU."""

    def __init__(self, array: np.ndarray, device: str) -> None:
        interface = exposed(array).__cuda_array_interface__
        del interface["stream"]
        self.__cuda_array_interface__ = interface | {"version": 2}
        self.device = device


@pytest.mark.parametrize(("device", "stream"), [("cuda:0", LEGACY_STREAM), ("cuda:1", 0x7F00)])
def test_a_tensor_is_made_on_the_current_stream_of_its_device(
    device: str, stream: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    current = {"cuda:0": 0, "cuda:1": 0x7F00}
    torch = SimpleNamespace(
        Tensor=FakeTensor,
        cuda=SimpleNamespace(current_stream=lambda device: SimpleNamespace(cuda_stream=current[device])),
    )
    monkeypatch.setitem(sys.modules, "torch", torch)
    array = np.zeros((2, 2, 2), np.int16)
    assert device_array(FakeTensor(array, device)).stream == stream
    assert device_array(exposed(array)).stream == LEGACY_STREAM


def test_what_counts_as_one() -> None:
    assert is_device_array(exposed(np.zeros((2, 2, 2))))
    assert not is_device_array(np.zeros((2, 2, 2)))


def test_masked_and_misaligned_arrays_are_refused() -> None:
    array = np.zeros((2, 2, 2), np.int16)
    with pytest.raises(InputError, match="has a mask, expected one without"):
        device_array(exposed(array, mask=array))
    with pytest.raises(InputError, match="not aligned to its data type; pass a copy"):
        device_array(exposed(array, strides=(9, 4, 2)))
    address = array.__array_interface__["data"][0]
    with pytest.raises(InputError, match="not aligned"):
        device_array(exposed(array, data=(address + 1, False)))


def test_an_address_is_not_read_to_make_a_view() -> None:
    view = address_view(0x10, (1000, 1000, 1000), np.int16)
    flipped = view.transpose(2, 1, 0)[::-1]
    assert flipped.__array_interface__["data"][0] == 0x10 + 2 * 999
