"""Compares a bundle's networks on this machine with the SavedModels that they were exported from."""

from __future__ import annotations

from .fidelity import Limits
from .judge import Verdict, validate

__all__ = ["Limits", "Verdict", "validate"]
