"""A batch that goes through a model in parts, where that gives what the whole batch would give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from actwidget.capture.forward import Array, as_array, is_shared

if TYPE_CHECKING:
    from actwidget.capture.inputs import Batch

TRIED = 8
"""So many samples, from all over the batch, are run by themselves to see whether a layer treats samples alike."""
ROUNDING = {16: 1e-2, 32: 1e-4, 64: 1e-9}
"""By how much of a channel's largest value numbers may differ that were rounded in another order, by a float's bits."""


@dataclass(frozen=True)
class Row:
    """What a layer gave for one sample.

    Attributes:
        value: Its values, without the axis of the samples.
        mask: Where Keras's mask says that a step counts, shape `(steps,)`; `None` where there is no mask.
        samples: How many samples the layer's activation has: 1 where it has no such axis, and `value` is all of it.
    """

    value: Array
    mask: Array | None
    samples: int


@dataclass(frozen=True)
class Captured:
    """One activation.

    Attributes:
        value: Its values, shape `(samples, ...)`.
        mask: Where Keras's mask says that a step counts, shape `(samples, steps)`; `None` where there is no mask.
        parts: In how many parts the batch went through the model.
        is_all: Whether `value` is all that the layer gave. A ragged, sparse or bfloat16 tensor is more than the array
            that shows it, and so is one with a mask: no layer behind it can be computed from the array.
    """

    value: Array
    mask: Array | None = None
    parts: int = 1
    is_all: bool = False

    @classmethod
    def of(cls, tensor: Any) -> Captured:
        """What a layer gave."""
        mask = getattr(tensor, "_keras_mask", None)
        value = as_array(tensor)
        plain = isinstance(tensor, tf.Tensor) and value.dtype.kind in "biufc"
        return cls(
            value,
            None if mask is None else as_array(mask),
            is_all=plain and mask is None and tensor.dtype.as_numpy_dtype == value.dtype,
        )

    @property
    def nbytes(self) -> int:
        """The bytes of the values and the mask."""
        return self.value.nbytes + (0 if self.mask is None else self.mask.nbytes)

    def row(self, sample: int, size: int) -> Row:
        """That of one sample of a batch of `size`; all of it where there is no axis of samples."""
        if not self.value.ndim or len(self.value) != size:
            return Row(self.value, self.mask, 1)
        mask = None if self.mask is None or len(self.mask) != size else self.mask[sample]
        return Row(self.value[sample, ...], mask, size)


class Joined:
    """The activation of a whole batch, filled up part by part: it takes no more memory than it will have."""

    def __init__(self, size: int) -> None:
        """Expects the parts of `size` samples."""
        self._size = size
        self._value: Array | None = None
        self._mask: Array | None = None
        self._parts = 0
        self._is_all = True

    def add(self, start: int, part: Captured) -> None:
        """Puts in the part that begins with the sample `start`."""
        if self._value is None:
            self._value = np.empty((self._size, *part.value.shape[1:]), part.value.dtype)
            self._mask = None if part.mask is None else np.empty((self._size, *part.mask.shape[1:]), part.mask.dtype)
        stop = start + len(part.value)
        self._value[start:stop] = part.value
        if self._mask is not None and part.mask is not None:
            self._mask[start:stop] = part.mask
        self._parts += 1
        self._is_all &= part.is_all

    @property
    def has_parts(self) -> bool:
        """Whether any part is in."""
        return self._value is not None

    @property
    def captured(self) -> Captured:
        """The whole, once all parts are in."""
        if self._value is None:
            message = "No part of the batch is there."
            raise ValueError(message)
        return Captured(self._value, self._mask, self._parts, self._is_all)


class Parts:
    """Looks at the values of one part after the other: are they those that the whole batch would give?

    A value is put together from parts only if its first axis is that of the samples. Whether a layer treats samples
    alike shows in some samples from all over the batch that are run by themselves, without those before and behind
    them: what depends on the others, or on how many there are, gives another value.
    """

    def __init__(self, size: int, rows: int, tried: Mapping[str, Captured]) -> None:
        """Expects parts.

        Args:
            size: How many samples the whole batch has.
            rows: How many of them each part has; the last may have fewer.
            tried: What the samples of `trial` gave by themselves; empty where no trial is needed.
        """
        self._rows = rows
        self._size = size
        self._tried = tried
        self._samples = trial(size, rows)
        self._first: dict[str, tuple[tuple[int, ...], bool]] = {}

    def fits(self, path: str, start: int, part: Captured) -> bool:
        """Whether a part of a node's value, from the sample `start` on, can be one of the whole."""
        value, rows = part.value, min(self._rows, self._size - start)
        if not value.ndim or len(value) != rows:
            return False
        form = value.shape[1:], part.mask is None
        if self._first.setdefault(path, form) != form or (part.mask is not None and len(part.mask) != rows):
            return False
        return path not in self._tried or self._agrees(self._tried[path], start, part)

    def _agrees(self, alone: Captured, start: int, part: Captured) -> bool:
        if not alone.value.ndim or len(alone.value) != len(self._samples):
            return False
        here = [(row, each - start) for row, each in enumerate(self._samples) if start <= each < start + self._rows]
        own, there = [row for row, _ in here], [row for _, row in here]
        pairs = [(alone.value, part.value)]
        if (alone.mask is None) != (part.mask is None):
            return False
        if alone.mask is not None and part.mask is not None:
            pairs.append((alone.mask, part.mask))
        return all(one.shape[1:] == other.shape[1:] and is_close(one[own], other[there]) for one, other in pairs)


