"""How much two activations differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.analysis.dtypes import as_floats
from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.errors import InvalidInputsError

_GREATEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class Difference:
    """One activation minus another.

    Attributes:
        values: The second minus the first, in the shape of both; not finite where one of them is not.
        mean_absolute: Mean magnitude of the difference of each channel over the values that are finite in both,
            `(channels,)`; 0 where there are none.
        largest: The largest finite magnitude anywhere.
        nonfinite: int64 `(channels,)`, how many values differ and are NaN or infinite in at least one of the two.
        order: The channels: first those with such values, the most of them first, then those that differ most.
    """

    values: npt.NDArray[Any]
    mean_absolute: npt.NDArray[np.float64]
    largest: float
    nonfinite: npt.NDArray[np.int64]
    order: npt.NDArray[np.intp]


@ignore_float_errors
def difference(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> Difference:
    """Compares two activations of one shape, channels last.

    Args:
        first: `(..., channels)`.
        second: The same shape.

    Raises:
        InvalidInputsError: The shapes differ.

    >>> found = difference(np.array([[1.0, 2.0]]), np.array([[1.0, 5.0]]))
    >>> found.mean_absolute.tolist(), found.order.tolist(), found.largest
    ([0.0, 3.0], [1, 0], 3.0)
    >>> difference(np.array([[1.0, 2.0]]), np.array([[np.nan, 5.0]])).order.tolist()
    [0, 1]
    """
    if first.shape != second.shape:
        message = f"Expected two activations of one shape, got {first.shape} and {second.shape}."
        raise InvalidInputsError(message)
    one, other = as_floats(first), as_floats(second)
    channels = one.shape[-1] if one.ndim else 1
    values, nonfinite = _subtracted(one, other), np.zeros(channels, np.int64)
    magnitude = np.abs(values).reshape(-1, channels)
    known: Any = True
    if not np.isfinite(magnitude.max(initial=0.0)):
        # The difference of two float32 values can be more than float32 holds.
        values = _subtracted(one.astype(np.float64), other.astype(np.float64))
        magnitude = np.abs(values).reshape(-1, channels)
        known = np.isfinite(magnitude)
        unlike = ~known & ~_equal(one, other).reshape(-1, channels)
        nonfinite = unlike.sum(axis=0, dtype=np.int64)
    counts = len(magnitude) if known is True else known.sum(axis=0)
    mean = magnitude.sum(axis=0, dtype=np.float64, where=known) / np.maximum(counts, 1)
    largest = float(magnitude.max(initial=0.0, where=known))
    return Difference(
        values=values.astype(np.float32, copy=False) if largest <= _GREATEST else values,
        mean_absolute=mean,
        largest=largest,
        nonfinite=nonfinite,
        order=np.lexsort((-mean, -nonfinite)),
    )


def _subtracted(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> npt.NDArray[Any]:
    with np.errstate(invalid="ignore", over="ignore"):
        found: npt.NDArray[Any] = np.subtract(other, one, dtype=np.promote_types(one.dtype, np.float32))
        return found


def _equal(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Where both have the same value; NaN equals NaN."""
    same: npt.NDArray[np.bool_] = (one == other) | (np.isnan(one) & np.isnan(other))
    return same
