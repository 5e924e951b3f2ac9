"""The numbers that tell whether a layer is healthy: moments, zeros, dead and saturated channels, NaN and infinity."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.analysis.axes import floats
from actwidget.analysis.float_errors import any_errstate
from actwidget.errors import MissingPackageError

Bounds = tuple[float | None, float | None]
Numbers = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

# Values treated at a time: with their float64 copy they stay in a core's cache.
_BLOCK = 65_536
# Rows at a time: so many ones can be added up in a byte.
_MOST_ROWS = 255
# Narrower rows than this are joined, since numpy's cost is by the row.
_WIDTH = 256
_NEAR = 1e-3
# Of the magnitude: by so much sums of the same numbers differ that were rounded in another order.
_ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class ChannelStatistics:
    """Numbers of each channel, over its finite values.

    Attributes:
        minimum: float64 `(channels,)`; NaN for a channel with no finite value, as for the next three.
        maximum: float64 `(channels,)`.
        mean: float64 `(channels,)`.
        standard_deviation: float64 `(channels,)`, of the population.
        zeros: float64 `(channels,)`, the share of exact zeros among all values, 0 to 1.
        nan: int64 `(channels,)`, how many values are NaN.
        infinite: int64 `(channels,)`, how many values are infinite.
        dead: bool `(channels,)`, whether all values are exactly 0.
        constant: bool `(channels,)`, whether all values are finite and one, as in `Statistics.constant`.
        saturated: float64 `(channels,)`, the share of values at a bound, 0 to 1; None if no bound can saturate.
    """

    minimum: Numbers
    maximum: Numbers
    mean: Numbers
    standard_deviation: Numbers
    zeros: Numbers
    nan: Counts
    infinite: Counts
    dead: npt.NDArray[np.bool_]
    constant: npt.NDArray[np.bool_]
    saturated: Numbers | None


@dataclass(frozen=True, eq=False)
class Statistics:
    """Numbers of one layer's activation on one batch.

    Attributes:
        count: How many values, whatever they are.
        samples: Length of the batch.
        channels: Length of the channel axis.
        minimum: Over the finite values; NaN if there are none, as for the next three.
        maximum: Over the finite values.
        mean: Over the finite values.
        standard_deviation: Over the finite values, of the population.
        zeros: Share of exact zeros among all values, 0 to 1; NaN if there are no values.
        nan: How many values are NaN.
        infinite: How many values are infinite.
        dead: How many channels are exactly 0 over the whole batch.
        constant: How many channels have one and the same finite value throughout, dead ones among them. Fractions
            may differ by a millionth of their magnitude: how a processor rounds depends on a value's place in the
            batch. A channel of a single value is not counted, unless it is dead.
        saturated: Share of values at a bound, 0 to 1; None if no bound can saturate.
        bound: The bounds that were given, or None.
        per_channel: The same for each channel.
    """

    count: int
    samples: int
    channels: int
    minimum: float
    maximum: float
    mean: float
    standard_deviation: float
    zeros: float
    nan: int
    infinite: int
    dead: int
    constant: int
    saturated: float | None
    bound: Bounds | None
    per_channel: ChannelStatistics

    def to_dict(self) -> dict[str, Any]:
        """Give the numbers as plain Python values that go into JSON; what is not finite is None."""
        plain: dict[str, Any] = {
            field.name: _plain(getattr(self, field.name)) for field in fields(self) if field.name != "per_channel"
        }
        plain["per_channel"] = {
            field.name: _plain(getattr(self.per_channel, field.name)) for field in fields(self.per_channel)
        }
        return plain

    def to_frame(self) -> Any:
        """Give the numbers of each channel as a `pandas.DataFrame`, one row a channel.

        Raises:
            MissingPackageError: pandas is not installed.
        """
        try:
            pandas = import_module("pandas")  # an option: this room needs numpy alone
        except ImportError as error:
            message = "to_frame() needs pandas: pip install pandas. to_dict() gives the same without it."
            raise MissingPackageError(message) from error
        columns = {field.name: getattr(self.per_channel, field.name) for field in fields(self.per_channel)}
        known = {name: column for name, column in columns.items() if column is not None}
        return pandas.DataFrame(known).rename_axis("channel")


def statistics(batch: npt.NDArray[Any], *, channel_axis: int = -1, bounds: Bounds | None = None) -> Statistics:
    """Describe one layer's activation.

    Args:
        batch: `(samples, ...)`, of any numeric dtype. One number a sample, `(samples,)`, counts as one channel.
        channel_axis: The axis of `batch` that holds the channels.
        bounds: Lower and upper bound of the activation function: `(0, 6)` for ReLU6, `(0, 1)` for a sigmoid,
            `(-1, 1)` for tanh. Values within a thousandth of the upper bound, or of a lower one, are saturated. A
            lower bound of 0 counts for the sigmoid's `(0, 1)` only: elsewhere it is a ReLU's, and `zeros` says it.

    Returns:
        The numbers, computed in float64.

    >>> batch = np.array([[0.0, 1.0], [0.0, 3.0]])
    >>> numbers = statistics(batch)
    >>> numbers.mean, numbers.zeros, numbers.dead, numbers.per_channel.maximum.tolist()
    (1.0, 0.5, 1, [0.0, 3.0])
    """
    running = RunningStatistics(channel_axis=channel_axis, bounds=bounds)
    running.update(batch)
    return running.result()


class RunningStatistics:
    """Statistics of an activation that comes in parts: what `statistics` gives for all of it, but for rounding.

    Attributes:
        samples: How many samples have come.

    >>> running = RunningStatistics()
    >>> running.update(np.array([[0.0, 1.0]]))
    >>> running.update(np.array([[0.0, 3.0]]))
    >>> running.result().mean
    1.0
    """

    def __init__(self, *, channel_axis: int = -1, bounds: Bounds | None = None) -> None:
        """Nothing has come yet.

        Args:
            channel_axis: As for `statistics`.
            bounds: As for `statistics`.
        """
        self._channel_axis = channel_axis
        self._bounds = bounds
        self.samples = 0
        self._counted: _Counted | None = None

    @any_errstate
    def update(self, batch: npt.NDArray[Any]) -> None:
        """Takes some samples.

        Args:
            batch: `(samples, ...)`, as for `statistics`.
        """
        rows = np.moveaxis(batch, self._channel_axis, -1) if batch.ndim > 1 else batch.reshape(-1, 1)
        self.samples += len(batch)
        counted = _counts(rows.reshape(math.prod(rows.shape[:-1]), rows.shape[-1]), _limits(self._bounds))
        self._counted = counted if self._counted is None else self._counted.joined(counted)

    @any_errstate
    def merge(self, other: RunningStatistics) -> None:
        """Takes what another one took."""
        self.samples += other.samples
        if other._counted is not None:
            self._counted = other._counted if self._counted is None else self._counted.joined(other._counted)

    @any_errstate
    def result(self) -> Statistics:
        """The numbers of all that came.

        Raises:
            ValueError: Nothing has come.
        """
        if self._counted is None:
            message = "There are no numbers of nothing: update() takes samples."
            raise ValueError(message)
        return self._counted.statistics(self.samples, self._bounds)


@dataclass(frozen=True, eq=False)
class _Counted:
    """What is known of each channel of some rows; `squares` are those of the distances from the mean."""

    rows: int
    minimum: Numbers
    maximum: Numbers
    mean: Numbers
    squares: Numbers
    zeros: Counts
    saturated: Counts
    nan: Counts
    infinite: Counts
    is_exact: bool

    @property
    def finite(self) -> Counts:
        """How many values of each channel are finite."""
        return self.rows - self.nan - self.infinite

    def joined(self, other: _Counted) -> _Counted:
        """The same of both together, by Chan, Golub and LeVeque, Updating Formulae (1979), equations 2.1."""
        own, added = self.finite, other.finite
        together = np.maximum(own + added, 1)
        with np.errstate(all="ignore"):
            apart = np.where((own > 0) & (added > 0), other.mean - self.mean, 0.0)
            mean = np.where(own > 0, self.mean + apart * (added / together), other.mean)
            squares = self.squares + other.squares + apart**2 * (own * (added / together))
        return _Counted(
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

    def statistics(self, samples: int, bounds: Bounds | None) -> Statistics:
        """The numbers that are shown."""
        each, channels, finite = self.rows, len(self.mean), self.finite
        known, saturates = finite > 0, _limits(bounds) != (None, None)
        with np.errstate(all="ignore"):
            dead = (self.zeros == each) & (each > 0)
            apart = 0.0 if self.is_exact else _ROUNDING * np.maximum(-self.minimum, self.maximum)
            one_value = (self.maximum - self.minimum <= apart) & (finite == each) & (dead | (each > 1))
            per_channel = ChannelStatistics(
                minimum=np.where(known, self.minimum, np.nan),
                maximum=np.where(known, self.maximum, np.nan),
                mean=self.mean,
                standard_deviation=np.where(known, np.sqrt(self.squares / finite), np.nan),
                zeros=self.zeros / each if each else np.full(channels, np.nan),
                nan=self.nan,
                infinite=self.infinite,
                dead=dead,
                constant=one_value,
                saturated=None if not saturates else self.saturated / each if each else np.full(channels, np.nan),
            )
            number = int(finite.sum())
            average = float((self.mean[known] * (finite[known] / number)).sum()) if number else math.nan
            around = self.squares[known] + finite[known] * (self.mean[known] - average) ** 2
            deviation = float(np.sqrt(around.sum() / number)) if number else math.nan
        count = each * channels
        return Statistics(
            count=count,
            samples=samples,
            channels=channels,
            minimum=float(self.minimum[known].min()) if number else math.nan,
            maximum=float(self.maximum[known].max()) if number else math.nan,
            mean=average,
            standard_deviation=deviation,
            zeros=float(self.zeros.sum() / count) if count else math.nan,
            nan=int(self.nan.sum()),
            infinite=int(self.infinite.sum()),
            dead=int(dead.sum()),
            constant=int(one_value.sum()),
            saturated=None if not saturates else int(self.saturated.sum()) / count if count else math.nan,
            bound=bounds,
            per_channel=per_channel,
        )


def _counts(rows: npt.NDArray[Any], limits: Bounds) -> _Counted:
    """Go over `(rows, channels)`, twice where some values are not finite."""
    each, channels = rows.shape
    nan, infinite = np.zeros(channels, np.int64), np.zeros(channels, np.int64)
    with np.errstate(all="ignore"):
        first = floats(rows[0]).astype(np.float64) if each else np.zeros(channels)
        sums = _sums(rows, first, limits)
        if not (np.isfinite(sums.minimum).all() and np.isfinite(sums.maximum).all()) and rows.size:
            sums, nan, infinite = _sums_of_finite(rows, limits)
        finite = each - nan - infinite
        return _Counted(
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

    shift: Numbers
    minimum: Numbers
    maximum: Numbers
    total: Numbers
    squares: Numbers
    zeros: Counts
    saturated: Counts


def _sums(rows: npt.NDArray[Any], shift: Numbers, limits: Bounds) -> _Sums:
    """Go once over `(rows, channels)`.

    With a shift that is itself one of the channel's values, the variance loses at most the factor `rows` of float64's
    precision, however far from 0 the values are: `(shift - mean)**2` is no more than `rows` times the variance.
    """
    each, channels = rows.shape
    joined = max(1, -(-_WIDTH // max(1, channels)))
    whole = each // joined * joined
    wide = _Accumulator(np.tile(shift, joined), limits)
    wide.add(rows[:whole].reshape(whole // joined, joined * channels))
    rest = _Accumulator(shift, limits)
    if whole < each:
        rest.add(rows[whole:])

    def by_channel(field: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return field.reshape(joined, channels)

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

    def __init__(self, shift: Numbers, limits: Bounds) -> None:
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
            block = floats(rows[first : first + step])
            shifted = buffer[: len(block)]
            np.minimum(self.minimum, block.min(axis=0), out=self.minimum)
            np.maximum(self.maximum, block.max(axis=0), out=self.maximum)
            self.zeros += _true_in_each(block == 0)
            below, above = self.limits
            if above is not None:
                self.saturated += _true_in_each(block >= above)
            if below is not None:
                self.saturated += _true_in_each(block <= below)
            shifted[...] = block
            shifted -= self.shift
            self.total += np.add.reduce(shifted, axis=0)
            shifted *= shifted
            self.squares += np.add.reduce(shifted, axis=0)


def _sums_of_finite(rows: npt.NDArray[Any], limits: Bounds) -> tuple[_Sums, Counts, Counts]:
    """Like `_sums` for values with NaN or infinity among them; also counts these in each channel."""
    values = floats(rows)
    finite = np.isfinite(values)
    nan = np.isnan(values).sum(axis=0)
    missing = len(values) - finite.sum(axis=0)
    chosen = values[finite.argmax(axis=0), np.arange(values.shape[1])]
    fill = np.where(missing < len(values), chosen, 0).astype(values.dtype)
    # A value that the channel has changes neither its extremes nor the sums of what is left of it: only the counts.
    sums = _sums(np.where(finite, values, fill), fill.astype(np.float64), limits)
    below, above = limits
    at_bound = np.zeros(len(fill), np.int64)
    if above is not None:
        at_bound += fill >= above
    if below is not None:
        at_bound += fill <= below
    zeros = sums.zeros - np.where(fill == 0, missing, 0)
    return replace(sums, zeros=zeros, saturated=sums.saturated - missing * at_bound), nan, missing - nan


def _limits(bounds: Bounds | None) -> Bounds:
    """Give the values from which on a value counts as being at the lower and at the upper bound."""
    if bounds is None:
        return None, None
    lower, upper = bounds
    above = upper - _NEAR * abs(upper) if upper else None
    if lower:
        return lower + _NEAR * abs(lower), above
    return (_NEAR if lower == 0 and upper == 1 else None), above


def _true_in_each(found: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """How many of at most `_MOST_ROWS` rows are true in each column."""
    counts: npt.NDArray[np.uint8] = np.add.reduce(found.view(np.uint8), axis=0, dtype=np.uint8)
    return counts


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
