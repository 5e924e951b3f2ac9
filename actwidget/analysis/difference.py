"""How far two activations are apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.analysis.axes import floats
from actwidget.analysis.float_errors import any_errstate
from actwidget.errors import InvalidInputsError

_GREATEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class Difference:
    """One activation minus another.

    Attributes:
        values: The second minus the first, in the shape of both; not finite where one of them is not.
        mean_absolute: Mean magnitude of the difference of each channel over the values that are finite in both,
            `(channels,)`; 0 where there are none.
        relative: The same divided by the first one's mean magnitude over all channels, `(channels,)`.
        largest: The largest finite magnitude anywhere.
        broken: int64 `(channels,)`, how many values are NaN or infinite in one of the two and another in the other.
        order: The channels: first those with broken values, the most of them first, then those that differ most.
    """

    values: npt.NDArray[Any]
    mean_absolute: npt.NDArray[np.float64]
    relative: npt.NDArray[np.float64]
    largest: float
    broken: npt.NDArray[np.int64]
    order: npt.NDArray[np.intp]


@any_errstate
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
    one, other = floats(first), floats(second)
    channels = one.shape[-1] if one.ndim else 1
    values, broken = _apart(one, other), np.zeros(channels, np.int64)
    magnitude = np.abs(values).reshape(-1, channels)
    known: Any = True
    if not np.isfinite(magnitude.max(initial=0.0)):
        # Two values of float32 can be further apart than float32 holds.
        values = _apart(one.astype(np.float64), other.astype(np.float64))
        magnitude = np.abs(values).reshape(-1, channels)
        known = np.isfinite(magnitude)
        unlike = ~known & ~_same(one, other).reshape(-1, channels)
        broken = unlike.sum(axis=0, dtype=np.int64)
    counts = len(magnitude) if known is True else known.sum(axis=0)
    mean = magnitude.sum(axis=0, dtype=np.float64, where=known) / np.maximum(counts, 1)
    size = np.abs(one)
    finite = size if np.isfinite(size.max(initial=0.0)) else size[np.isfinite(size)]
    scale = float(finite.mean(dtype=np.float64)) if finite.size else 0.0
    largest = float(magnitude.max(initial=0.0, where=known))
    return Difference(
        values=values.astype(np.float32, copy=False) if largest <= _GREATEST else values,
        mean_absolute=mean,
        relative=mean / scale if scale else np.where(mean > 0, np.inf, 0.0),
        largest=largest,
        broken=broken,
        order=np.lexsort((-mean, -broken)),
    )


def _apart(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> npt.NDArray[Any]:
    with np.errstate(invalid="ignore", over="ignore"):
        found: npt.NDArray[Any] = np.subtract(other, one, dtype=np.promote_types(one.dtype, np.float32))
        return found


def _same(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Where both are one value, NaN among them."""
    same: npt.NDArray[np.bool_] = (one == other) | (np.isnan(one) & np.isnan(other))
    return same
