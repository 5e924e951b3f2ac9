"""What the axes of one layer's output mean: feature maps, units, a sequence, a volume, one number, or no numbers."""

from __future__ import annotations

from math import prod
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from actwidget.analysis.dtypes import as_floats, is_numeric

Kind = Literal["maps", "units", "sequence", "volume", "scalar", "values"]
"""What one sample of a layer's output is; `kind_of` says which shape is which."""

_KINDS: dict[int, Kind] = {0: "scalar", 1: "units", 2: "sequence", 3: "maps"}


def kind_of(shape: tuple[int, ...], dtype: Any) -> Kind:
    """Say what one sample of a layer's output is.

    Args:
        shape: The shape of one sample, the batch axis removed.
        dtype: Its dtype, or the name of it.

    Returns:
        `"scalar"` for `()`, `"units"` for `(n,)`, `"sequence"` for `(steps, units)`, `"maps"` for three axes,
        `"volume"` for four or more, and `"values"` for what is not numeric, whatever its shape.

    >>> kind_of((112, 112, 96), "float32")
    'maps'
    >>> kind_of((2,), "string")
    'values'
    """
    if not is_numeric(dtype):
        return "values"
    return _KINDS.get(len(shape), "volume")


def channels(
    sample: npt.NDArray[Any], *, channels_last: bool = True, at: tuple[int, ...] | None = None
) -> npt.NDArray[Any]:
    """Arrange one sample as one small picture for each channel.

    Args:
        sample: One sample, without the batch axis: `()`, `(n,)`, `(steps, units)`, `(height, width, channels)`
            or `(..., height, width, channels)`.
        channels_last: False when the channel axis comes first (sequences, maps and volumes only).
        at: Of a volume the slice, an index for each axis that `depths` names; by default the middle.

    Returns:
        An array `(channel, height, width)`; a view of `sample` unless half precision was widened to float32.
        Units are `(n, 1, 1)`, a sequence is `(units, 1, steps)`, a scalar `(1, 1, 1)`, and of a volume it is the
        chosen slice.

    Raises:
        IndexError: There is no slice `at`.
        TypeError: `sample` is not numeric (`kind_of` is `"values"`).

    >>> channels(np.zeros((7, 5, 3))).shape
    (3, 7, 5)
    >>> channels(np.zeros((10, 4))).shape
    (4, 1, 10)
    """
    sample = np.asarray(sample)
    kind = kind_of(sample.shape, sample.dtype)
    if kind == "values":
        message = f"Expected a numeric sample, got dtype {sample.dtype}. Show its values as text instead."
        raise TypeError(message)
    if kind in {"scalar", "units"}:
        return _widened(sample.reshape(-1, 1, 1))
    if kind == "sequence":
        by_channel = sample.T if channels_last else sample
        return _widened(by_channel[:, np.newaxis, :])
    by_channel = np.moveaxis(sample, -1, 0) if channels_last else sample
    leading = by_channel.shape[1:-2]
    if 0 in leading:
        return _widened(np.empty((by_channel.shape[0], 0, 0), sample.dtype))
    chosen: list[slice | int] = [slice(None), *_slice_index(leading, at)]
    return _widened(by_channel[tuple(chosen)])


def depths(shape: tuple[int, ...], *, channels_last: bool = True) -> tuple[int, ...]:
    """Give the lengths of the axes along which a slice of a volume is chosen: depth, or time.

    Args:
        shape: The shape of one sample, the batch axis removed.
        channels_last: False when the channel axis comes first.

    Returns:
        One length for each axis before height and width; empty where `channels` shows everything.

    >>> depths((8, 32, 32, 16)), depths((32, 32, 16)), depths((16, 8, 32, 32), channels_last=False)
    ((8,), (), (8,))
    """
    return shape[:-3] if channels_last else shape[1:-2]


def slice_label(shape: tuple[int, ...], *, channels_last: bool = True, at: tuple[int, ...] | None = None) -> str:
    """Say which slice of a volume `channels` shows.

    Args:
        shape: The shape of one sample, the batch axis removed.
        channels_last: False when the channel axis comes first.
        at: The slice, as for `channels`.

    Returns:
        Words for a title, counted from 0. Where slices are chosen along several axes, they are numbered in row-major
        order, and the index along each axis is added. Empty when everything is shown.

    >>> slice_label((8, 32, 32, 16))
    'slice 3 (0 to 7)'
    >>> slice_label((2, 9, 32, 32, 16))
    'slice 4 (0 to 17), at 0, 4 of 2 × 9'
    >>> slice_label((8, 32, 32, 16), at=(0,))
    'slice 0 (0 to 7)'
    >>> slice_label((32, 32, 16))
    ''
    """
    leading = depths(shape, channels_last=channels_last)
    if prod(leading) <= 1:
        return ""
    index, count = _slice_index(leading, at), prod(leading)
    words = f"slice {int(np.ravel_multi_index(index, leading))} (0 to {count - 1})"
    if len(leading) == 1:
        return words
    return f"{words}, at {', '.join(map(str, index))} of {' × '.join(map(str, leading))}"


def _slice_index(leading: tuple[int, ...], at: tuple[int, ...] | None) -> tuple[int, ...]:
    """The index of a slice along each axis, none of them negative."""
    if at is None:
        return tuple((size - 1) // 2 for size in leading)
    if len(at) != len(leading) or any(not -size <= index < size for index, size in zip(at, leading, strict=True)):
        message = f"Expected a slice as an index for each axis of {leading}, got {at}."
        raise IndexError(message)
    return tuple(index % size for index, size in zip(at, leading, strict=True))


def _widened(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return values if values.dtype.kind in "iub" or values.dtype.itemsize >= 4 else as_floats(values)
