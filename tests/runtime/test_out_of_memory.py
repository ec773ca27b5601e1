"""Too little memory is reported as such, whichever library finds it out."""

from __future__ import annotations

import pytest

from efficientscn_trt.out_of_memory import memory_errors


@pytest.mark.parametrize(
    "words",
    [
        "std::bad_alloc",
        "[CPU] Less node with name 'mask' can't alloc",
        "Failed to allocate 16777216 bytes of memory",
        "Failed to allocate memory for image.",
    ],
)
def test_messages_of_openvino_and_itk(words: str) -> None:
    with pytest.raises(MemoryError), memory_errors():
        raise RuntimeError(words)


def test_a_library_that_does_not_fit() -> None:
    with pytest.raises(MemoryError), memory_errors():
        raise ImportError("_SimpleITK.abi3.so: failed to map segment from shared object")


def test_other_errors_stay_as_they_are() -> None:
    with pytest.raises(RuntimeError, match="no such layer"), memory_errors():
        raise RuntimeError("no such layer; locally")
