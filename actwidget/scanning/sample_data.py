"""The data of a scan, read by the number of a sample."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.capture.access.batches import inputs_of, is_stream
from actwidget.capture.run.inputs import is_structure
from actwidget.errors import SampleError, ScanError, error_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actwidget.scanning.state import State


@dataclass(frozen=True, eq=False)
class SampleData:
    """The data that was scanned, kept by reference.

    Attributes:
        data: Arrays, a `PyDataset`, or a list of shards; also a stream, which can't be read by number. `None` for none.
        state: What was counted, which knows the lengths of shards and batches.
        in_shards: Whether a list is shards, not the inputs of a model with several; `None` to tell it by the lengths.
    """

    data: Any
    state: State
    in_shards: bool | None = None

    @cached_property
    def missing(self) -> str | None:
        """Why samples can't be read, in words; `None` if they can."""
        if self.data is None:
            return "The scan does not hold its data: give it again with scan.with_data(data)."
        if not isinstance(self.data, keras.utils.PyDataset) and is_stream(self.data):
            kind = type(self.data).__name__
            return (
                f"A sample of a {kind} can't be read by its number. If there is an array of the same samples in the "
                "same order, give it with scan.with_data(array)."
            )
        return None

    @cached_property
    def length(self) -> int | None:
        """How many samples the data has; `None` if that can't be told without reading it."""
        if self.missing or isinstance(self.data, keras.utils.PyDataset):
            return None
        if self._is_sharded:
            return sum(map(len, self.data)) if all(hasattr(each, "shape") for each in self.data) else None
        leaves = keras.tree.flatten(self.data) if is_structure(self.data) else [self.data]
        return next((len(leaf) for leaf in leaves if leaf is not None), 0)

    def check(self) -> None:
        """Makes sure that there are as many samples as were scanned.

        Raises:
            ScanError: There are more or fewer.
        """
        state, length = self.state, self.length
        if length is not None and (length < state.seen or (state.complete and length != state.seen)):
            message = (
                f"Expected the data that was scanned, {state.seen:,} samples, got {length:,}. Give the same samples in "
                "the same order."
            )
            raise ScanError(message)

    def inputs(self, number: int) -> Any:
        """A sample as the model takes it: a batch of one.

        Raises:
            ScanError: It can't be read.
            SampleError: There is no such sample.
        """
        if self.missing is not None:
            raise ScanError(self.missing)
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or not 0 <= number < self.state.seen:
            message = f"Expected a sample from 0 to {self.state.seen - 1:,}, of those that were scanned, got {number}."
            raise SampleError(message)
        try:
            return self._read(int(number))
        except Exception as error:
            message = f"Sample {number:,} of the scanned data can't be read: {error_text(error)}"
            raise ScanError(message) from error

    @cached_property
    def _is_sharded(self) -> bool:
        """Whether the data is a list of shards."""
        if self.in_shards is not None:
            return self.in_shards
        if not isinstance(self.data, (list, tuple)):
            return False
        if any(not hasattr(each, "shape") for each in self.data):
            return any(callable(each) for each in self.data)
        return any(len(each) != self.state.seen for each in self.data)

    def _read(self, number: int) -> Any:
        if not self._is_sharded:
            return self._row(self.data, number, 0)
        lengths = self.state.lengths
        known = [len(each) if hasattr(each, "shape") else lengths.get(place, 0) for place, each in enumerate(self.data)]
        shard, own = _place(known, number)
        data = self.data[shard]
        return self._row(data if hasattr(data, "shape") else data(), own, shard)

    def _row(self, data: Any, number: int, shard: int) -> Any:
        """One sample of arrays or of a `PyDataset`.

        Raises:
            TypeError: It is a stream.
        """
        if isinstance(data, keras.utils.PyDataset):
            runs = self.state.sizes.get(shard, [])
            batch, own = _place([size for size, count in runs for _ in range(count)], number)
            return _row_of(inputs_of(data[batch]), own)
        if is_stream(data):
            message = f"a {type(data).__name__} can't be read by number"
            raise TypeError(message)
        return _row_of(data, number)


def _row_of(data: Any, number: int) -> Any:
    if not is_structure(data):
        return _readable(data)[number : number + 1]
    cut = [None if leaf is None else _readable(leaf)[number : number + 1] for leaf in keras.tree.flatten(data)]
    return keras.tree.pack_sequence_as(data, cut)


def _readable(leaf: Any) -> Any:
    return leaf if hasattr(leaf, "shape") else np.asarray(leaf)


def _place(lengths: Sequence[int], number: int) -> tuple[int, int]:
    """In which of several parts a sample is, and which one there.

    Raises:
        IndexError: It is in none.

    >>> _place([3, 2], 0), _place([3, 2], 4)
    ((0, 0), (1, 1))
    """
    for place, end in enumerate(accumulate(lengths)):
        if number < end:
            return place, number - end + lengths[place]
    message = f"the data ends before sample {number:,}"
    raise IndexError(message)
