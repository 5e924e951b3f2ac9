"""Minimum, maximum, mean, variance and counts of each channel, in few passes over the values."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.analysis.dtypes import CountArray, FloatArray, as_floats

Bounds = tuple[float | None, float | None]

# So many values are added up at a time: with their float64 copy they stay in a core's cache.
_BLOCK = 65_536
# So many rows at a time: the sum of as many ones fits in a byte.
_MOST_ROWS = 255
# Several narrower rows are treated as one, since numpy has a cost for each row.
_WIDTH = 256
# Values this close to a bound, as a share of it, count as saturated.
_NEAR = 1e-3


@dataclass(frozen=True, eq=False)
class ChannelMoments:
    """What is known of each channel of some values; those of two batches can be joined.

    Attributes:
        samples: Length of the batch.
        rows: How many values each channel has, whatever they are.
        minimum: float64 `(channels,)`, of the finite values; infinity for a channel without any.
        maximum: float64 `(channels,)`, of the finite values; minus infinity for a channel without any.
        mean: float64 `(channels,)`, of the finite values; NaN for a channel without any.
        squares: float64 `(channels,)`, the sum of the squared distances of the finite values from the mean.
        zeros: int64 `(channels,)`, how many values are exactly 0.
        saturated: int64 `(channels,)`, how many values are at a bound.
        nan: int64 `(channels,)`, how many values are NaN.
        infinite: int64 `(channels,)`, how many values are infinite.
        is_exact: Whether the values are integers or booleans, so that equal ones are exactly equal.
    """

    samples: int
    rows: int
    minimum: FloatArray
    maximum: FloatArray
    mean: FloatArray
    squares: FloatArray
    zeros: CountArray
    saturated: CountArray
    nan: CountArray
    infinite: CountArray
    is_exact: bool

    @property
    def finite(self) -> CountArray:
        """How many values of each channel are finite."""
        return self.rows - self.nan - self.infinite

    def joined(self, other: ChannelMoments) -> ChannelMoments:
        """The moments of both batches together, by Chan, Golub and LeVeque, Updating Formulae (1979), equations 2.1."""
        count, other_count = self.finite, other.finite
        total = np.maximum(count + other_count, 1)
        with np.errstate(all="ignore"):
            distance = np.where((count > 0) & (other_count > 0), other.mean - self.mean, 0.0)
            mean = np.where(count > 0, self.mean + distance * (other_count / total), other.mean)
            squares = self.squares + other.squares + distance**2 * (count * (other_count / total))
        return ChannelMoments(
            samples=self.samples + other.samples,
            rows=self.rows + other.rows,
            minimum=np.minimum(self.minimum, other.minimum),
            maximum=np.maximum(self.maximum, other.maximum),
            mean=mean,
            squares=squares,
            zeros=self.zeros + other.zeros,
            saturated=self.saturated + other.saturated,
            nan=self.nan + other.nan,
            infinite=self.infinite + other.infinite,
            is_exact=self.is_exact and other.is_exact,
        )


def channel_moments(batch: npt.NDArray[Any], *, channel_axis: int = -1, bounds: Bounds | None = None) -> ChannelMoments:
    """Compute the moments of each channel.

    Args:
        batch: `(samples, ...)`, of any numeric dtype. One number a sample, `(samples,)`, counts as one channel.
        channel_axis: The axis of `batch` that holds the channels.
        bounds: Lower and upper bound of the activation function, or None.
    """
    by_channel = np.moveaxis(batch, channel_axis, -1) if batch.ndim > 1 else batch.reshape(-1, 1)
    rows = by_channel.reshape(math.prod(by_channel.shape[:-1]), by_channel.shape[-1])
    limits = saturation_limits(bounds)
    each, channels = rows.shape
    nan, infinite = np.zeros(channels, np.int64), np.zeros(channels, np.int64)
    with np.errstate(all="ignore"):
        first = as_floats(rows[0]).astype(np.float64) if each else np.zeros(channels)
        sums = _sums(rows, first, limits)
        if not (np.isfinite(sums.minimum).all() and np.isfinite(sums.maximum).all()) and rows.size:
            sums, nan, infinite = _sums_of_finite(rows, limits)
        finite = each - nan - infinite
        return ChannelMoments(
            samples=len(batch),
            rows=each,
            minimum=np.where(finite > 0, sums.minimum, np.inf),
            maximum=np.where(finite > 0, sums.maximum, -np.inf),
            mean=np.where(finite > 0, sums.shift + sums.total / finite, np.nan),
            squares=np.where(finite > 0, np.maximum(sums.squares - sums.total**2 / finite, 0.0), 0.0),
            zeros=sums.zeros,
            saturated=sums.saturated,
            nan=nan,
            infinite=infinite,
            is_exact=rows.dtype.kind in "biu",
        )


@dataclass(frozen=True, eq=False)
class _Sums:
    """What one pass over finite values gives for each channel; `total` and `squares` are of `value - shift`."""

    shift: FloatArray
    minimum: FloatArray
    maximum: FloatArray
    total: FloatArray
    squares: FloatArray
    zeros: CountArray
    saturated: CountArray


def _sums(rows: npt.NDArray[Any], shift: FloatArray, limits: Bounds) -> _Sums:
    """Go over `(rows, channels)` once.

    With a shift that is itself one of the channel's values, the variance loses at most the factor `rows` of float64's
    precision, however far from 0 the values are: `(shift - mean)**2` is no more than `rows` times the variance.
    """
    each, channels = rows.shape
    repeats = max(1, -(-_WIDTH // max(1, channels)))
    whole = each // repeats * repeats
    wide = _Accumulator(np.tile(shift, repeats), limits)
    wide.add(rows[:whole].reshape(whole // repeats, repeats * channels))
    rest = _Accumulator(shift, limits)
    if whole < each:
        rest.add(rows[whole:])

    def by_channel(field: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return field.reshape(repeats, channels)

    return _Sums(
        shift=shift,
        minimum=np.minimum(by_channel(wide.minimum).min(axis=0), rest.minimum),
        maximum=np.maximum(by_channel(wide.maximum).max(axis=0), rest.maximum),
        total=by_channel(wide.total).sum(axis=0) + rest.total,
        squares=by_channel(wide.squares).sum(axis=0) + rest.squares,
        zeros=by_channel(wide.zeros).sum(axis=0) + rest.zeros,
        saturated=by_channel(wide.saturated).sum(axis=0) + rest.saturated,
    )


class _Accumulator:
    """Running sums of each column, block by block."""

    def __init__(self, shift: FloatArray, limits: Bounds) -> None:
        self.shift = shift
        self.limits = limits
        self.minimum = np.full(shift.shape, np.inf)
        self.maximum = np.full(shift.shape, -np.inf)
        self.total = np.zeros(shift.shape)
        self.squares = np.zeros(shift.shape)
        self.zeros = np.zeros(shift.shape, np.int64)
        self.saturated = np.zeros(shift.shape, np.int64)

    def add(self, rows: npt.NDArray[Any]) -> None:
        step = min(_MOST_ROWS, max(1, _BLOCK // max(1, len(self.shift))))
        buffer = np.empty((min(step, len(rows)), len(self.shift)))
        for first in range(0, len(rows), step):
            block = as_floats(rows[first : first + step])
            shifted = buffer[: len(block)]
            np.minimum(self.minimum, block.min(axis=0), out=self.minimum)
            np.maximum(self.maximum, block.max(axis=0), out=self.maximum)
            self.zeros += _count_true(block == 0)
            below, above = self.limits
            if above is not None:
                self.saturated += _count_true(block >= above)
            if below is not None:
                self.saturated += _count_true(block <= below)
            shifted[...] = block
            shifted -= self.shift
            self.total += np.add.reduce(shifted, axis=0)
            shifted *= shifted
            self.squares += np.add.reduce(shifted, axis=0)


def _sums_of_finite(rows: npt.NDArray[Any], limits: Bounds) -> tuple[_Sums, CountArray, CountArray]:
    """Like `_sums` for values with NaN or infinity among them; also counts these in each channel."""
    values = as_floats(rows)
    finite = np.isfinite(values)
    nan = np.isnan(values).sum(axis=0)
    missing = len(values) - finite.sum(axis=0)
    chosen = values[finite.argmax(axis=0), np.arange(values.shape[1])]
    fill = np.where(missing < len(values), chosen, 0).astype(values.dtype)
    # In place of what is not finite stands a value of the channel itself. It is also the shift, so the sums and the
    # extremes stay as they are; only the counts have to be corrected.
    sums = _sums(np.where(finite, values, fill), fill.astype(np.float64), limits)
    below, above = limits
    at_bound = np.zeros(len(fill), np.int64)
    if above is not None:
        at_bound += fill >= above
    if below is not None:
        at_bound += fill <= below
    zeros = sums.zeros - np.where(fill == 0, missing, 0)
    return replace(sums, zeros=zeros, saturated=sums.saturated - missing * at_bound), nan, missing - nan


def saturates(bounds: Bounds | None) -> bool:
    """Whether an activation function with these bounds can saturate."""
    return saturation_limits(bounds) != (None, None)


def saturation_limits(bounds: Bounds | None) -> Bounds:
    """The values from which on a value counts as being at the lower and at the upper bound."""
    if bounds is None:
        return None, None
    lower, upper = bounds
    above = upper - _NEAR * abs(upper) if upper else None
    if lower:
        return lower + _NEAR * abs(lower), above
    return (_NEAR if lower == 0 and upper == 1 else None), above


def _count_true(found: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """How many of at most `_MOST_ROWS` rows are true in each column."""
    counts: npt.NDArray[np.uint8] = np.add.reduce(found.view(np.uint8), axis=0, dtype=np.uint8)
    return counts
