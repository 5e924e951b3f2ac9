"""Splits a batch into parts, and checks that running these gives the same values as running the whole batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.capture.run.conversion import Array, as_array, is_shared
from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.tensors import mask_of

if TYPE_CHECKING:
    from actwidget.capture.run.inputs import Batch

TRIED = 8
"""The number of samples in a trial, which shows whether a layer treats each sample by itself."""
ROUNDING = {16: 1e-2, 32: 1e-4, 64: 1e-9}
"""The tolerance for rounding errors, relative to a channel's largest value, by the number of bits of a float."""


@dataclass(frozen=True)
class Row:
    """An activation for one sample.

    Attributes:
        value: Its values, without the batch axis.
        mask: Keras's mask, shape `(steps,)`, true for steps that are not padding; `None` if there is no mask.
        samples: How many samples the whole activation has; 1 if it has no batch axis, and `value` is all of it.
    """

    value: Array
    mask: Array | None
    samples: int


@dataclass(frozen=True)
class Captured:
    """One activation.

    Attributes:
        value: Its values, shape `(samples, ...)`.
        mask: Keras's mask, shape `(samples, steps)`, true for steps that are not padding; `None` if there is no mask.
        parts: In how many parts the batch went through the model.
        is_all: Whether the layer's output can be restored from `value`, so that later layers can be computed from it.
            It can't if the output was ragged, sparse or bfloat16, or has a mask.
    """

    value: Array
    mask: Array | None = None
    parts: int = 1
    is_all: bool = False

    @classmethod
    def of(cls, tensor: Any) -> Captured:
        """The activation from a layer's output tensor."""
        mask = mask_of(tensor)
        value = as_array(tensor)
        plain = backend.is_dense(tensor) and value.dtype.kind in "biufc"
        return cls(
            value,
            None if mask is None else as_array(mask),
            is_all=plain and mask is None and backend.dtype_of(tensor) == value.dtype.name,
        )

    @property
    def nbytes(self) -> int:
        """The bytes of the values and the mask."""
        return self.value.nbytes + (0 if self.mask is None else self.mask.nbytes)

    def row(self, sample: int, size: int) -> Row:
        """The activation for one sample of a batch of `size`; all of it if it has no batch axis."""
        if not self.value.ndim or len(self.value) != size:
            return Row(self.value, self.mask, 1)
        mask = None if self.mask is None or len(self.mask) != size else self.mask[sample]
        return Row(self.value[sample, ...], mask, size)


class Joined:
    """The activation of a whole batch, put together part by part in an array that is allocated only once."""

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
    """Checks for one part after the other whether its values are those that the whole batch would give.

    A value can be put together from parts only if its first axis is the batch axis and the layer treats each sample by
    itself. To check this, samples of several parts are run together in a trial: if the layer mixes the samples of a
    batch, or depends on their number, they get other values than in their parts. Each part has a sample in some trial,
    and each trial has samples of at least two parts. So if other samples depend on one sample, this shows in the values
    of its part if the sample is in no trial, otherwise in the values of the samples that are tried with it.
    """

    def __init__(self, size: int, rows: int) -> None:
        """Prepares for a number of parts.

        Args:
            size: How many samples the whole batch has.
            rows: How many of them each part has; the last may have fewer.
        """
        self._rows = rows
        self._size = size
        self._trials: list[tuple[list[int], Mapping[str, Captured]]] = []
        self._first: dict[str, tuple[tuple[int, ...], bool]] = {}

    def compare_with(self, trials: list[tuple[list[int], Mapping[str, Captured]]]) -> None:
        """Sets the trials that the next parts are compared with: the samples of each, and their activations by path."""
        self._trials = [*self._trials[:1], *trials]

    def fits(self, path: str, start: int, part: Captured) -> bool:
        """Whether a part of a node's activation, from sample `start` on, agrees with the other parts and trials."""
        value, rows = part.value, min(self._rows, self._size - start)
        if not value.ndim or len(value) != rows:
            return False
        form = value.shape[1:], part.mask is None
        if self._first.setdefault(path, form) != form or (part.mask is not None and len(part.mask) != rows):
            return False
        trials = [(samples, values[path]) for samples, values in self._trials if path in values]
        return all(self._agrees(samples, tried, start, part) for samples, tried in trials)

    def _agrees(self, samples: list[int], tried: Captured, start: int, part: Captured) -> bool:
        if not tried.value.ndim or len(tried.value) != len(samples):
            return False
        here = [(row, each - start) for row, each in enumerate(samples) if start <= each < start + self._rows]
        own, there = [row for row, _ in here], [row for _, row in here]
        pairs = [(tried.value, part.value)]
        if (tried.mask is None) != (part.mask is None):
            return False
        if tried.mask is not None and part.mask is not None:
            pairs.append((tried.mask, part.mask))
        return all(one.shape[1:] == other.shape[1:] and is_close(one[own], other[there]) for one, other in pairs)


