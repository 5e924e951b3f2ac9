"""The numbers of each kernel, or of each column of a matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.analysis.dtypes import FloatArray, as_floats
from actwidget.analysis.float_errors import ignore_float_errors


@dataclass(frozen=True, eq=False)
class EntryStatistics:
    """The numbers of each entry of a weight's last axis: of each kernel, or of each column of a matrix.

    NaN and infinity are left out, and where an entry has nothing else its numbers are NaN. All have the shape
    `(entries,)`.

    Attributes:
        minimum: The least value.
        maximum: The greatest value.
        total: The sum of the values.
        squares: The sum of their squares.
        zeros: How many are exactly 0.
        nan: How many are NaN.
        infinite: How many are infinite.
        size: How many values an entry has.
    """

    minimum: FloatArray
    maximum: FloatArray
    total: FloatArray
    squares: FloatArray
    zeros: npt.NDArray[np.int64]
    nan: npt.NDArray[np.int64]
    infinite: npt.NDArray[np.int64]
    size: int

    @property
    def norm(self) -> FloatArray:
        """The Euclidean norm: the root of the sum of the squares."""
        return np.sqrt(self.squares)

    @property
    def range(self) -> tuple[float, float]:
        """The least and the greatest of all finite values; NaN where there is none."""
        if np.isnan(self.minimum).all():
            return np.nan, np.nan
        return float(np.nanmin(self.minimum)), float(np.nanmax(self.maximum))


_BLOCK = 262_144
"""Values treated at a time: they stay in a core's cache."""


@ignore_float_errors
def entry_statistics(weight: npt.NDArray[Any]) -> EntryStatistics:
    """Count the values of each entry of the last axis; only small parts of a large weight are copied at a time.

    Args:
        weight: `(values, entries)`.

    >>> found = entry_statistics(np.array([[3.0, 0.0], [-4.0, np.nan]]))
    >>> found.norm.tolist(), found.zeros.tolist(), found.nan.tolist(), found.range
    ([5.0, 0.0], [0, 1], [0, 1], (-4.0, 3.0))
    """
    size, entries = weight.shape
    low, high = np.full(entries, np.nan), np.full(entries, np.nan)
    total, squares = np.zeros(entries), np.zeros(entries)
    zeros, nan, infinite = (np.zeros(entries, np.int64) for _ in range(3))
    rows = max(1, _BLOCK // max(1, entries))
    for start in range(0, size, rows):
        block = as_floats(weight[start : start + rows])
        finite = np.isfinite(block)
        if not finite.all():
            missing = np.isnan(block).sum(axis=0)
            nan += missing
            infinite += (~finite).sum(axis=0) - missing
            block = np.where(finite, block, np.nan)
        low, high = np.fmin(low, np.fmin.reduce(block)), np.fmax(high, np.fmax.reduce(block))
        total += np.nansum(block, axis=0, dtype=np.float64)
        squares += np.nansum(np.square(block, dtype=np.float64), axis=0)
        zeros += (block == 0).sum(axis=0)
    return EntryStatistics(low, high, total, squares, zeros, nan, infinite, size)


def ranks(values: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The place of each value among all, 1 for the largest; NaN comes last, and equal values share a place.

    >>> ranks(np.array([0.5, 2.0, np.nan, 2.0])).tolist()
    [3, 1, 4, 1]
    """
    keys = np.where(np.isnan(values), -np.inf, values)
    return np.searchsorted(np.sort(-keys), -keys, side="left").astype(np.int64) + 1
