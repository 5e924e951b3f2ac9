"""What layers note of their calls in plain Python: that there was one, tensors they keep, lists and counters."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.src.backend.common.stateless_scope import get_stateless_scope

from actwidget.keras_internals.classes import is_from_keras

_PLAIN = (type(None), bool, int, float, str)
_TENSORS = (tf.Tensor, tf.RaggedTensor, tf.SparseTensor, keras.KerasTensor)
_ARRAYS = (np.ndarray, np.generic)
_MISSING = object()


@contextmanager
def same_marks(layers: Sequence[keras.Layer], *, trial: bool) -> Iterator[None]:
    """Puts back what layers note of the calls in a block.

    Tensors that a layer keeps of its last call are always put back. Lists and counters of the user's layers are theirs:
    they grow by each call that somebody asked for, but not by a trial.

    Args:
        layers: The layers that run.
        trial: Whether nobody asked for the calls themselves.
    """
    uncalled = [layer for layer in layers if not layer._called]
    # What a layer sets while it is built it needs from then on.
    own = [layer for layer in layers if layer.built and not is_from_keras(layer)]
    before = [dict(vars(layer)) for layer in own]
    contents = [_Contents(value) for layer in own for value in _noted(layer).values()] if trial else []
    try:
        yield
    finally:
        for layer in uncalled:
            layer._called = False
        for layer, attributes in zip(own, before, strict=True):
            _put_back(layer, attributes, trial=trial)
        for each in contents:
            each.put_back()


@contextmanager
def same_losses(layers: Sequence[keras.Layer]) -> Iterator[None]:
    """Drops the losses that the calls in a block add: those of a call that is made once more count already."""
    scope = get_stateless_scope()
    held = [layer._losses for layer in layers] + ([] if scope is None else [scope.losses])
    lengths = [len(losses) for losses in held]
    try:
        yield
    finally:
        for losses, length in zip(held, lengths, strict=True):
            del losses[length:]


def _put_back(layer: keras.Layer, before: dict[str, Any], *, trial: bool) -> None:
    """Puts a layer's attributes back: those that were set to tensors, and after a trial numbers, texts and arrays.

    With tensors goes what may be told of them: that they are there, how long they are. After a trial all stay if there
    is something new that they may be told of, such as a layer made in its first call.

    Args:
        layer: A layer of the user's.
        before: Its attributes as they were.
        trial: Whether nobody asked for the calls.
    """
    changed = {name: value for name, value in _noted(layer).items() if value is not before.get(name, _MISSING)}
    tensors = {name for name, value in changed.items() if any(isinstance(leaf, _TENSORS) for leaf in _leaves(value))}
    plain = {name for name, value in changed.items() if all(isinstance(leaf, _PLAIN) for leaf in _leaves(value))}
    arrays = {name for name, value in changed.items() if all(isinstance(leaf, _ARRAYS) for leaf in _leaves(value))}
    of_a_trial = arrays if trial and changed.keys() == tensors | plain | arrays else set()
    if not tensors and not (trial and of_a_trial | plain == changed.keys()):
        return
    attributes = vars(layer)
    for name in tensors | plain | of_a_trial:
        if name in before:
            attributes[name] = before[name]
        else:
            del attributes[name]


def _noted(layer: keras.Layer) -> dict[str, Any]:
    """The attributes of a layer beside those that Keras gives to every layer or model."""
    keras_own = _keras_own()
    return {name: value for name, value in vars(layer).items() if name not in keras_own}


@functools.cache
def _keras_own() -> frozenset[str]:
    # With a name of its own a layer does not advance Keras's counter of names.
    return frozenset({*vars(keras.Layer(name="plain")), *vars(keras.Model(name="plain"))})


def _leaves(value: Any) -> list[Any]:
    """A value, or what a list or dict holds: no deeper, as nobody keeps a counter there."""
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, (list, tuple)) else [value]


class _Contents:
    """What a list, dict, set or array holds, and those inside it."""

    def __init__(self, value: Any) -> None:
        self._value = value
        self._held: Any = None
        self._inner: list[_Contents] = []
        if isinstance(value, np.ndarray):
            self._held = value.copy()
        else:
            kind = next((kind for kind in (list, dict, set, deque) if isinstance(value, kind)), None)
            self._held = None if kind is None else kind(value)
        if isinstance(value, (list, tuple, dict)):
            items: Iterable[Any] = value.values() if isinstance(value, dict) else value
            self._inner = [_Contents(item) for item in items if isinstance(item, (list, tuple, dict, set, deque))]

    def put_back(self) -> None:
        """Puts the same items back, unless a layer or variable has come, which is there to stay."""
        for inner in self._inner:
            inner.put_back()
        value, held = self._value, self._held
        if isinstance(value, np.ndarray):
            if value.flags.writeable and value.tobytes() != held.tobytes():
                value[...] = held
            return
        if held is None or _same_items(value, held):
            return
        if any(isinstance(leaf, (keras.Layer, keras.Variable, tf.Variable)) for leaf in keras.tree.flatten(value)):
            return
        # Past the methods of Keras's tracked lists, which refuse a change once a layer is built.
        kind = type(held)
        kind.clear(value)
        (kind.extend if kind in {list, deque} else kind.update)(value, held)


def _same_items(one: Any, other: Any) -> bool:
    if len(one) != len(other):
        return False
    if isinstance(one, dict):
        return all(key in other and value is other[key] for key, value in one.items())
    if isinstance(one, set):
        return bool(one == other)
    return all(a is b for a, b in zip(one, other, strict=True))
