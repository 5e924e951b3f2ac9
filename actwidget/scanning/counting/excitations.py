"""The samples of a batch that excite a channel more than those which are kept already."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from actwidget.scanning.counting.batch_sums import Block, largest_of

Array = npt.NDArray[Any]

# Where no more than one column in so many has a value that is large enough, only these are looked through.
_RARE = 8


class Excitations(NamedTuple):
    """Pairs of a sample and a channel, with the largest value of this in that.

    Attributes:
        channels: int `(pairs,)`.
        values: float64 `(pairs,)`, the largest finite value.
        samples: int `(pairs,)`, the place of the sample in the batch.
        positions: int `(pairs,)`, where the value stands first in the map, in row-major order.
    """

    channels: Array
    values: Array
    samples: Array
    positions: Array


def excitations(block: Block, entering: Array, least: Array, top: int) -> Excitations | None:
    """Those of a block from some values on, and of each channel at least the ones that are going to be kept, if any.

    Args:
        block: The samples, of finite values and minus infinity.
        entering: The channels that are asked for, `(k,)`.
        least: float64 `(k,)`, from which value on.
        top: How many of each channel are going to be kept.
    """
    if block.high is not None:
        lines = np.full(block.rows.shape[-1], np.inf)
        lines[entering] = least
        columns = np.flatnonzero(block.high.reshape(-1, len(lines)) >= lines)
        if not len(columns):
            return None
        if len(columns) <= len(block.high) // _RARE:
            return _from_columns(block.rows, len(block.high), columns, lines)
    return _from_largest(block.rows, entering, least, top)


def _from_columns(rows: Array, width: int, columns: Array, lines: Array) -> Excitations | None:
    """As `excitations`, where the few columns of the block are known in which there are some."""
    _, positions, channels = rows.shape
    values = rows.reshape(-1, width)[:, columns]
    row, column = np.nonzero((values >= lines[columns % channels]) & (values > -np.inf))
    if not len(row):
        return None
    found, place = values[row, column].astype(np.float64), row * width + columns[column]
    step, channel = np.divmod(place, channels)
    sample, position = np.divmod(step, positions)
    order = np.lexsort((position, -found, channel, sample))
    pair = (sample * channels + channel)[order]
    order = order[np.flatnonzero(np.diff(pair, prepend=-1))]
    return Excitations(channel[order], found[order], sample[order], position[order])


def _from_largest(rows: Array, entering: Array, least: Array, top: int) -> Excitations | None:
    """As `excitations`, from the largest value of each sample and channel."""
    largest = largest_of(rows).astype(np.float64)[:, entering]
    found = (largest >= least) & (largest > -np.inf)
    if np.count_nonzero(found) > top * len(entering):
        best = np.argsort(-largest, axis=0, kind="stable")[:top]  # of equal ones the first
        chosen = np.zeros_like(found)
        np.put_along_axis(chosen, best, values=True, axis=0)
        found &= chosen
    sample, column = np.nonzero(found)
    if not len(sample):
        return None
    channel = entering[column]
    positions = rows[sample, :, channel].argmax(axis=1)
    return Excitations(channel, largest[sample, column], sample, positions)
