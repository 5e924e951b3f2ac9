"""Histograms with bins of their own brought to the same bins, so that they can stand side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from actwidget.analysis.dtypes import FloatArray
from actwidget.analysis.histogram import Histogram


def rebinned(histograms: Sequence[Histogram], edges: npt.ArrayLike) -> FloatArray:
    """The shares of values between some edges, for histograms whose own bins differ.

    The values in one of a histogram's bins count as evenly spread over it. Zeros, and values at an upper bound, which
    histograms count separately, are in the bin in which they lie.

    Args:
        histograms: Any number.
        edges: The edges of the new bins, ascending, shape `(bins + 1,)`.

    Returns:
        float64 `(histograms, bins)`: shares of all finite values, 0 to 1, which add up to 1 where no value lies outside
        of the edges; 0 where a histogram has no finite value.

    >>> from actwidget.analysis.histogram import histogram
    >>> rebinned([histogram(np.array([0.0, 1.0, 3.0, 3.0]), bins=2)], [-1, 1, 2, 4]).tolist()
    [[0.25, 0.25, 0.5]]
    """
    line = np.asarray(edges, np.float64)
    shares = np.zeros((len(histograms), line.size - 1))
    for row, each in enumerate(histograms):
        if each.total:
            shares[row] = _counts(each, line) / each.total
    return shares


def _counts(histogram: Histogram, line: FloatArray) -> FloatArray:
    below = np.concatenate([[0], np.cumsum(histogram.counts)])
    counts = np.diff(np.interp(line, histogram.edges, below))
    for value, count in ((0.0, histogram.zeros), (float(histogram.edges[-1]), histogram.at_upper)):
        place = int(np.searchsorted(line, value, side="right")) - 1
        if count and line[0] <= value <= line[-1]:
            counts[min(place, counts.size - 1)] += count
    return np.asarray(counts, np.float64)
