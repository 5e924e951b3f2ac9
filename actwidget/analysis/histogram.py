"""How a layer's values are distributed, with the spikes at zero and at a bound counted apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.analysis.axes import floats

Numbers = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_SPIKE = 0.05
_LEAST = float(np.finfo(np.float64).smallest_subnormal)
_GREATEST = float(np.finfo(np.float64).max)
# Values binned at a time: with their bin numbers they stay in a core's cache.
_BLOCK = 16_384


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts of a layer's values, and of one channel's in the same bins.

    Attributes:
        edges: float64 `(bins + 1,)`, from the least to the greatest value that is finite and not 0.
        counts: int64 `(bins,)`, finite values of the layer that are not counted apart.
        zeros: How many of the layer's values are exactly 0; they are in no bin.
        at_upper: How many are exactly at the upper bound, if they are a spike; then they are in no bin. Otherwise 0.
        total: How many finite values the layer has: `counts.sum() + zeros + at_upper`.
        channel_counts: int64 `(bins,)`, the channel's values; None if no channel was given.
        channel_zeros: How many of the channel's values are exactly 0.
        channel_at_upper: How many of them are at the upper bound, if the layer has a spike there. Otherwise 0.
        channel_total: How many finite values the channel has.
    """

    edges: Numbers
    counts: Counts
    zeros: int
    at_upper: int
    total: int
    channel_counts: Counts | None
    channel_zeros: int
    channel_at_upper: int
    channel_total: int


def histogram(
    values: npt.NDArray[Any],
    *,
    channel_values: npt.NDArray[Any] | None = None,
    bins: int = 64,
    upper: float | None = None,
) -> Histogram:
    """Count a layer's values in bins of equal width.

    Args:
        values: Numbers of any shape and any numeric dtype; NaN and infinities are left out.
        channel_values: Those of one channel, counted in the same bins; what lies outside of them is left out.
        bins: How many bins, at least 1.
        upper: The upper bound of the activation function (6 for ReLU6). If more than 5 % of the values are exactly
            there, they are counted apart.

    Returns:
        The counts. They agree with `numpy.histogram` on the same edges, but for values within rounding of an edge.

    >>> counted = histogram(np.array([0.0, 0.0, 1.0, 2.0, 3.0, np.nan]), bins=2)
    >>> counted.edges.tolist(), counted.counts.tolist(), counted.zeros, counted.total
    ([1.0, 2.0, 3.0], [1, 2], 2, 5)
    """
    line = _finite(values)
    zeros = _count_equal(line, 0)
    spike = 0 if upper is None or upper == 0 else _count_equal(line, upper)
    apart = upper if spike > _SPIKE * line.size else None
    low, high = _range(line, zeros)
    counts = _binned(line, low, high, bins, apart)
    channel = None if channel_values is None else _finite(channel_values)
    inside = None if channel is None else channel[(channel >= low) & (channel <= high)]
    return Histogram(
        edges=_edges(low, high, bins),
        counts=counts,
        zeros=zeros,
        at_upper=0 if apart is None else spike,
        total=line.size,
        channel_counts=None if inside is None else _binned(inside, low, high, bins, apart),
        channel_zeros=0 if channel is None else _count_equal(channel, 0),
        channel_at_upper=0 if channel is None or apart is None else _count_equal(channel, apart),
        channel_total=0 if channel is None else channel.size,
    )


def _finite(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Give the finite values in one line, in the order of the memory (no copy where all are finite)."""
    line: npt.NDArray[Any] = floats(np.asarray(values).ravel(order="K"))
    if line.size and not (np.isfinite(line.min()) and np.isfinite(line.max())):
        line = line[np.isfinite(line)]
    return line


def _count_equal(line: npt.NDArray[Any], value: float) -> int:
    return sum(int(np.count_nonzero(block == value)) for block in _blocks(line))


def _blocks(line: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    for first in range(0, line.size, _BLOCK):
        yield line[first : first + _BLOCK]


def _range(line: npt.NDArray[Any], zeros: int) -> tuple[float, float]:
    """Give the least and greatest value that is not 0, a little apart if they are one; 0 and 1 if there is none."""
    if zeros == line.size:
        return 0.0, 1.0
    low, high = float(line.min()), float(line.max())
    if low == 0:
        low = min(float(_lifted(block, high).min()) for block in _blocks(line))
    elif high == 0:
        high = max(float(_lifted(block, low).max()) for block in _blocks(line))
    if low < high:
        return low, high
    half = max(abs(low) / 2, _LEAST)
    return max(low - half, -_GREATEST), min(low + half, _GREATEST)


def _lifted(block: npt.NDArray[Any], value: float) -> npt.NDArray[Any]:
    """Put `value` where there is 0 (adding is several times faster than choosing, with zeros scattered about)."""
    lifted: npt.NDArray[Any] = (block == 0) * block.dtype.type(value)
    lifted += block
    return lifted


def _edges(low: float, high: float, bins: int) -> Numbers:
    if np.isfinite(high - low):
        return np.linspace(low, high, bins + 1)
    share = np.arange(bins + 1) / bins
    return low * (1 - share) + high * share


def _binned(line: npt.NDArray[Any], low: float, high: float, bins: int, apart: float | None) -> Counts:
    """Count finite values, each 0 or from `low` to `high`, in bins, but for those that are 0 or `apart`."""
    counts = np.zeros(bins, np.int64)
    if not line.size:
        return counts
    numbers = _Numbering(low, high, bins, line.dtype)
    for block in _blocks(line):
        counts += np.bincount(numbers(block), minlength=bins)
    # Taken out of their bins afterwards: a copy without them would cost more than all the counting.
    for value in {0.0, 0.0 if apart is None else apart}:
        counts[numbers(np.array([value], line.dtype))] -= _count_equal(line, value)
    return counts


class _Numbering:
    """The number of the bin that each value belongs to."""

    def __init__(self, low: float, high: float, bins: int, dtype: np.dtype[Any]) -> None:
        with np.errstate(over="ignore"):
            span = np.float64(high) - np.float64(low)
        moderate = 1e-30 < span < 1e37 and float(np.float32(low)) == low
        self.dtype = np.dtype(np.float32 if dtype == np.float32 and moderate else np.float64)
        # Ends so far apart or so close that the span or its inverse overflows are brought near 1, by powers of two.
        self.exponent = 0 if 1e-290 < span < 1e300 else -int(np.frexp(max(abs(low), abs(high)))[1])
        start, end = np.ldexp(low, self.exponent), np.ldexp(high, self.exponent)
        # A scalar of another dtype than the values would have numpy convert each of them.
        self.low, self.scale = self.dtype.type(start), self.dtype.type(bins / (end - start))
        self.bins = bins
        # Kept from block to block: asking the system for fresh memory each time costs as much as the arithmetic.
        self.place = np.empty(_BLOCK, self.dtype)
        self.number = np.empty(_BLOCK, np.intp)

    def __call__(self, values: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
        place, number = self.place[: values.size], self.number[: values.size]
        if self.exponent:
            values = np.ldexp(values.astype(np.float64), self.exponent)
        np.subtract(values, self.low, out=place, dtype=self.dtype)
        np.multiply(place, self.scale, out=place)
        np.maximum(place, 0, out=place)
        # The last bin has its upper edge in it.
        np.minimum(place, self.bins - 1, out=place)
        number[...] = place
        return number
