"""How far two activations are apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.analysis.axes import floats
from actwidget.errors import InvalidInputsError


@dataclass(frozen=True, eq=False)
class Difference:
    """One activation minus another.

    Attributes:
        values: The second minus the first, in the shape of both.
        mean_absolute: Mean magnitude of the difference of each channel, `(channels,)`.
        relative: The same divided by the first one's mean magnitude over all channels, `(channels,)`.
        largest: The largest magnitude anywhere.
        order: The channels, those that differ most first.
    """

    values: npt.NDArray[Any]
    mean_absolute: npt.NDArray[np.float64]
    relative: npt.NDArray[np.float64]
    largest: float
    order: npt.NDArray[np.intp]


def difference(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> Difference:
    """Compares two activations of one shape, channels last; what is not finite in one of them counts as no difference.

    Args:
        first: `(..., channels)`.
        second: The same shape.

    Raises:
        InvalidInputsError: The shapes differ.

    >>> found = difference(np.array([[1.0, 2.0]]), np.array([[1.0, 5.0]]))
    >>> found.mean_absolute.tolist(), found.order.tolist(), found.largest
    ([0.0, 3.0], [1, 0], 3.0)
    """
    if first.shape != second.shape:
        message = f"Expected two activations of one shape, got {first.shape} and {second.shape}."
        raise InvalidInputsError(message)
    one, other = floats(first), floats(second)
    with np.errstate(invalid="ignore", over="ignore"):
        values = np.subtract(other, one, dtype=np.promote_types(one.dtype, np.float32))
        magnitude = np.abs(values).reshape(-1, values.shape[-1] if values.ndim else 1)
        if not np.isfinite(magnitude.max(initial=0.0)):
            magnitude = np.where(np.isfinite(magnitude), magnitude, 0.0)
    mean = magnitude.mean(axis=0, dtype=np.float64) if magnitude.size else np.zeros(magnitude.shape[1])
    size = np.abs(one)
    finite = size if np.isfinite(size.max(initial=0.0)) else np.nan_to_num(size, posinf=0.0)
    scale = float(finite.mean(dtype=np.float64)) if one.size else 0.0
    return Difference(
        values=values.astype(np.float32, copy=False),
        mean_absolute=mean,
        relative=mean / scale if scale else np.where(mean > 0, np.inf, 0.0),
        largest=float(magnitude.max(initial=0.0)),
        order=np.argsort(-mean, kind="stable"),
    )
