"""Quantiles of more values than are in memory at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.analysis.dtypes import FloatArray
from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.nonfinite import finite_values

PRECISION = 2**-10
"""A quantile of very many values differs from the exact one by no more than this share of it."""
# So many first bits of a float32 name its interval: the sign, the exponent, and the fraction as far as `PRECISION`
# needs it.
_BITS = 1 + 8 + 10
_DROPPED = 32 - _BITS
# Up to this many values are kept themselves: they take no more memory than the counts.
_KEPT = 2 ** (_BITS + 1)
_BLOCK = 262_144


class RunningQuantiles:
    """Quantiles of values that come in parts.

    They are exact for up to a million values. More values are counted in intervals, one for each combination of the
    first bits of a float32: the bit patterns of positive floats are in the order of the floats.

    >>> running = RunningQuantiles()
    >>> running.update(np.array([3.0, np.nan, 1.0]))
    >>> running.update(np.array([2.0]))
    >>> running.result([0.0, 0.5, 1.0]).tolist()
    [1.0, 2.0, 3.0]
    """

    def __init__(self) -> None:
        """Starts without any values."""
        self._kept: list[npt.NDArray[Any]] = []
        self._size = 0
        self._counts: npt.NDArray[np.int64] | None = None
        self._range = (np.inf, -np.inf)

    @property
    def nbytes(self) -> int:
        """How many bytes the values or the counts take."""
        return sum(part.nbytes for part in self._kept) + (0 if self._counts is None else self._counts.nbytes)

    @ignore_float_errors
    def update(self, values: npt.NDArray[Any]) -> None:
        """Adds values of any shape and any numeric dtype; NaN and infinities are left out."""
        line, extremes = finite_values(values)
        if extremes is None:
            return
        self._size += line.size
        self._range = min(self._range[0], extremes[0]), max(self._range[1], extremes[1])
        if self._counts is None and self._size <= _KEPT:
            self._kept.append(line.copy())
            return
        if self._counts is None:
            self._counts = np.zeros(2**_BITS, np.int64)
        for part in [*self._kept, line]:
            for start in range(0, part.size, _BLOCK):
                intervals = _interval_of(part[start : start + _BLOCK])
                self._counts += np.bincount(intervals, minlength=len(self._counts))
        self._kept.clear()

    @ignore_float_errors
    def result(self, shares: Sequence[float]) -> FloatArray:
        """The quantiles for some shares, 0 to 1; NaN without any values.

        Between two values they are interpolated, as `numpy.quantile` does it.
        """
        if not self._size:
            return np.full(len(shares), np.nan)
        if self._counts is None:
            return np.asarray(np.quantile(np.concatenate(self._kept), shares), np.float64)
        ends = np.cumsum(self._counts)
        ranks = np.asarray(shares, np.float64) * (self._size - 1)
        intervals = np.searchsorted(ends, ranks, side="right")
        inside = (ranks - (ends[intervals] - self._counts[intervals]) + 0.5) / self._counts[intervals]
        lower, upper = _lower_end(intervals), _lower_end(intervals + 1)
        found: FloatArray = np.clip(lower + inside * (upper - lower), *self._range)
        found[np.abs(found) < np.finfo(np.float32).tiny] = 0.0  # the interval around 0 holds zeros
        return found


def _interval_of(line: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The number of the interval that each value lies in."""
    limit = np.finfo(np.float32).max
    bits = np.clip(line, -limit, limit).astype(np.float32).view(np.int32).astype(np.int64)
    # The bits of a negative number grow with its magnitude, so they are reversed; -0.0 then equals 0.0.
    ordered = np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)
    return np.asarray((ordered + 2**31) >> _DROPPED, np.int64)


def _lower_end(intervals: npt.NDArray[np.int64]) -> FloatArray:
    """The lowest value of each interval."""
    ordered = np.minimum((intervals << _DROPPED) - 2**31, 0x7F7FFFFF)
    bits = np.abs(ordered).astype(np.int32)
    return np.asarray(np.where(ordered < 0, -1.0, 1.0) * bits.view(np.float32), np.float64)
