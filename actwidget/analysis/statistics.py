"""The numbers that tell whether a layer is healthy: moments, zeros, dead and saturated channels, NaN and infinity."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.analysis.dtypes import CountArray, FloatArray
from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.moments import Bounds, ChannelMoments, channel_moments, saturates
from actwidget.errors import MissingPackageError

# Sums of the same numbers in another order differ by up to this share of their magnitude, from rounding.
_ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class ChannelStatistics:
    """Statistics of each channel, over its finite values.

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

    minimum: FloatArray
    maximum: FloatArray
    mean: FloatArray
    standard_deviation: FloatArray
    zeros: FloatArray
    nan: CountArray
    infinite: CountArray
    dead: npt.NDArray[np.bool_]
    constant: npt.NDArray[np.bool_]
    saturated: FloatArray | None


@dataclass(frozen=True, eq=False)
class Statistics:
    """Statistics of one layer's activation on one batch.

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
        """Give the statistics of each channel as a `pandas.DataFrame`, one row a channel.

        Raises:
            MissingPackageError: pandas is not installed.
        """
        pandas = MissingPackageError.unless_pandas("to_dict() gives the same without it.")
        columns = {field.name: getattr(self.per_channel, field.name) for field in fields(self.per_channel)}
        known = {name: column for name, column in columns.items() if column is not None}
        return pandas.DataFrame(known).rename_axis("channel")


@ignore_float_errors
def statistics(batch: npt.NDArray[Any], *, channel_axis: int = -1, bounds: Bounds | None = None) -> Statistics:
    """Describe one layer's activation.

    Args:
        batch: `(samples, ...)`, of any numeric dtype. One number a sample, `(samples,)`, counts as one channel.
        channel_axis: The axis of `batch` that holds the channels.
        bounds: Lower and upper bound of the activation function: `(0, 6)` for ReLU6, `(0, 1)` for a sigmoid,
            `(-1, 1)` for tanh. Values within a thousandth of the upper bound, or of a lower one, are saturated. A
            lower bound of 0 counts for the sigmoid's `(0, 1)` only: elsewhere it is a ReLU's, and `zeros` says it.

    Returns:
        The statistics, computed in float64.

    >>> batch = np.array([[0.0, 1.0], [0.0, 3.0]])
    >>> found = statistics(batch)
    >>> found.mean, found.zeros, found.dead, found.per_channel.maximum.tolist()
    (1.0, 0.5, 1, [0.0, 3.0])
    """
    return statistics_of(channel_moments(batch, channel_axis=channel_axis, bounds=bounds), bounds)


def statistics_of(moments: ChannelMoments, bounds: Bounds | None) -> Statistics:
    """Describe one layer's activation by the moments of its channels.

    Args:
        moments: Those of all values.
        bounds: The bounds with which they were computed.
    """
    rows, channels, finite = moments.rows, len(moments.mean), moments.finite
    known, can_saturate = finite > 0, saturates(bounds)
    with np.errstate(all="ignore"):
        dead = (moments.zeros == rows) & (rows > 0)
        rounding = 0.0 if moments.is_exact else _ROUNDING * np.maximum(-moments.minimum, moments.maximum)
        one_value = (moments.maximum - moments.minimum <= rounding) & (finite == rows) & (dead | (rows > 1))
        per_channel = ChannelStatistics(
            minimum=np.where(known, moments.minimum, np.nan),
            maximum=np.where(known, moments.maximum, np.nan),
            mean=moments.mean,
            standard_deviation=np.where(known, np.sqrt(moments.squares / finite), np.nan),
            zeros=moments.zeros / rows if rows else np.full(channels, np.nan),
            nan=moments.nan,
            infinite=moments.infinite,
            dead=dead,
            constant=one_value,
            saturated=None if not can_saturate else moments.saturated / rows if rows else np.full(channels, np.nan),
        )
        total = int(finite.sum())
        mean = float((moments.mean[known] * (finite[known] / total)).sum()) if total else math.nan
        squares = moments.squares[known] + finite[known] * (moments.mean[known] - mean) ** 2
        deviation = float(np.sqrt(squares.sum() / total)) if total else math.nan
    count = rows * channels
    return Statistics(
        count=count,
        samples=moments.samples,
        channels=channels,
        minimum=float(moments.minimum[known].min()) if total else math.nan,
        maximum=float(moments.maximum[known].max()) if total else math.nan,
        mean=mean,
        standard_deviation=deviation,
        zeros=float(moments.zeros.sum() / count) if count else math.nan,
        nan=int(moments.nan.sum()),
        infinite=int(moments.infinite.sum()),
        dead=int(dead.sum()),
        constant=int(one_value.sum()),
        saturated=None if not can_saturate else int(moments.saturated.sum()) / count if count else math.nan,
        bound=bounds,
        per_channel=per_channel,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
