"""Errors that a user can act on: each carries one sentence and the exit code of the command line.

Exit code 2 is a wrong command line (click's own), so these begin at 3; `cli.failure` has the others.
"""

from __future__ import annotations


class EfficientSCNError(Exception):
    """Base of every error that this package raises on purpose."""

    exit_code: int = 1


class InputError(EfficientSCNError):
    """The scan cannot be read, or is not a CT that the pipeline can take."""

    exit_code = 3


class BundleError(EfficientSCNError):
    """The bundle is missing, altered, or made for another version of this package."""

    exit_code = 4


class OutputError(EfficientSCNError):
    """The result cannot be written where it was asked for."""

    exit_code = 5


class DeviceError(EfficientSCNError):
    """The device or precision that was asked for is not to be had on this machine."""

    exit_code = 6


class ExportError(EfficientSCNError):
    """A trained model cannot be turned into a bundle."""

    exit_code = 7


class FidelityError(EfficientSCNError):
    """A bundle does not give what the models give that it was exported from."""

    exit_code = 8
