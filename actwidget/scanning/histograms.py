"""Histograms of layers that were counted in a stream."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.analysis.dtypes import CountArray, FloatArray
from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.histogram import SPIKE, Histogram, bin_edges
from actwidget.options import at_least
from actwidget.scanning.counting.tally import Tally

Array = npt.NDArray[Any]


@ignore_float_errors
def histogram_of(tally: Tally, channel: int | None, bins: int) -> Histogram:
    """The package's own histogram, from moments and sketches.

    Args:
        tally: What was counted of the layer.
        channel: The channel that is counted in the same bins, or `None`.
        bins: How many bins.

    Raises:
        OptionError: `bins` is not a whole number from 1.
    """
    at_least(1, bins, "bins")
    moments = tally.moments
    layer = _Values(tally, None, int(moments.finite.sum()), int(moments.zeros.sum()))
    own = None
    if channel is not None:
        own = _Values(tally, channel, int(moments.finite[channel]), int(moments.zeros[channel]))
    upper = None if tally.bounds is None else tally.bounds[1]
    at_upper = layer.at(upper), 0 if own is None else own.at(upper)
    if at_upper[0] <= SPIKE * layer.total and (own is None or at_upper[1] <= SPIKE * own.total):
        upper, at_upper = None, (0, 0)
    low, high = float(moments.minimum.min(initial=np.inf)), float(moments.maximum.max(initial=-np.inf))
    items = layer.items
    if low == 0 and (items > 0).any():
        low = float(items[items > 0].min())
    if high == 0 and (items < 0).any():
        high = float(items[items < 0].max())
    edges = bin_edges(low, high, bins) if layer.total > layer.zeros else bin_edges(0.0, 1.0, bins)
    return Histogram(
        edges=edges,
        counts=layer.spread(edges, upper, at_upper[0]),
        zeros=layer.zeros,
        at_upper=at_upper[0],
        total=layer.total,
        size=moments.rows * tally.channels,
        channel_counts=None if own is None else own.spread(edges, upper, at_upper[1]),
        channel_zeros=0 if own is None else own.zeros,
        channel_at_upper=at_upper[1],
        channel_total=0 if own is None else own.total,
        channel_size=0 if own is None else moments.rows,
    )


class _Values:
    """The items of the sketches of a layer, or of a channel, and what is exactly known of their number."""

    def __init__(self, tally: Tally, channel: int | None, total: int, zeros: int) -> None:
        self.items, self._counts = tally.quantiles.items(channel)
        self.total = total
        self.zeros = zeros

    def at(self, value: float | None) -> int:
        """About how many values are exactly this one; 0 for no bound."""
        if not value or not len(self.items):
            return 0
        share = self._counts[self.items == np.float32(value)].sum() / self._counts.sum()
        return min(round(float(share) * self.total), self.total - self.zeros)

    def spread(self, edges: FloatArray, upper: float | None, at_upper: int) -> CountArray:
        """The values but zeros, and but those at a bound, over the bins, in whole numbers that add up."""
        used = self.items != 0
        if upper is not None:
            used &= self.items != np.float32(upper)
        inside = np.clip(self.items[used], edges[0], edges[-1])
        shares = np.histogram(inside, edges, weights=self._counts[used])[0]
        total = self.total - self.zeros - at_upper
        if not shares.sum():  # they are so few that none was drawn
            shares[:1] = 1
        ends = np.rint(np.cumsum(shares) / shares.sum() * total).astype(np.int64)
        counts: CountArray = np.diff(ends, prepend=0)
        return counts
