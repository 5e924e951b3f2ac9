"""A whole data set through a model: counts, extremes, examples and samples of each layer, in one pass."""

from actwidget.scanning.counting.found import ByLabel, Example, Skipped
from actwidget.scanning.result import Scan, load_scan
from actwidget.scanning.scanner import scan
from actwidget.scanning.space.neighbours import Neighbour
from actwidget.scanning.space.projection import Projection
from actwidget.scanning.space.similarity import Similarity, similarity

__all__ = [
    "ByLabel",
    "Example",
    "Neighbour",
    "Projection",
    "Scan",
    "Similarity",
    "Skipped",
    "load_scan",
    "scan",
    "similarity",
]