def trial(size: int, rows: int) -> list[int]:
    """The samples to try by themselves: from all over the batch, and another number of them than go through at a time.

    >>> trial(64, 32), trial(7, 3), trial(4, 1)
    ([4, 12, 20, 28, 36, 44, 52, 60], [1, 5], [1, 3])
    """
    count = min(TRIED, rows - 1 if rows > 2 else rows + 1)  # of one alone nothing would be missing on one side
    return sorted({(2 * each + 1) * size // (2 * count) for each in range(count)})


def chosen(batch: Batch, samples: Sequence[int]) -> Any:
    """What the model is given of some samples, in the structure of its inputs."""
    each = [batch.rows(sample, sample + 1) for sample in samples]
    return each[0] if len(each) == 1 else keras.tree.map_structure(_stacked, *each)


def alone(batch: Batch, samples: Sequence[int]) -> Batch:
    """A batch of some samples of another one."""
    if batch.lengths:
        return batch
    value = keras.tree.map_structure(lambda leaf: leaf if is_shared(leaf) else leaf[list(samples)], batch.value)
    return replace(batch, value=value, fed=chosen(batch, samples), size=len(samples))


def _stacked(*rows: Any) -> Any:
    first = rows[0]
    if is_shared(first):
        return first
    if isinstance(first, tf.SparseTensor):
        return tf.sparse.concat(0, rows)
    return np.concatenate(rows) if isinstance(first, np.ndarray) else tf.concat(rows, 0)


def is_close(one: Array, other: Array) -> bool:
    """Whether two arrays of one shape, channels last, hold the same but for rounding."""
    if one.dtype != other.dtype or one.dtype.kind not in "fc":
        return one.dtype == other.dtype and bool(np.array_equal(one, other))
    if not other.size:
        return True
    with np.errstate(all="ignore"):
        size = np.abs(other)
        size = np.where(np.isfinite(size), size, 0)
        each, largest = size.max(axis=tuple(range(size.ndim - 1))), size.max()
        bits = 8 * size.dtype.itemsize
        near = np.abs(one - other) <= ROUNDING[bits] * (each + largest / 50)
    return bool(np.all(near | (one == other) | (np.isnan(one) & np.isnan(other))))
