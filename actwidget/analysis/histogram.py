"""How a layer's values are distributed, with the spikes at zero and at a bound counted apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.analysis.axes import floats
from actwidget.analysis.float_errors import any_errstate

Numbers = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_SPIKE = 0.05
_LEAST = float(np.finfo(np.float64).smallest_subnormal)
_GREATEST = float(np.finfo(np.float64).max)
# Values binned at a time: with their bin numbers they stay in a core's cache. With fewer, numpy's calls are so short
# that they mostly wait for those of another thread.
_BLOCK = 131_072


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts of a layer's values, and of one channel's in the same bins.

    Attributes:
        edges: float64 `(bins + 1,)`, from the least to the greatest value that is finite and not 0.
        counts: int64 `(bins,)`, finite values of the layer that are not counted apart.
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
    """

    edges: Numbers
    counts: Counts
    zeros: int
    at_upper: int
    total: int
    size: int
    channel_counts: Counts | None
    channel_zeros: int
    channel_at_upper: int
    channel_total: int
    channel_size: int


@any_errstate
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
        upper: The upper bound of the activation function (6 for ReLU6). If more than 5 % of the layer's values, or of
            the channel's, are exactly there, they are counted apart: left in their bin they would flatten the others.

    Returns:
        The counts. They agree with `numpy.histogram` on the same edges, but for values within rounding of an edge.

    >>> counted = histogram(np.array([0.0, 0.0, 1.0, 2.0, 3.0, np.nan]), bins=2)
    >>> counted.edges.tolist(), counted.counts.tolist(), counted.zeros, counted.total, counted.size
    ([1.0, 2.0, 3.0], [1, 2], 2, 5, 6)
    """
    line, ends = _finite(values)
    zeros = _count_equal(line, 0)
    channel = None if channel_values is None else _finite(channel_values)[0]
    at_upper = 0 if not upper else _count_equal(line, upper)
    channel_at_upper = 0 if not upper or channel is None else _count_equal(channel, upper)
    if at_upper <= _SPIKE * line.size and (channel is None or channel_at_upper <= _SPIKE * channel.size):
        upper, at_upper, channel_at_upper = None, 0, 0
    low, high = _range(line, zeros, ends)
    numbering = _Numbering(low, high, bins, line.dtype)
    counts = _binned(line, numbering)
    # Taken out of their bins afterwards: a copy without them would cost more than all the counting.
    for value, number in ((0.0, zeros), (upper, at_upper)):
        if number:
            counts[numbering(np.array([value], line.dtype))] -= number
    return Histogram(
        edges=_edges(low, high, bins),
        counts=counts,
        zeros=zeros,
        at_upper=at_upper,
        total=line.size,
        size=int(np.size(values)),
        channel_counts=None if channel is None else _binned(_inside(channel, low, high, upper), numbering),
        channel_zeros=0 if channel is None else _count_equal(channel, 0),
        channel_at_upper=channel_at_upper,
        channel_total=0 if channel is None else channel.size,
        channel_size=0 if channel_values is None else int(np.size(channel_values)),
    )


def _finite(values: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], tuple[float, float]]:
    """Give the finite values in one line, in the order of the memory (no copy where all are finite), and their ends."""
    line: npt.NDArray[Any] = floats(np.asarray(values).ravel(order="K"))
    with np.errstate(invalid="ignore"):
        ends = _ends(line)
        if not np.isfinite(ends).all():
            line = line[np.isfinite(line)]
            ends = _ends(line)
    return line, ends


def _ends(line: npt.NDArray[Any]) -> tuple[float, float]:
    return (float(line.min()), float(line.max())) if line.size else (0.0, 0.0)


def _inside(channel: npt.NDArray[Any], low: float, high: float, upper: float | None) -> npt.NDArray[Any]:
    """Keep the values that go into a bin: not 0, not counted apart, not outside."""
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


def _range(line: npt.NDArray[Any], zeros: int, ends: tuple[float, float]) -> tuple[float, float]:
    """Give the least and greatest value that is not 0, a little apart if they are one; 0 and 1 if there is none."""
    if zeros == line.size:
        return 0.0, 1.0
    low, high = ends
    if low == 0:
        low = min(float(block.min()) for block in _lifted(line, high))
    elif high == 0:
        high = max(float(block.max()) for block in _lifted(line, low))
    if low < high:
        return low, high
    half = max(abs(low) / 2, _LEAST)
    return max(low - half, -_GREATEST), min(low + half, _GREATEST)


def _lifted(line: npt.NDArray[Any], value: float) -> Iterator[npt.NDArray[Any]]:
    """Give the values with `value` in the place of 0, in blocks that are overwritten one by the next."""
    buffer: npt.NDArray[Any] = np.empty(_BLOCK, line.dtype)
    for block in _blocks(line):
        lifted = buffer[: block.size]
        # Adding is several times faster than choosing, with zeros scattered about.
        np.multiply(block == 0, line.dtype.type(value), out=lifted)
        lifted += block
        yield lifted


def _edges(low: float, high: float, bins: int) -> Numbers:
    if np.isfinite(high - low):
        return np.linspace(low, high, bins + 1)
    share = np.arange(bins + 1) / bins
    return low * (1 - share) + high * share


def _binned(line: npt.NDArray[Any], numbering: _Numbering) -> Counts:
    counts = np.zeros(numbering.bins, np.int64)
    for block in _blocks(line):
        counts += np.bincount(numbering(block), minlength=numbering.bins)
    return counts


class _Numbering:
    """Gives each value the number of its bin; what lies outside, the number of the nearer end's.

    The array that a call returns is overwritten by the next.
    """

    def __init__(self, low: float, high: float, bins: int, dtype: npt.DTypeLike) -> None:
        with np.errstate(over="ignore"):
            span = np.float64(high) - np.float64(low)
        moderate = 1e-30 < span < 1e37 and float(np.float32(low)) == low
        self.dtype = np.dtype(np.float32 if dtype == np.float32 and moderate else np.float64)
        # Ends so far apart or so close that the span or its inverse overflows are brought near 1, by powers of two.
        self.exponent = 0 if 1e-290 < span < 1e300 else -int(np.frexp(max(abs(low), abs(high)))[1])
        start, end = np.ldexp(low, self.exponent), np.ldexp(high, self.exponent)
        # A scalar of another dtype than the values would have numpy convert each of them.
        self.low: Any = self.dtype.type(start)
        self.scale: Any = self.dtype.type(bins / (end - start))
        self.bins = bins
        # Kept from block to block: asking the system for fresh memory each time costs as much as the arithmetic.
        self.place: npt.NDArray[Any] = np.empty(_BLOCK, self.dtype)
        self.number = np.empty(_BLOCK, np.intp)

    def __call__(self, values: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
        place, number = self.place[: values.size], self.number[: values.size]
        if self.exponent:
            values = np.ldexp(values.astype(np.float64), self.exponent)
        np.subtract(values, self.low, out=place)
        np.multiply(place, self.scale, out=place)
        np.maximum(place, 0, out=place)
        # The last bin has its upper edge in it.
        np.minimum(place, self.bins - 1, out=place)
        number[...] = place
        return number
