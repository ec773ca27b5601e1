"""Is a bundle on this machine still the trained model? Its networks beside the SavedModels it came from."""

from __future__ import annotations

from .fidelity import Limits
from .judge import Verdict, validate

__all__ = ["Limits", "Verdict", "validate"]
