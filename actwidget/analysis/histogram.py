"""How a layer's values are distributed, with the spikes at zero and at a bound counted separately."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.analysis.dtypes import CountArray, FloatArray
from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.nonfinite import finite_values

SPIKE = 0.05
"""A larger share of the values than this at a bound is counted separately."""
_LEAST = float(np.finfo(np.float64).smallest_subnormal)
_GREATEST = float(np.finfo(np.float64).max)
# So many values are binned at a time: with their bin numbers they stay in a core's cache. With fewer, numpy's calls
# would be so short that they would mostly wait for another thread's.
_BLOCK = 131_072


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts of a layer's values, and of one channel's in the same bins.

    Attributes:
        edges: float64 `(bins + 1,)`, from the least to the greatest value that is finite and not 0.
        counts: int64 `(bins,)`, finite values of the layer that are not counted separately.
        zeros: How many of the layer's values are exactly 0; they are in no bin.
        at_upper: How many are exactly at the upper bound, if the layer or the channel has a spike there; then they are
            in no bin. Otherwise 0.
        total: How many finite values the layer has: `counts.sum() + zeros + at_upper`.
        size: How many values the layer has, NaN and infinities too: that of which `Statistics.zeros` is a share.
        channel_counts: int64 `(bins,)`, the channel's values; None if no channel was given.
        channel_zeros: How many of the channel's values are exactly 0.
        channel_at_upper: How many of them are at the upper bound, if the layer or the channel has a spike there.
            Otherwise 0.
        channel_total: How many finite values the channel has.
        channel_size: How many values the channel has, NaN and infinities too.
        outside: How many of the layer's values lie outside of a range that was asked for, and are in no bin.
    """

    edges: FloatArray
    counts: CountArray
    zeros: int
    at_upper: int
    total: int
    size: int
    channel_counts: CountArray | None
    channel_zeros: int
    channel_at_upper: int
    channel_total: int
    channel_size: int
    outside: int = 0


@ignore_float_errors
def histogram(
    values: npt.NDArray[Any],
    *,
    channel_values: npt.NDArray[Any] | None = None,
    bins: int = 64,
    upper: float | None = None,
    within: tuple[float, float] | None = None,
) -> Histogram:
    """Count a layer's values in bins of equal width.

    Args:
        values: Numbers of any shape and any numeric dtype; NaN and infinities are left out.
        channel_values: Those of one channel, counted in the same bins; what lies outside of them is left out.
        bins: How many bins, at least 1.
        upper: The upper bound of the activation function (6 for ReLU6). If more than 5 % of the layer's values, or of
            the channel's, are exactly there, they are counted separately: in their bin they would flatten the others.
        within: The range that the bins span; by default that of the values. What lies outside of it is in no bin.

    Returns:
        The counts. They agree with `numpy.histogram` on the same edges, but for values within rounding of an edge.

    >>> counted = histogram(np.array([0.0, 0.0, 1.0, 2.0, 3.0, np.nan]), bins=2)
    >>> counted.edges.tolist(), counted.counts.tolist(), counted.zeros, counted.total, counted.size
    ([1.0, 2.0, 3.0], [1, 2], 2, 5, 6)
    """
    line, extremes = finite_values(values)
    zeros = _count_equal(line, 0)
    channel = None if channel_values is None else finite_values(channel_values)[0]
    at_upper = 0 if not upper else _count_equal(line, upper)
    channel_at_upper = 0 if not upper or channel is None else _count_equal(channel, upper)
    if at_upper <= SPIKE * line.size and (channel is None or channel_at_upper <= SPIKE * channel.size):
        upper, at_upper, channel_at_upper = None, 0, 0
    low, high = _range(line, zeros, extremes) if within is None else _apart(*within)
    bin_numbers = _BinNumbers(low, high, bins, line.dtype)
    counts = _binned(line, bin_numbers)
    # Subtracted from their bins afterwards: copying the values without them would cost more than all the counting.
    for value, number in ((0.0, zeros), (upper, at_upper)):
        if number:
            counts[bin_numbers(np.array([value], line.dtype))] -= number
    outside = 0
    if within is not None:
        # What lies outside has been counted in the first and the last bin.
        for place, beyond in ((0, np.less(line, low)), (-1, np.greater(line, high))):
            separate = sum(
                n for value, n in ((0.0, zeros), (upper, at_upper)) if n and _is_beyond(value, low, high, place)
            )
            number = int(np.count_nonzero(beyond)) - separate
            counts[place] -= number
            outside += number
    return Histogram(
        edges=_edges(low, high, bins),
        counts=counts,
        zeros=zeros,
        at_upper=at_upper,
        total=line.size,
        size=int(np.size(values)),
        channel_counts=None if channel is None else _binned(_binnable(channel, low, high, upper), bin_numbers),
        channel_zeros=0 if channel is None else _count_equal(channel, 0),
        channel_at_upper=channel_at_upper,
        channel_total=0 if channel is None else channel.size,
        channel_size=0 if channel_values is None else int(np.size(channel_values)),
        outside=outside,
    )


