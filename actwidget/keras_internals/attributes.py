"""The attributes of layers: what a pass or a failed build leaves in them is put back."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras.src.backend.common.stateless_scope import get_stateless_scope

from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.classes import is_from_keras
from actwidget.keras_internals.contents import Contents
from actwidget.keras_internals.layers import flat_layers

_PLAIN = (type(None), bool, int, float, str)
_ARRAYS = (np.ndarray, np.generic)
_MISSING = object()


@contextmanager
def restored_attributes(layers: Sequence[keras.Layer], *, trial: bool) -> Iterator[None]:
    """Puts back what layers store in their attributes when they are called in a block.

    Tensors that a layer stores are always put back. Lists and counters of the user's layers are part of what the user
    asked for when calling them: only what a trial leaves there is put back.

    Args:
        layers: The layers that run.
        trial: Whether the calls are actwidget's own idea, and not what the user asked for.
    """
    uncalled = [layer for layer in layers if not layer._called]
    # What a layer sets while it is built it needs from then on.
    own = [layer for layer in layers if layer.built and not is_from_keras(layer)]
    before = [dict(vars(layer)) for layer in own]
    contents = Contents(value for layer in own for value in _own_attributes(layer).values()) if trial else None
    try:
        yield
    finally:
        for layer in uncalled:
            layer._called = False
        for layer, attributes in zip(own, before, strict=True):
            _put_back(layer, attributes, trial=trial)
        if contents is not None:
            contents.put_back(unless=_holds_layers_or_variables)


@contextmanager
def without_new_losses(layers: Sequence[keras.Layer]) -> Iterator[None]:
    """Drops the losses that are added in a block, where a call is repeated whose losses count already."""
    scope = get_stateless_scope()
    held = [layer._losses for layer in layers] + ([] if scope is None else [scope.losses])
    lengths = [len(losses) for losses in held]
    try:
        yield
    finally:
        for losses, length in zip(held, lengths, strict=True):
            del losses[length:]


def forget_losses(layers: Sequence[keras.Layer], losses: Sequence[Any]) -> None:
    """Removes losses from the ids by which layers know which losses are theirs."""
    ids = {id(loss) for loss in losses}
    for layer in layers:
        layer._loss_ids.difference_update(ids)


@contextmanager
def rolled_back_on_failure(model: keras.Model) -> Iterator[Callable[[], None]]:
    """Puts a model back as it was if the block raises: Keras keeps what a failed build has made.

    A build makes weights and inner layers, and sets whether a layer is built and for which shapes. Only a model with
    layers that are not built yet is remembered; nothing of this changes where all are built.

    Yields:
        A function that puts the model back, for a failure that is only noticed later.
    """
    layers = flat_layers(model)
    if all(layer.built for layer in layers):
        yield lambda: None
        return
    contents = Contents(each for layer in layers for each in (vars(layer), vars(layer._tracker)))
    try:
        yield contents.put_back
    except BaseException:
        contents.put_back()
        raise


def _put_back(layer: keras.Layer, before: dict[str, Any], *, trial: bool) -> None:
    """Puts a layer's attributes back: those that were set to tensors, and after a trial numbers, texts and arrays.

    Where tensors are put back, numbers and flags go with them, since they may say that the tensors are there, or how
    many there are. After a trial nothing is put back if a layer, say, was made in the first call: other new values
    may say that it is there.

    Args:
        layer: A layer of the user's.
        before: Its attributes as they were.
        trial: Whether the calls are not what the user asked for.
    """
    changed = {name: value for name, value in _own_attributes(layer).items() if value is not before.get(name, _MISSING)}
    tensors = {name for name, value in changed.items() if any(map(_is_tensor, _leaves(value)))}
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


def _own_attributes(layer: keras.Layer) -> dict[str, Any]:
    """The attributes of a layer beside those that Keras gives to every layer or model."""
    keras_own = _attributes_of_every_layer()
    return {name: value for name, value in vars(layer).items() if name not in keras_own}


@functools.cache
def _attributes_of_every_layer() -> frozenset[str]:
    # With a name of its own a layer does not advance Keras's counter of names.
    return frozenset({*vars(keras.Layer(name="plain")), *vars(keras.Model(name="plain"))})


def _leaves(value: Any) -> list[Any]:
    """A value, or what a list or dict holds: no deeper, as nobody keeps a counter there."""
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _is_tensor(value: Any) -> bool:
    return isinstance(value, (*backend.tensor_types, keras.KerasTensor))


def _holds_layers_or_variables(container: Any) -> bool:
    """Whether a layer or variable is in a container: the user's layer has made it to stay."""
    kinds = (keras.Layer, keras.Variable, *backend.variable_types)
    return any(isinstance(leaf, kinds) for leaf in keras.tree.flatten(container))
