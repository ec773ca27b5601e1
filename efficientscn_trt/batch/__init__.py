"""Many scans with one set of networks: reading, networks and the caller's own work overlap."""

from .many import segment_many
from .request import Outcome, Request

__all__ = ["Outcome", "Request", "segment_many"]