def trials(size: int, rows: int) -> dict[int, list[list[int]]]:
    """The samples to run together in trials, by the index of the sample before which the trials have to run.

    If each trial covers only a few parts, there is one more at the beginning with samples from the whole batch, since
    neighbouring samples can be similar. A trial has about as many samples as a part, but never exactly as many: a value
    without a batch axis is recognised by a length that does not change with the number of samples.

    Args:
        size: How many samples the whole batch has, more than `rows`.
        rows: How many of them each part has; the last may have fewer.

    >>> trials(64, 32), trials(5, 1), trials(7, 3)
    ({0: [[4, 12, 20, 28, 36, 44, 52, 60]]}, {0: [[1, 3], [0, 1, 2]], 3: [[3, 4]]}, {0: [[0, 1, 4, 6]]})
    """
    starts = range(0, size, rows)
    most = rows - 1 if rows > 3 else rows + 1
    count = len(starts) // 2 if most == 2 else -(-len(starts) // most)
    found: dict[int, list[list[int]]] = {}
    for group in np.array_split(np.asarray(starts), count):
        share = max(1, min(TRIED, most) // len(group))
        samples = [each for start in group.tolist() for each in _spread(start, min(rows, size - start), share)]
        if len(samples) == rows:
            last = min(int(group[-1]) + rows, size)
            samples.append(next(each for each in range(int(group[0]), last) if each not in samples))
        found[int(group[0])] = [sorted(samples)]
    if count > 1:
        found[0].insert(0, _spread(0, size, min(TRIED, most)))
    return found


def _spread(start: int, length: int, count: int) -> list[int]:
    """A number of evenly spaced samples of a part."""
    count = min(count, length)
    return [start + (2 * each + 1) * length // (2 * count) for each in range(count)]


def chosen(batch: Batch, samples: Sequence[int]) -> Any:
    """The inputs for some samples, in the structure that the model takes."""
    rows = [batch.rows(sample, sample + 1) for sample in samples]
    return rows[0] if len(rows) == 1 else keras.tree.map_structure(_stacked, *rows)


def alone(batch: Batch, samples: Sequence[int]) -> Batch:
    """A batch that contains only some samples of another one."""
    if batch.lengths:
        return batch
    value = keras.tree.map_structure(lambda leaf: leaf if is_shared(leaf) else leaf[list(samples)], batch.value)
    return replace(batch, value=value, fed=chosen(batch, samples), size=len(samples))


def _stacked(*rows: Any) -> Any:
    first = rows[0]
    if is_shared(first):
        return first
    return np.concatenate(rows) if isinstance(first, np.ndarray) else backend.joined(rows)


def is_close(one: Array, other: Array) -> bool:
    """Whether two arrays of the same shape, channels last, are equal up to rounding errors."""
    if one.dtype != other.dtype or one.dtype.kind not in "fc":
        return one.dtype == other.dtype and bool(np.array_equal(one, other))
    if not other.size:
        return True
    with np.errstate(all="ignore"):
        magnitude = np.abs(other)
        magnitude = np.where(np.isfinite(magnitude), magnitude, 0)
        per_channel, largest = magnitude.max(axis=tuple(range(magnitude.ndim - 1))), magnitude.max()
        bits = 8 * magnitude.dtype.itemsize
        near = np.abs(one - other) <= ROUNDING[bits] * (per_channel + largest / 50)
    return bool(np.all(near | (one == other) | (np.isnan(one) & np.isnan(other))))


def joined(batch: Batch, other: Batch) -> Any:
    """The inputs of a batch with those of another one of the same model behind them; `None` if they don't fit together.

    Samples of different lengths do not.
    """
    if batch.lengths or other.lengths:
        return None
    try:
        return keras.tree.map_structure(_stacked, batch.fed, other.fed)
    except Exception:  # noqa: BLE001 - each backend raises something else where shapes or structures differ
        return None


def with_sample(batch: Batch, sample: Array, place: int | None = None) -> Any:
    """The inputs of a batch with one more sample at the end, or with another sample at a place.

    Args:
        batch: A batch of a model whose inputs are one array.
        sample: The sample, in the shape and dtype of one of its rows.
        place: Which sample it takes the place of; `None` to append it.
    """

    def changed(leaf: Any) -> Any:
        if is_shared(leaf):
            return leaf
        if place is None:
            return np.concatenate([leaf, sample[np.newaxis]])
        array = leaf.copy()
        array[place] = sample
        return array

    return keras.tree.map_structure(changed, batch.fed)
