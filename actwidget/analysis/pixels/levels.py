"""Values to levels of a palette, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.analysis.dtypes import as_floats
from actwidget.analysis.float_errors import ignore_float_errors

LEVELS = 254
"""How many levels there are for values, 0 to 253."""
NAN_LEVEL = 254
"""The level of NaN."""
GAP_LEVEL = 255
"""The level between the tiles, and where there is no tile."""

Pixels = npt.NDArray[np.uint8]

# So many values are quantised at a time: their float32 copy stays in a core's cache.
_BLOCK = 65_536


@ignore_float_errors
def levels(values: npt.NDArray[Any], low: npt.ArrayLike, high: npt.ArrayLike) -> Pixels:
    """Quantise values to the levels 0 to 253.

    Args:
        values: Numbers of any shape and any numeric dtype.
        low: The value of level 0: a number, or one for each index of the first axis.
        high: The value of level 253, like `low`. Where it is not above `low`, finite values are level 0.

    Returns:
        uint8, of the shape (and the order in memory) of `values`. What lies outside the range, infinities
        included, gets the level of the nearer end; NaN gets `NAN_LEVEL`.

    >>> levels(np.array([-1.0, 0.0, 0.5, 1.0, np.inf, np.nan]), 0, 1).tolist()
    [0, 0, 126, 253, 253, 254]
    """
    values = as_floats(np.asarray(values))
    shape, values = values.shape, np.atleast_1d(values)
    bottom, top = (_along_first(end, values.ndim) for end in (low, high))
    with np.errstate(all="ignore"):
        ranged = np.isfinite(bottom) & np.isfinite(top) & (top > bottom)
        shrink = 0.25 if bool((ranged & ~np.isfinite(top - bottom)).any()) else 1.0
        span = top * shrink - bottom * shrink
        # In float32 the start of the range must not lose digits that matter, nor the span leave what float32 holds.
        moderate = bool(((np.abs(bottom) < 100 * span) & (span > 1e-30) & (span < 1e38))[ranged].all())
    dtype: type[np.float32 | np.float64] = np.float32 if values.dtype == np.float32 and moderate else np.float64
    # Without a range the start is above all finite values, so that they become level 0; NaN and infinity stay.
    start = np.where(ranged, bottom * shrink, np.finfo(dtype).max).astype(dtype)
    span = np.where(ranged, span, 1.0).astype(dtype)

    # In the order of the memory, so that a channels-first view of a channels-last array is read sequentially.
    axes = sorted(range(values.ndim), key=lambda axis: -abs(values.strides[axis]))
    source = values.transpose(axes)
    result = np.empty(source.shape, np.uint8)
    if start.ndim:
        _quantise(source, start.transpose(axes), span.transpose(axes), shrink, result)
    elif source.flags.c_contiguous:
        _quantise(source.reshape(-1), start, span, shrink, result.reshape(-1))
    else:
        _quantise(source, start, span, shrink, result)
    return result.transpose(np.argsort(axes)).reshape(shape)


@ignore_float_errors
def values_of(levels: Pixels, low: npt.ArrayLike, high: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Give the value in the middle of each level: the inverse of `levels`, up to half a level.

    Args:
        levels: uint8 of any shape.
        low: The value of level 0: a number, or one for each index of the first axis.
        high: The value of level 253, like `low`.

    Returns:
        float64 of the same shape; NaN for `NAN_LEVEL` and `GAP_LEVEL`.

    >>> values_of(np.array([0, 253, 254, 255], dtype=np.uint8), -1, 1).tolist()
    [-1.0, 1.0, nan, nan]
    """
    bottom, top = (_along_first(end, levels.ndim) for end in (low, high))
    share = levels / (LEVELS - 1)
    # A weighted sum, as in low + share * (high - low) the difference of two huge ends would overflow.
    values = bottom * (1.0 - share) + top * share
    return np.asarray(np.where(levels < LEVELS, values, np.nan))


def _along_first(end: npt.ArrayLike, dimensions: int) -> npt.NDArray[np.float64]:
    """Shape one end of a range so that it broadcasts along the first axis of an array."""
    numbers = np.asarray(end, dtype=np.float64)
    return numbers.reshape(-1, *[1] * (dimensions - 1)) if numbers.ndim else numbers


def _quantise(
    source: npt.NDArray[Any], start: npt.NDArray[Any], span: npt.NDArray[Any], shrink: float, result: Pixels
) -> None:
    """Write the level of each value of `source` into `result`, block by block along the first axis."""
    inner = source.shape[1:]
    step = max(1, _BLOCK // max(1, int(np.prod(inner))))
    if start.ndim and start.shape[0] == 1:
        # With a value for each element of a row, numpy processes the row in one loop instead of one for each pixel.
        start, span = (np.broadcast_to(end, (1, *inner)).copy() for end in (start, span))
    buffer = np.empty((min(step, len(source)), *inner), start.dtype)
    with np.errstate(all="ignore"):
        for first in range(0, len(source), step):
            part = slice(first, first + step)
            ends = (start[part], span[part]) if start.ndim and start.shape[0] > 1 else (start, span)
            block = source[part]
            scaled = buffer[: len(block)]
            if shrink != 1.0:
                block = np.multiply(block, shrink, dtype=scaled.dtype)
            np.subtract(block, ends[0], out=scaled, dtype=scaled.dtype)
            np.divide(scaled, ends[1], out=scaled)
            np.multiply(scaled, LEVELS - 1, out=scaled)
            np.maximum(scaled, 0, out=scaled)
            np.minimum(scaled, LEVELS - 1, out=scaled)
            np.rint(scaled, out=scaled)
            line = scaled.reshape(-1)
            # All values are in 0..253 or NaN by now, so their dot product is NaN only if one of them is.
            if np.isnan(np.dot(line, line)):
                np.copyto(scaled, NAN_LEVEL, where=np.isnan(scaled))
            result[part] = scaled