def histogram_of_sorted(line: npt.NDArray[Any], *, size: int, bins: int = 64, upper: float | None = None) -> Histogram:
    """The histogram of values that are sorted, which takes next to no time.

    Args:
        line: All finite values in ascending order, float32 or float64.
        size: How many values there are, NaN and infinities too.
        bins: How many bins, at least 1.
        upper: As for `histogram`.
    """
    first_zero, after_zeros = _between(line, 0.0)
    zeros = after_zeros - first_zero
    at_upper = 0
    if upper:
        first, after = _between(line, upper)
        at_upper = after - first if after - first > SPIKE * line.size else 0
    if zeros == line.size:
        low, high = 0.0, 1.0
    else:
        least = line[after_zeros] if first_zero == 0 else line[0]
        greatest = line[first_zero - 1] if after_zeros == line.size else line[-1]
        low, high = _apart(float(least), float(greatest))
    edges = _edges(low, high, bins)
    ends = np.searchsorted(line, _at_or_above(edges, line.dtype), side="left")
    ends[-1] = np.searchsorted(line, line.dtype.type(high), side="right")
    counts: CountArray = np.diff(ends).astype(np.int64)
    for value, number in ((0.0, zeros), (upper, at_upper)):
        if number and value is not None and low <= value <= high:
            counts[min(int(np.searchsorted(edges, value, side="right")) - 1, bins - 1)] -= number
    return Histogram(
        edges=edges,
        counts=counts,
        zeros=zeros,
        at_upper=at_upper,
        total=line.size,
        size=size,
        channel_counts=None,
        channel_zeros=0,
        channel_at_upper=0,
        channel_total=0,
        channel_size=0,
    )


def _between(line: npt.NDArray[Any], value: float) -> tuple[int, int]:
    """Where the values equal to one begin and end in a sorted line."""
    own = line.dtype.type(value)
    return int(np.searchsorted(line, own, side="left")), int(np.searchsorted(line, own, side="right"))


