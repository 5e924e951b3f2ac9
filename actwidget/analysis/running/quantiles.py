"""Quantiles of more values than are in memory at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.analysis.axes import floats
from actwidget.analysis.float_errors import any_errstate

Numbers = npt.NDArray[np.float64]

PRECISION = 2**-10
"""A quantile of very many values differs from the exact one by no more than this share of it."""
# Of float32 these many bits are counted: the sign, 8 of the exponent, and those of the fraction that `PRECISION` needs.
_BITS = 1 + 8 + 10
_DROPPED = 32 - _BITS
# Up to so many values are kept as they are: they take no more memory than the counts.
_KEPT = 2 ** (_BITS + 1)
_BLOCK = 262_144


class RunningQuantiles:
    """Quantiles of values that come in parts.

    They are exact for up to a million values. Of more it is counted how many have the same first bits as float32: as
    the bits of positive floats are in the order of the floats, each count is that of an interval.

    >>> running = RunningQuantiles()
    >>> running.update(np.array([3.0, np.nan, 1.0]))
    >>> running.update(np.array([2.0]))
    >>> running.result([0.0, 0.5, 1.0]).tolist()
    [1.0, 2.0, 3.0]
    """

    def __init__(self) -> None:
        """Nothing has come yet."""
        self._kept: list[npt.NDArray[Any]] = []
        self._size = 0
        self._counts: npt.NDArray[np.int64] | None = None
        self._ends = (np.inf, -np.inf)

    @property
    def nbytes(self) -> int:
        """The bytes of what is kept."""
        return sum(part.nbytes for part in self._kept) + (0 if self._counts is None else self._counts.nbytes)

    @any_errstate
    def update(self, values: npt.NDArray[Any]) -> None:
        """Takes values of any shape and any numeric dtype; NaN and infinities are left out."""
        line = floats(np.asarray(values).ravel(order="K"))
        finite = np.isfinite(line)
        line = line[finite] if not finite.all() else line
        if not line.size:
            return
        self._size += line.size
        self._ends = min(self._ends[0], float(line.min())), max(self._ends[1], float(line.max()))
        if self._counts is None and self._size <= _KEPT:
            self._kept.append(line.copy())
            return
        if self._counts is None:
            self._counts = np.zeros(2**_BITS, np.int64)
        for part in [*self._kept, line]:
            for start in range(0, part.size, _BLOCK):
                places = _place(part[start : start + _BLOCK])
                self._counts += np.bincount(places, minlength=len(self._counts))
        self._kept.clear()

    @any_errstate
    def result(self, shares: Sequence[float]) -> Numbers:
        """The quantiles for some shares, 0 to 1; NaN where no value has come.

        Between two values it is interpolated, as `numpy.quantile` does it.
        """
        if not self._size:
            return np.full(len(shares), np.nan)
        if self._counts is None:
            return np.asarray(np.quantile(np.concatenate(self._kept), shares), np.float64)
        ends = np.cumsum(self._counts)
        ranks = np.asarray(shares, np.float64) * (self._size - 1)
        places = np.searchsorted(ends, ranks, side="right")
        inside = (ranks - (ends[places] - self._counts[places]) + 0.5) / self._counts[places]
        lower, upper = _value(places), _value(places + 1)
        found: Numbers = np.clip(lower + inside * (upper - lower), *self._ends)
        found[np.abs(found) < np.finfo(np.float32).tiny] = 0.0  # the interval around 0 holds zeros
        return found


def _place(line: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The number of the interval in which each value lies."""
    limit = np.finfo(np.float32).max
    bits = np.clip(line, -limit, limit).astype(np.float32).view(np.int32).astype(np.int64)
    # The bits of a negative number grow with its magnitude; -0.0 is to lie where 0.0 lies.
    ordered = np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)
    return np.asarray((ordered + 2**31) >> _DROPPED, np.int64)


def _value(places: npt.NDArray[np.int64]) -> Numbers:
    """The least value of each interval."""
    ordered = np.minimum((places << _DROPPED) - 2**31, 0x7F7FFFFF)
    bits = np.abs(ordered).astype(np.int32)
    return np.asarray(np.where(ordered < 0, -1.0, 1.0) * bits.view(np.float32), np.float64)
