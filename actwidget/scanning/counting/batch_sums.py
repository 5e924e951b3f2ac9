"""Batches of a layer's values added up: moments of each channel, and the sum of each sample and channel."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from actwidget.analysis.dtypes import CountArray, FloatArray, as_floats
from actwidget.analysis.moments import Bounds, ChannelMoments, channel_moments, saturation_limits

Array = npt.NDArray[Any]

# So many values are taken at a time; they stay in the processor's cache while each function goes over them.
_BLOCK = 400_000
# So many rows of a block at most: their ones fit in a byte, and their squares are added up in float32.
_MOST_ROWS = 128
# The squares of smaller distances may not be told from 0 in float32.
_LEAST = 1e-12


class Block(NamedTuple):
    """Some samples of a batch.

    Attributes:
        rows: Shape `(samples, positions, channels)`.
        high: The largest value in each column, `(columns,)`, if the block is written in rows of so many values, which
            are several positions with all their channels; `None` if that was not computed.
    """

    rows: Array
    high: Array | None


@dataclass(frozen=True, eq=False)
class BatchSums:
    """Batches of a layer's values added up.

    Attributes:
        blocks: All samples, in order.
        moments: The moments of each channel.
        sums: float `(samples, channels)`, the sums of the finite values.
        counts: How many values are finite, `(samples, channels)`, or one number for all.
    """

    blocks: list[Block]
    moments: ChannelMoments
    sums: Array
    counts: Any

    def means(self, chosen: Any) -> FloatArray:
        """Those of each channel of some samples, `(chosen, channels)`; NaN without a finite value."""
        sums, counts = self.sums[chosen].astype(np.float64), np.broadcast_to(self.counts, self.sums.shape)[chosen]
        found: FloatArray = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
        return found


def batch_sums(batches: Sequence[Array], bounds: Bounds | None) -> BatchSums:
    """Adds up batches; what each of them gives does not depend on the others.

    What float32 holds is added up in few passes by NumPy's fastest functions, all else (NaN and infinity, integers,
    float64) with more care and time.

    Args:
        batches: Each of shape `(samples, positions, channels)`, contiguous, of one numeric dtype; the number of
            samples may differ.
        bounds: The bounds of the layer's activation function, or `None`.
    """
    with np.errstate(all="ignore"):
        quick = _quick(batches, bounds) if all(map(_is_small, batches)) else None
        if quick is not None:
            return quick
        every = [_careful(rows, bounds) for rows in batches]
    moments = functools.reduce(ChannelMoments.joined, (each.moments for each in every))
    sums = np.concatenate([each.sums for each in every])
    counts = np.concatenate([np.broadcast_to(each.counts, each.sums.shape) for each in every])
    return BatchSums([block for each in every for block in each.blocks], moments, sums, counts)


def _is_small(rows: Array) -> bool:
    """Whether float32 holds each value; of one position or no value there is nothing to add up."""
    return rows.dtype.kind == "f" and rows.dtype.itemsize <= 4 and rows.shape[1] > 1 and rows.size > 0


def _careful(rows: Array, bounds: Bounds | None) -> BatchSums:
    """As `batch_sums` for one batch of whatever numbers."""
    if (quick := _quick([rows], bounds) if _is_small(rows) else None) is not None:
        return quick
    values = as_floats(rows)
    finite = np.isfinite(values)
    sums = np.where(finite, values, 0).sum(axis=1, dtype=np.float64)
    return BatchSums([Block(rows, None)], channel_moments(rows, bounds=bounds), sums, finite.sum(axis=1))


def _quick(batches: Sequence[Array], bounds: Bounds | None) -> BatchSums | None:
    """As `batch_sums` for float32; `None` if a value is not finite, or so large or small that its square is not."""
    positions, channels = batches[0].shape[1:]
    at_once = max(1, min(_MOST_ROWS, _BLOCK // (positions * channels)))
    blocks = [
        rows[first : first + at_once].astype(np.float32, copy=False)
        for rows in batches
        for first in range(0, len(rows), at_once)
    ]
    columns = _Columns(_width(positions, at_once), channels, saturation_limits(bounds))
    ones, sums = np.ones((1, positions), np.float32), []
    totals, shifts, squares = (np.empty((len(blocks), channels)) for _ in range(3))
    for place, block in enumerate(blocks):
        sums.append(np.matmul(ones, block)[:, 0])
        np.add.reduce(sums[-1], axis=0, dtype=np.float64, out=totals[place])
        shift = (totals[place] / (len(block) * positions)).astype(np.float32)
        shifts[place], squares[place] = shift, columns.add(block, shift)
    if not np.isfinite(squares).all():
        return None
    counts = np.array([[float(len(block) * positions)] for block in blocks])
    means = totals / counts
    minimum, maximum = columns.minimum(), columns.maximum()
    spread = maximum - minimum
    if ((spread > 0) & (spread < _LEAST)).any():
        return None
    distances = np.maximum(squares - (totals - counts * shifts) ** 2 / counts, 0.0)
    mean = totals.sum(axis=0) / counts.sum()
    nothing = np.zeros(channels, np.int64)
    moments = ChannelMoments(
        samples=sum(map(len, batches)),
        rows=int(counts.sum()),
        minimum=minimum,
        maximum=maximum,
        mean=mean,
        squares=distances.sum(axis=0) + (counts * (means - mean) ** 2).sum(axis=0),
        zeros=columns.zeros(),
        saturated=columns.saturated(),
        nan=nothing,
        infinite=nothing,
        is_exact=False,
    )
    return BatchSums(list(map(Block, blocks, columns.highs)), moments, np.concatenate(sums), positions)


@functools.cache
def _width(positions: int, samples: int) -> int:
    """How many positions, which divide their number, stand in a row, so that so many samples have few rows."""
    widths = (each for each in range(1, positions) if positions % each == 0)
    return next((each for each in widths if samples * positions // each <= _MOST_ROWS), positions)


class _Columns:
    """What is known of each column of some blocks, of which a row holds several positions with all their channels.

    NumPy goes over long rows several times faster than over ones of a few channels.
    """

    def __init__(self, positions: int, channels: int, limits: Bounds) -> None:
        self._positions, self._channels, self._limits = positions, channels, limits
        self.highs: list[Array] = []
        self._lows: list[Array] = []
        self._zeros: list[Array] = []
        self._saturated: list[Array] = []
        self._moved = np.empty((0, positions * channels), np.float32)

    def add(self, block: Array, shift: Array) -> FloatArray:
        """Adds a block; gives the sum of each channel's squared distances from a shift, `(channels,)`."""
        rows = block.reshape(-1, self._positions * self._channels)
        low, high = np.minimum.reduce(rows, axis=0), np.maximum.reduce(rows, axis=0)
        self._lows.append(low)
        self.highs.append(high)
        # Values that stay on one side have no zeros, which is seen without another pass.
        least, most = low.min(), high.max()
        if least <= 0 <= most:
            self._zeros.append(_count(rows == 0))
        below, above = self._limits
        if above is not None and most >= above:
            self._saturated.append(_count(rows >= above))
        if below is not None and least <= below:
            self._saturated.append(_count(rows <= below))
        if len(self._moved) < len(rows):
            self._moved = np.empty_like(rows)
        moved = np.subtract(rows, np.tile(shift, self._positions), out=self._moved[: len(rows)])
        return self._by_channel(np.einsum("rc,rc->c", moved, moved).astype(np.float64), np.add)

    def minimum(self) -> FloatArray:
        """That of each channel."""
        return self._by_channel(np.minimum.reduce(self._lows, axis=0), np.minimum).astype(np.float64)

    def maximum(self) -> FloatArray:
        """That of each channel."""
        return self._by_channel(np.maximum.reduce(self.highs, axis=0), np.maximum).astype(np.float64)

    def zeros(self) -> CountArray:
        """How many values of each channel are 0."""
        return self._counted(self._zeros)

    def saturated(self) -> CountArray:
        """How many values of each channel are at a bound."""
        return self._counted(self._saturated)

    def _counted(self, counts: Sequence[Array]) -> CountArray:
        if not counts:
            return np.zeros(self._channels, np.int64)
        return self._by_channel(np.add.reduce(counts, axis=0, dtype=np.int64), np.add)

    def _by_channel(self, row: Array, combined: np.ufunc) -> Array:
        """One row's columns of the same channel put together."""
        found: Array = largest_of(row.reshape(1, self._positions, self._channels), combined)[0]
        return found


def largest_of(values: Array, combined: np.ufunc = np.maximum) -> Array:
    """The largest value of each sample and channel, `(samples, channels)`, or what else combines all positions.

    In two steps, of which the first goes over long rows.

    Args:
        values: Shape `(samples, positions, channels)`, contiguous.
        combined: The function.
    """
    samples, positions, channels = values.shape
    divisor = _near_root(positions)
    first = combined.reduce(values.reshape(samples, divisor, -1), axis=1)
    found: Array = combined.reduce(first.reshape(samples, positions // divisor, channels), axis=1)
    return found


@functools.cache
def _near_root(number: int) -> int:
    return next(each for each in range(math.isqrt(number), 0, -1) if number % each == 0)


def _count(found: npt.NDArray[np.bool_]) -> Array:
    """How many values are true in each column."""
    counts: Array = np.add.reduce(found.view(np.uint8), axis=0, dtype=np.uint8)
    return counts
