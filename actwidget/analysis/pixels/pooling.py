"""Maps reduced in size so that single large values stay visible."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.analysis.dtypes import as_floats


def magnitude_pooled(values: npt.NDArray[Any], size: tuple[int, int]) -> npt.NDArray[Any]:
    """Keep the value with the largest magnitude of each block of a map, with its sign.

    Args:
        values: One map or several, `(..., height, width)`, of any numeric dtype, with at least one value.
        size: The rows and columns of a block. Blocks at the lower and the right edge can be smaller.

    Returns:
        Floats `(..., ceil(height / rows), ceil(width / columns))`. A block with a NaN gives NaN; of two values with
        equal magnitude the positive one is kept.

    >>> magnitude_pooled(np.array([[1.0, -5.0, 2.0], [0.0, 4.0, -2.0]]), (2, 2)).tolist()
    [[-5.0, 2.0]]
    """
    values = as_floats(np.asarray(values))
    largest = _pooled(np.maximum, values, size)
    if not values.min() >= 0:  # false for NaN too
        smallest = _pooled(np.minimum, values, size)
        # A block with a NaN has NaN in both: the comparison is false, and the NaN stays.
        np.copyto(largest, smallest, where=largest < -smallest)
    return largest


def _pooled(choose: np.ufunc, values: npt.NDArray[Any], size: tuple[int, int]) -> npt.NDArray[Any]:
    rows, columns = size
    return _pooled_along(choose, _pooled_along(choose, values, rows, values.ndim - 2), columns, values.ndim - 1)


def _pooled_along(choose: np.ufunc, values: npt.NDArray[Any], length: int, axis: int) -> npt.NDArray[Any]:
    """Reduce each run of `length` values along an axis to one."""

    def every(first: int) -> tuple[slice, ...]:
        return (*[slice(None)] * axis, slice(first, None, length))

    # Whole slices, in the order of the memory: `reduceat` along such an axis is ten times slower.
    kept = values[every(0)].copy(order="K")
    for first in range(1, min(length, values.shape[axis])):
        part = values[every(first)]
        target = kept[(*[slice(None)] * axis, slice(part.shape[axis]))]
        choose(target, part, out=target)
    return kept
