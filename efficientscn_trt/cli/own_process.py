"""What a command may do to its process because no other program lives in it."""

from __future__ import annotations

import sys

from ..io.absent import absent


def import_nibabel() -> None:
    """Import nibabel without pydicom, which takes longer than the rest of it.

    nibabel needs it only for DICOM inside headers of NIfTI, which this package does not read.
    """
    if "pydicom" not in sys.modules:
        with absent("pydicom"):
            import nibabel  # noqa: F401