def _at_or_above(edges: FloatArray, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """For each edge the least number of a dtype that is not below it, which divides such numbers as the edge does."""
    own: npt.NDArray[Any] = edges.astype(dtype)
    return np.where(own < edges, np.nextafter(own, np.asarray(np.inf, dtype)), own)


def _binnable(channel: npt.NDArray[Any], low: float, high: float, upper: float | None) -> npt.NDArray[Any]:
    """The values of a channel that belong in a bin: in the layer's range, not 0, not counted separately."""
    kept = (channel >= low) & (channel <= high) & (channel != 0)
    if upper is not None:
        kept &= channel != upper
    inside: npt.NDArray[Any] = channel[kept]
    return inside


def _count_equal(line: npt.NDArray[Any], value: float) -> int:
    if value == 0:
        return line.size - int(np.count_nonzero(line))
    return sum(int(np.count_nonzero(block == value)) for block in _blocks(line))


def _blocks(line: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    for first in range(0, line.size, _BLOCK):
        yield line[first : first + _BLOCK]


def _range(line: npt.NDArray[Any], zeros: int, extremes: tuple[float, float] | None) -> tuple[float, float]:
    """The extremes of the values other than 0, a little apart where they are equal; 0 and 1 without such values."""
    if extremes is None or zeros == line.size:
        return 0.0, 1.0
    low, high = extremes
    if low == 0:
        low = min(float(block.min()) for block in _without_zeros(line, high))
    elif high == 0:
        high = max(float(block.max()) for block in _without_zeros(line, low))
    return _apart(low, high)


def _is_beyond(value: float | None, low: float, high: float, end: int) -> bool:
    return value is not None and (value < low if end == 0 else value > high)


def _apart(low: float, high: float) -> tuple[float, float]:
    """Two ends, a little apart where they are equal."""
    if low < high:
        return low, high
    half = max(abs(low) / 2, _LEAST)
    return max(low - half, -_GREATEST), min(low + half, _GREATEST)


def bin_edges(low: float, high: float, bins: int) -> FloatArray:
    """The edges of bins of equal width between two ends, `(bins + 1,)`; equal ends are moved a little apart."""
    return _edges(*_apart(low, high), bins)


def _without_zeros(line: npt.NDArray[Any], value: float) -> Iterator[npt.NDArray[Any]]:
    """The values with `value` in place of 0, in blocks; each block is overwritten by the next."""
    buffer: npt.NDArray[Any] = np.empty(_BLOCK, line.dtype)
    for block in _blocks(line):
        filled = buffer[: block.size]
        # With scattered zeros, adding is several times faster than np.where.
        np.multiply(block == 0, line.dtype.type(value), out=filled)
        filled += block
        yield filled


def _edges(low: float, high: float, bins: int) -> FloatArray:
    if np.isfinite(high - low):
        return np.linspace(low, high, bins + 1)
    share = np.arange(bins + 1) / bins
    return low * (1 - share) + high * share


def _binned(line: npt.NDArray[Any], bin_numbers: _BinNumbers) -> CountArray:
    """The counts of each bin, in about two thirds of the time of `numpy.histogram`."""
    counts = np.zeros(bin_numbers.bins, np.int64)
    for block in _blocks(line):
        counts += np.bincount(bin_numbers(block), minlength=bin_numbers.bins)
    return counts


class _BinNumbers:
    """Gives the bin number of each value; a value outside of the bins gets that of the nearer end.

    The array that a call returns is overwritten by the next.
    """

    def __init__(self, low: float, high: float, bins: int, dtype: npt.DTypeLike) -> None:
        with np.errstate(over="ignore"):
            span = np.float64(high) - np.float64(low)
        moderate = 1e-30 < span < 1e37 and float(np.float32(low)) == low
        self.dtype = np.dtype(np.float32 if dtype == np.float32 and moderate else np.float64)
        # If the span or its inverse would overflow, both ends are scaled to near 1 by a power of two.
        self.exponent = 0 if 1e-290 < span < 1e300 else -int(np.frexp(max(abs(low), abs(high)))[1])
        start, end = np.ldexp(low, self.exponent), np.ldexp(high, self.exponent)
        # With a scalar of another dtype numpy would convert every value.
        self.low: Any = self.dtype.type(start)
        self.scale: Any = self.dtype.type(bins / (end - start))
        self.bins = bins
        # Reused from block to block: allocating memory each time costs as much as the arithmetic.
        self.position: npt.NDArray[Any] = np.empty(_BLOCK, self.dtype)
        self.number = np.empty(_BLOCK, np.intp)

    def __call__(self, values: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
        position, number = self.position[: values.size], self.number[: values.size]
        if self.exponent:
            values = np.ldexp(values.astype(np.float64), self.exponent)
        np.subtract(values, self.low, out=position)
        np.multiply(position, self.scale, out=position)
        np.maximum(position, 0, out=position)
        # The last bin includes its upper edge.
        np.minimum(position, self.bins - 1, out=position)
        number[...] = position
        return number
