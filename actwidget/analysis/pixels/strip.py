"""A small picture of one layer, to be set below those of other layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.analysis.axes import depths
from actwidget.analysis.dtypes import as_floats
from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.nonfinite import finite_range
from actwidget.analysis.pixels.levels import GAP_LEVEL, Pixels, levels

STRIP_HEIGHT, STRIP_WIDTH = 40, 124
"""The size of a picture in pixels: that of three square maps."""
_GAP = 2
_BAR_CODE = 24


@ignore_float_errors
def strip(value: npt.NDArray[Any]) -> Pixels:
    """A small picture of a layer's values for one sample.

    Of feature maps it shows the most telling channels, as many as fit: those whose values have the highest standard
    deviation, where a channel with a single value has none; of volumes their middle slice. A sequence is one picture,
    steps from left to right and units from top to bottom, and a vector is a bar code. Each map, sequence and bar code
    goes over its own range of colours.

    Args:
        value: Numbers or flags, shape `(..., channels)`.

    Returns:
        Levels of a palette, shape `(STRIP_HEIGHT, STRIP_WIDTH)`; `GAP_LEVEL` where there is nothing.

    >>> strip(np.eye(4)).shape
    (40, 124)
    """
    picture = np.full((STRIP_HEIGHT, STRIP_WIDTH), GAP_LEVEL, np.uint8)
    value = as_floats(value)
    if not value.size:
        return picture
    if value.ndim < 2:
        picture[(STRIP_HEIGHT - _BAR_CODE) // 2 :][:_BAR_CODE] = _levels(resized(np.atleast_2d(value), 1, STRIP_WIDTH))
        return picture
    if value.ndim == 2:
        return _levels(resized(value.T, STRIP_HEIGHT, STRIP_WIDTH))
    for _ in depths(value.shape):
        value = value[(value.shape[0] - 1) // 2]
    if value.ndim != 3:
        value = value.reshape(*value.shape[:2], -1)
    height, width = value.shape[:2]
    tile = max(4, min(STRIP_WIDTH, round(STRIP_HEIGHT * width / height)))
    for place, channel in enumerate(telling_channels(value, (STRIP_WIDTH + _GAP) // (tile + _GAP))):
        left = place * (tile + _GAP)
        picture[:, left : left + tile] = _levels(resized(value[..., channel], STRIP_HEIGHT, tile))
    return picture


def telling_channels(value: npt.NDArray[Any], count: int) -> list[int]:
    """The channels with the highest standard deviation, at most so many; at least one, even if all are constant.

    Args:
        value: Shape `(..., channels)`.
        count: How many at most.

    >>> telling_channels(np.array([[0.0, 1.0, 5.0], [9.0, 1.0, 6.0]]), 3)
    [0, 2]
    """
    rows = value.reshape(-1, value.shape[-1]).astype(np.float64)
    spread = np.nan_to_num(np.where(np.isfinite(rows), rows, np.nan).std(axis=0), nan=0.0)
    order = np.argsort(-spread, kind="stable")[: max(1, count)].tolist()
    return [channel for channel in order if spread[channel] > 0] or order[:1]


def resized(values: npt.NDArray[Any], height: int, width: int) -> npt.NDArray[Any]:
    """An array of another size: means where there are several values for a pixel, else the nearest value.

    Args:
        values: Shape `(rows, columns)`.
        height: How many rows the result has.
        width: How many columns.

    >>> resized(np.array([[0.0, 2.0, 4.0, 6.0]]), 2, 2).tolist()
    [[1.0, 5.0], [1.0, 5.0]]
    """
    for axis, length in enumerate((height, width)):
        own = values.shape[axis]
        starts = np.arange(length) * own // length
        if own > length:
            ends = np.append(starts[1:], own)
            sums = np.add.reduceat(values, starts, axis=axis, dtype=np.float64)
            values = sums / np.expand_dims(ends - starts, 1 - axis)
        else:
            values = np.take(values, starts, axis=axis)
    return values


def _levels(values: npt.NDArray[Any]) -> Pixels:
    low, high = finite_range(values) or (0.0, 0.0)
    return levels(values, low, high)
