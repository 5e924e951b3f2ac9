"""Indices into feature maps and other arrays, many at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from actwidget.capture.run.conversion import Array


def grid(*axes: Sequence[int] | Array) -> Array:
    """All combinations of indices along some axes, shape `(combinations, axes)`, the last axis fastest."""
    if not axes:
        return np.zeros((1, 0), int)
    return np.stack([each.ravel() for each in np.meshgrid(*map(np.asarray, axes), indexing="ij")], axis=-1).astype(int)


def is_channels_first(layer: Any) -> bool:
    """Whether the channels are on the axis behind the samples."""
    return getattr(layer, "data_format", None) == "channels_first"


def split_index(index: Sequence[int], *, first: bool) -> tuple[int, tuple[int, ...], int]:
    """The sample, the position and the channel of an index into feature maps.

    >>> split_index((0, 5, 6, 2), first=False), split_index((0, 2, 5, 6), first=True)
    ((0, (5, 6), 2), (0, (5, 6), 2))
    """
    sample, *rest = index
    channel = rest.pop(0 if first else -1)
    return sample, tuple(rest), channel


def joined_index(sample: int, positions: Array, channels: Array, *, first: bool) -> Array:
    """Indices into feature maps: each position with the channel beside it."""
    samples = np.full((len(positions), 1), sample)
    columns = [samples, channels[:, None], positions] if first else [samples, positions, channels[:, None]]
    return np.concatenate(columns, axis=1)


def spatial(shape: Sequence[int], *, first: bool) -> tuple[int, ...]:
    """The lengths of the spatial axes of feature maps."""
    return tuple(shape[2:] if first else shape[1:-1])


def broadcast_index(index: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The index in an array that is broadcast to another shape.

    >>> broadcast_index((4, 2, 1), (3, 1)), broadcast_index((4, 2), ())
    ((2, 0), ())
    """
    behind = index[len(index) - len(shape) :]
    return tuple(0 if length == 1 else each for each, length in zip(behind, shape, strict=True))
