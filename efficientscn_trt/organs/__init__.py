"""What is known of each organ of a label map."""

from .confidence import Confidence, confidences_of
from .region import ScanRegion
from .review import Reason, Review, review_of
from .statistics import OrganStatistics, organ_statistics

__all__ = [
    "Confidence",
    "OrganStatistics",
    "Reason",
    "Review",
    "ScanRegion",
    "confidences_of",
    "organ_statistics",
    "review_of",
]
