"""Errors that a user can act on: each has one sentence and the exit code of the command line.

Click ends with exit code 2 if the command line is wrong, so these begin at 3. `cli.failure` has all others.
"""

from __future__ import annotations

UNEXPECTED = 70
"""The exit code of all other errors: EX_SOFTWARE of sysexits.h."""


class EfficientSCNError(Exception):
    """Base of every error that this package raises on purpose."""

    exit_code: int = 1


class InputError(EfficientSCNError):
    """The scan cannot be read, or it is not a CT that the pipeline can segment."""

    exit_code = 3


class MemoryLimitError(InputError):
    """The scan would need more memory than it may take. A machine with more memory can segment it."""


class BundleError(EfficientSCNError):
    """The bundle is missing, was altered, was made for another version of this package, or has a network that
    neither the core nor OpenVINO can run. Or a file is no TensorRT engine.
    """

    exit_code = 4


class SignatureError(BundleError):
    """Keys are trusted, and none of them signed the bundle. Or a key cannot be read."""


class OutputError(EfficientSCNError):
    """The result cannot be written to the path that was given."""

    exit_code = 5


class DeviceError(EfficientSCNError):
    """This machine or process cannot run networks on the device, or in the precision, that was asked for."""

    exit_code = 6


class ExportError(EfficientSCNError):
    """A trained model cannot be turned into a bundle."""

    exit_code = 7


class FidelityError(EfficientSCNError):
    """A bundle does not compute what its original models compute, or an engine not what its network does."""

    exit_code = 8


class BatchError(EfficientSCNError):
    """Scans of a batch failed. The others are done."""

    exit_code = 9
