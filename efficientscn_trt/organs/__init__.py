"""What is known of each organ of a label map."""

from .region import ScanRegion
from .review import Reason, Review, review_of
from .statistics import OrganStatistics, organ_statistics

__all__ = ["OrganStatistics", "Reason", "Review", "ScanRegion", "organ_statistics", "review_of"]
