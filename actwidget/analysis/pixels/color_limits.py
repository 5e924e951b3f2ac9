"""The range that a colour scale spans without a few extreme values, and how many values it leaves out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.nonfinite import finite_values

PERCENTILES = (0.1, 99.9)
# Of more values, about `_PART` of them first show where the tails begin.
_MANY = 20_000
_PART = 5_000


@dataclass(frozen=True)
class Limits:
    """The range of a colour scale.

    Attributes:
        low: The value of the first colour.
        high: The value of the last colour; equal to `low` where all values are equal.
        below: Share of the finite values that are below `low`, 0 to 1.
        above: Share of the finite values that are above `high`, 0 to 1.
        diverging: Whether there are values of both signs; then `low` is `-high`.
        percentiles: Those that the range was asked for.
    """

    low: float
    high: float
    below: float
    above: float
    diverging: bool
    percentiles: tuple[float, float]

    @property
    def clipped(self) -> bool:
        """Whether there are values outside of the range."""
        return self.below > 0 or self.above > 0


@ignore_float_errors
def limits(values: npt.NDArray[Any], percentiles: tuple[float, float] = PERCENTILES) -> Limits:
    """Find the range between two percentiles of the finite values.

    Args:
        values: Numbers of any shape and any numeric dtype; NaN and infinities are left out.
        percentiles: The lower and the upper, 0 to 100. `(0, 100)` spans everything.

    Returns:
        The range from the value at the lower percentile, or the next below it, to the value at the upper percentile,
        or the next above it. For values of both signs zero is in the middle of the range, which reaches to the farther
        of the two. Where both ends are equal but the values are not (a few spikes among zeros), the range spans all
        values. Without finite values it is 0 to 1.

    >>> found = limits(np.concatenate([np.linspace(0, 1, 9_999), [500.0]]))
    >>> round(found.high, 3), found.above, found.diverging
    (0.999, 0.0009, False)
    >>> limits(np.array([-1.0, 0.0, 3.0])).low
    -3.0
    """
    line, extremes = finite_values(values)
    if extremes is None:
        return Limits(0.0, 1.0, 0.0, 0.0, diverging=False, percentiles=percentiles)
    least, most = extremes
    last = line.size - 1
    low = _value_at_rank(line, int(np.floor(percentiles[0] / 100 * last)))
    high = -_value_at_rank(-line, last - int(np.ceil(percentiles[1] / 100 * last)))
    if low == high:
        low, high = least, most
    diverging = least < 0 < most
    if diverging:
        high = max(abs(low), abs(high))
        low = -high
    return Limits(
        low=low,
        high=high,
        below=float(np.count_nonzero(line < low) / line.size) if least < low else 0.0,
        above=float(np.count_nonzero(line > high) / line.size) if most > high else 0.0,
        diverging=diverging,
        percentiles=percentiles,
    )


def _value_at_rank(line: npt.NDArray[Any], rank: int) -> float:
    """The value of a rank, 0 for the smallest; for the tails faster than `numpy.partition` of all values."""
    if rank == 0:
        return float(line.min())
    if line.size > _MANY:
        part = np.sort(line[:: line.size // _PART])
        # A threshold somewhat above the expected value: only the values below it have to be partitioned.
        place = min(int(len(part) * (rank + 1) / line.size * 1.2) + 30, len(part) - 1)
        tail = line[line <= part[place]]
        if len(tail) > rank:
            if tail.max() == tail.min():
                return float(tail[0])
            line = tail
    return float(np.partition(line, rank)[rank])
