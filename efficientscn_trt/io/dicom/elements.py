"""Read single elements of a data set, whatever is in them.

pydicom raises errors of many kinds for malformed values. Here such a value is None.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from pydicom import Dataset, uid
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.valuerep import PersonName

from ..wording import one_line

_ONE = (str, int, float)
_TEXT = (*_ONE, PersonName)
_LONGEST = 1 << 16  # bytes of text or numbers


def _value(dataset: Dataset, keyword: str) -> Any:
    """The value of an element; None if it is missing, empty or malformed."""
    tag = tag_for_keyword(keyword) or 0
    try:
        found = dataset[tag].value if tag in dataset else None
    except MemoryError:
        raise
    except Exception:
        return None
    return None if isinstance(found, str) and not found.strip() else found


def _short(dataset: Dataset, keyword: str) -> Any:
    """The value, if it is not absurdly long: splitting it into numbers would take long."""
    tag = tag_for_keyword(keyword) or 0
    try:
        raw = dataset.get_item(tag) if tag in dataset else None
    except MemoryError:
        raise
    except Exception:  # also one that is longer than what is read of an element
        return None
    if isinstance(raw, RawDataElement) and len(raw.value or b"") > _LONGEST:
        return None
    return _value(dataset, keyword)


def texts(dataset: Dataset, keyword: str) -> list[str]:
    """The values, each as one line without control characters; [] if there are none."""
    found = _short(dataset, keyword)
    values = found if isinstance(found, MultiValue) else [found]
    return [one_line(str(each)) for each in values if isinstance(each, _TEXT)]


def text(dataset: Dataset, keyword: str) -> str:
    """The values as `texts`, in one."""
    return "\\".join(texts(dataset, keyword))


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence; [] if there is none."""
    found = _value(dataset, keyword)
    return list(found) if isinstance(found, Sequence) else []


def has(dataset: Dataset, keyword: str) -> bool:
    """Whether the element is there with a value, understood or not."""
    try:
        return keyword in dataset and not dataset[keyword].is_empty
    except MemoryError:
        raise
    except Exception:
        return True


def numbers(dataset: Dataset, keyword: str, count: int) -> np.ndarray | None:
    """`count` finite numbers; None if that is not what the element has."""
    found = _short(dataset, keyword)
    try:
        result = [float(each) for each in ([found] if isinstance(found, _ONE) else found) if each != ""]
    except (TypeError, ValueError, OverflowError):
        return None
    return np.array(result) if len(result) == count and all(map(math.isfinite, result)) else None


def whole(dataset: Dataset, keyword: str) -> int | None:
    """One whole number; None if that is not what the element has."""
    found = numbers(dataset, keyword, 1)
    return None if found is None or found[0] != int(found[0]) else int(found[0])


def transfer_syntax(header: Dataset) -> uid.UID:
    """The transfer syntax, or what pydicom recognised in a file that does not name it."""
    named = text(header.file_meta, "TransferSyntaxUID") if hasattr(header, "file_meta") else ""
    if named:
        return uid.UID(named)
    implicit, little_endian = header.original_encoding
    if implicit:
        return uid.ImplicitVRLittleEndian
    return uid.ExplicitVRLittleEndian if little_endian else uid.ExplicitVRBigEndian
