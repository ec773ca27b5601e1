"""What is known of each organ of a label map."""

from .region import ScanRegion
from .statistics import OrganStatistics, organ_statistics

__all__ = ["OrganStatistics", "ScanRegion", "organ_statistics"]
