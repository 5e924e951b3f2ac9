"""Data of all kinds as a sequence of batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, NamedTuple

import keras
import numpy as np
import numpy.typing as npt

from actwidget.capture.run.inputs import is_structure
from actwidget.capture.structure.shapes import fits
from actwidget.capture.structure.supported_models import check_is_keras_model
from actwidget.errors import InvalidInputsError, error_text, shown
from actwidget.keras_internals.graph import function_of

Array = npt.NDArray[Any]


class Unreadable(NamedTuple):
    """Stands for a batch that raised when it was read.

    Attributes:
        error: What was raised.
        size: How many samples are lost; `None` if that is not known.
    """

    error: Exception
    size: int | None = None


class RawBatch(NamedTuple):
    """A batch as the data gives it.

    Attributes:
        inputs: What the model is to take.
        labels: The labels of its samples; `None` without any.
        size: How many samples it has; `None` if only its inputs tell.
    """

    inputs: Any
    labels: Any
    size: int | None = None


@dataclass(frozen=True)
class Source:
    """Data that is read batch by batch.

    Attributes:
        kind: What it is, in words.
        length: How many samples it has; `None` if that is not known.
        by_sample: Whether reading can start at any sample, else at a batch.
        read: Gives the batches from a sample, or a batch, on.
        last: Gives the inputs of the last batch; `None` if it can't be had without reading all others.
    """

    kind: str
    length: int | None
    by_sample: bool
    read: Callable[[int], Iterator[RawBatch | Unreadable]]
    last: Callable[[], Any] | None = None


def takes_several(model: keras.Model) -> bool:
    """Whether a model has several inputs, so that a list is one of them all."""
    function = function_of(model)
    return function is not None and len(function.inputs) > 1


def is_shards(data: Any, model: keras.Model) -> bool:
    """Whether data is a list of shards: arrays, or callables that give one."""
    if not isinstance(data, (list, tuple)) or not data:
        return False
    if any(map(_gives_a_shard, data)):
        return True
    return not takes_several(model) and is_structure(data) and all(hasattr(each, "shape") for each in data)


def _gives_a_shard(item: Any) -> bool:
    """Whether an item of a list is called for a shard."""
    return callable(item) and not hasattr(item, "shape")


def source_of(data: Any, model: keras.Model, batch_size: int) -> Source:
    """Data of any kind but a list of shards.

    Raises:
        InvalidInputsError: It is of no kind that is known.
    """
    if isinstance(data, keras.utils.PyDataset):
        return _of_sequence(data)
    if is_stream(data):
        return _of_stream(data, model, batch_size)
    return _of_arrays(data, model, batch_size)


def first_batch(data: Any, model: keras.Model, batch_size: int = 32) -> tuple[Any, str]:
    """The inputs of the first batch of data that gives many, and words that say so; other inputs as they are, with "".

    Args:
        data: A dataset, an iterable of batches, or a list of callables that give shards; or inputs for the model.
        model: The model.
        batch_size: How many samples are taken where the data has no batches of its own.

    Raises:
        UnsupportedModelError: `model` is no model of Keras.
        InvalidInputsError: There is no batch, or it can't be read.
    """
    is_list = isinstance(data, (list, tuple)) and any(map(_gives_a_shard, data))
    if not (is_list or isinstance(data, keras.utils.PyDataset) or is_stream(data)):
        return data, ""
    check_is_keras_model(model)
    kind = "list of shards" if is_list else type(data).__name__
    try:
        source = shard_sources(data, model, batch_size)[0]() if is_list else source_of(data, model, batch_size)
        first = next(source.read(0), None)
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        first = Unreadable(error)
    if first is None:
        message = f"The {kind} for model {model.name!r} is empty: expected at least one batch."
        raise InvalidInputsError(message)
    if isinstance(first, Unreadable):
        message = f"The first batch of the {kind} for model {model.name!r} can't be read: {error_text(first.error)}"
        raise InvalidInputsError(message) from first.error
    return first.inputs, f"This is the first batch of the {kind}."


def is_stream(data: Any) -> bool:
    """Whether data is an iterable of batches (a `tf.data.Dataset`, a `DataLoader` of PyTorch), and no array or list."""
    no_stream = (str, bytes, Mapping, set, frozenset, list, tuple)  # a set has no order
    if hasattr(data, "shape") or hasattr(data, "__array__") or isinstance(data, no_stream):
        return False
    return isinstance(data, Iterable)


def _of_arrays(data: Any, model: keras.Model, batch_size: int) -> Source:
    nested = is_structure(data)
    leaves = [_readable(leaf, model) for leaf in (keras.tree.flatten(data) if nested else [data])]
    lengths = {len(leaf) for leaf in leaves if leaf is not None}
    if len(lengths) > 1:
        message = f"The inputs of model {model.name!r} must hold the same number of samples, got {sorted(lengths)}."
        raise InvalidInputsError(message)
    length = next(iter(lengths), 0)

    def rows(start: int, stop: int) -> Any:
        cut = [None if leaf is None else leaf[start:stop] for leaf in leaves]
        return keras.tree.pack_sequence_as(data, cut) if nested else cut[0]

    def read(start: int) -> Iterator[RawBatch | Unreadable]:
        for first in range(start, length, batch_size):
            stop = min(first + batch_size, length)
            yield RawBatch(rows(first, stop), None, stop - first)

    return Source("arrays", length, by_sample=True, read=read, last=lambda: rows(max(0, length - batch_size), length))


def _readable(leaf: Any, model: keras.Model) -> Any:
    """An array that can be cut into rows; nested lists of numbers become one."""
    if leaf is None or (hasattr(leaf, "shape") and len(leaf.shape)):
        return leaf
    try:
        array = np.asarray(leaf)
    except Exception as error:
        message = f"Expected data for model {model.name!r}, got {shown(leaf)}. {_KINDS}"
        raise InvalidInputsError(message) from error
    if not array.ndim or array.dtype == object:
        message = f"Expected data for model {model.name!r}, got {shown(leaf)}. {_KINDS}"
        raise InvalidInputsError(message)
    return array


_KINDS = "Give an array, a dataset, an iterable of batches, or a list of arrays as shards."


def _of_sequence(data: Any) -> Source:
    def read(start: int) -> Iterator[RawBatch | Unreadable]:
        for place in range(start, len(data)):
            try:
                yield _unpacked(data[place])
            except Exception as error:  # noqa: BLE001 - the user's code may raise anything
                yield Unreadable(error)

    return Source(type(data).__name__, None, by_sample=False, read=read, last=lambda: _unpacked(data[len(data) - 1])[0])


def _of_stream(data: Any, model: keras.Model, batch_size: int) -> Source:
    expected = _sample_shape(model)

    def read(start: int) -> Iterator[RawBatch | Unreadable]:
        batches = _each(data)
        first = next(batches, None)
        if first is None:
            return
        every: Iterator[RawBatch | Unreadable] = chain([first], batches)
        if isinstance(first, RawBatch) and _is_single(first.inputs, expected):
            every = _batched(every, batch_size)
        yield from islice(every, start, None)

    return Source(type(data).__name__, None, by_sample=False, read=read)


def _each(data: Any) -> Iterator[RawBatch | Unreadable]:
    """The batches of an iterable; what it raises stands where the batch would."""
    iterator = iter(data)
    failures = 0
    while failures < _MOST_FAILURES:
        try:
            given = next(iterator)
        except StopIteration:
            return
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            failures += 1
            yield Unreadable(error)
        else:
            failures = 0
            yield _unpacked(given)


_MOST_FAILURES = 1000
"""An iterator that raises so many times one after the other will not end."""


def inputs_of(batch: Any) -> Any:
    """The inputs in a batch of a data set, in whichever of Keras's forms it comes.

    Raises:
        InvalidInputsError: It is of none of them.
    """
    return _unpacked(batch).inputs


def _unpacked(given: Any) -> RawBatch:
    """A batch in one of Keras's forms: the inputs, `(inputs,)`, `(inputs, labels)` or `(inputs, labels, weights)`."""
    if isinstance(given, (list, tuple)):
        if not 1 <= len(given) <= 3:
            message = (
                "Expected a batch of a data set as (inputs,), (inputs, labels) or (inputs, labels, weights), as in "
                f"Keras; got a {type(given).__name__} of {len(given)}."
            )
            raise InvalidInputsError(message)
        inputs, labels = given[0], given[1] if len(given) > 1 else None
    else:
        inputs, labels = given, None
    return RawBatch(keras.tree.map_structure(_detached, inputs) if is_structure(inputs) else _detached(inputs), labels)


