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
    with np.errstate(invalid="ignore"):
        values = floats(second).astype(np.float64) - floats(first)
    magnitude = np.abs(np.where(np.isfinite(values), values, 0.0)).reshape(-1, values.shape[-1] if values.ndim else 1)
    mean = magnitude.mean(axis=0) if magnitude.size else np.zeros(magnitude.shape[1])
    scale = float(np.abs(np.nan_to_num(floats(first), posinf=0.0, neginf=0.0)).mean()) if first.size else 0.0
    return Difference(
        values=values.astype(np.float32),
        mean_absolute=mean,
        relative=mean / scale if scale else np.where(mean > 0, np.inf, 0.0),
        largest=float(magnitude.max(initial=0.0)),
        order=np.argsort(-mean, kind="stable"),
    )