def _detached(leaf: Any) -> Any:
    """A tensor of PyTorch without its gradients; anything else as it is."""
    return leaf.detach() if hasattr(leaf, "detach") else leaf


def _sample_shape(model: keras.Model) -> tuple[int | None, ...] | None:
    """The shape of one sample of the model's first input; `None` if that is not known."""
    function = function_of(model)
    return None if function is None else tuple(function.inputs[0].shape[1:])


def _is_single(inputs: Any, expected: tuple[int | None, ...] | None) -> bool:
    """Whether inputs are one sample without a batch axis."""
    leaves = keras.tree.flatten(inputs) if is_structure(inputs) else [inputs]
    if expected is None or not leaves or not hasattr(leaves[0], "shape"):
        return False
    return len(leaves[0].shape) == len(expected) and fits(tuple(leaves[0].shape), expected)


def _batched(samples: Iterator[RawBatch | Unreadable], size: int) -> Iterator[RawBatch | Unreadable]:
    """Samples one by one, put together."""
    waiting: list[RawBatch] = []
    for each in samples:
        if isinstance(each, Unreadable):
            if waiting:
                yield _stacked(waiting)
            waiting = []
            yield Unreadable(each.error, 1)
            continue
        waiting.append(each)
        if len(waiting) == size:
            yield _stacked(waiting)
            waiting = []
    if waiting:
        yield _stacked(waiting)


def _stacked(samples: list[RawBatch]) -> RawBatch:
    inputs = keras.tree.map_structure(
        lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *(each.inputs for each in samples)
    )
    labels = None if samples[0].labels is None else np.stack([np.asarray(each.labels) for each in samples])
    return RawBatch(inputs, labels, len(samples))


def shard_sources(data: Iterable[Any], model: keras.Model, batch_size: int) -> list[Callable[[], Source]]:
    """For each shard what gives its data, which is called only when the shard is read."""

    def opened(shard: Any) -> Source:
        return source_of(shard() if _gives_a_shard(shard) else shard, model, batch_size)

    def opener(shard: Any) -> Callable[[], Source]:
        return lambda: opened(shard)

    return [opener(shard) for shard in data]


def known_length(data: Any) -> int | None:
    """How many samples shards hold that are all arrays; `None` if one has to be called for it."""
    if any(not hasattr(shard, "shape") for shard in data):
        return None
    return sum(len(shard) for shard in data)
