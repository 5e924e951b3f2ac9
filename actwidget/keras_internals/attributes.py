"""Restores the attributes of layers after a forward pass or a failed build."""

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
    """Restores the attributes that layers change when they are called in the block.

    Attributes that hold tensors are always restored. The lists and counters of user-defined layers are restored only
    after a trial: in a pass that the user asked for, the user wants to see them change.

    Args:
        layers: The layers that run.
        trial: Whether actwidget makes the calls for itself, and the user has not asked for them.
    """
    uncalled = [layer for layer in layers if not layer._called]
    # A layer that is not built yet is left out: it needs the attributes that its build sets.
    custom = [layer for layer in layers if layer.built and not is_from_keras(layer)]
    before = [dict(vars(layer)) for layer in custom]
    contents = Contents(value for layer in custom for value in _own_attributes(layer).values()) if trial else None
    try:
        yield
    finally:
        for layer in uncalled:
            layer._called = False
        for layer, attributes in zip(custom, before, strict=True):
            _put_back(layer, attributes, trial=trial)
        if contents is not None:
            contents.put_back(unless=_holds_layers_or_variables)


@contextmanager
def without_new_losses(layers: Sequence[keras.Layer]) -> Iterator[None]:
    """Drops the losses that are added in the block: it repeats a call whose losses have been added before."""
    scope = get_stateless_scope()
    loss_lists = [layer._losses for layer in layers] + ([] if scope is None else [scope.losses])
    lengths = [len(losses) for losses in loss_lists]
    try:
        yield
    finally:
        for losses, length in zip(loss_lists, lengths, strict=True):
            del losses[length:]


def forget_losses(layers: Sequence[keras.Layer], losses: Sequence[Any]) -> None:
    """Removes losses from the sets of ids by which layers recognise their own losses."""
    ids = {id(loss) for loss in losses}
    for layer in layers:
        layer._loss_ids.difference_update(ids)


@contextmanager
def rolled_back_on_failure(model: keras.Model) -> Iterator[Callable[[], None]]:
    """Restores a model if the block raises, since Keras leaves a failed build half done.

    A build creates weights and inner layers, and records that a layer is built and for which shapes. A model whose
    layers are all built has nothing left to build, so its state is not saved.

    Yields:
        A function that restores the model, for a failure that is noticed after the block.
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
    """Restores a layer's attributes: those set to tensors, and after a trial also numbers, strings and arrays.

    If tensors are restored, numbers and flags are restored with them: they may say whether the tensors exist, or how
    many there are. If a trial has set anything else, such as a layer that is created in the first call, and no tensors,
    then nothing is restored, since the numbers and flags may say that it exists.

    Args:
        layer: A user-defined layer.
        before: Its attributes before the block.
        trial: Whether actwidget makes the calls for itself, and the user has not asked for them.
    """
    changed = {name: value for name, value in _own_attributes(layer).items() if value is not before.get(name, _MISSING)}
    tensors = {name for name, value in changed.items() if any(map(_is_tensor, _leaves(value)))}
    plain = {name for name, value in changed.items() if all(isinstance(leaf, _PLAIN) for leaf in _leaves(value))}
    arrays = {name for name, value in changed.items() if all(isinstance(leaf, _ARRAYS) for leaf in _leaves(value))}
    trial_arrays = arrays if trial and changed.keys() == tensors | plain | arrays else set()
    if not tensors and not (trial and trial_arrays | plain == changed.keys()):
        return
    attributes = vars(layer)
    for name in tensors | plain | trial_arrays:
        if name in before:
            attributes[name] = before[name]
        else:
            del attributes[name]


def _own_attributes(layer: keras.Layer) -> dict[str, Any]:
    """The attributes of a layer, without those that Keras gives to every layer or model."""
    keras_own = _attributes_of_every_layer()
    return {name: value for name, value in vars(layer).items() if name not in keras_own}


@functools.cache
def _attributes_of_every_layer() -> frozenset[str]:
    # An explicit name does not advance the counters from which Keras names the user's next layers.
    return frozenset({*vars(keras.Layer(name="plain")), *vars(keras.Model(name="plain"))})


def _leaves(value: Any) -> list[Any]:
    """The items of a list or dict, or the value itself. Nested containers are not opened: they hold no counters."""
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _is_tensor(value: Any) -> bool:
    return isinstance(value, (*backend.tensor_types, keras.KerasTensor))


def _holds_layers_or_variables(container: Any) -> bool:
    """Whether a container holds layers or variables, which a layer creates once and keeps."""
    kinds = (keras.Layer, keras.Variable, *backend.variable_types)
    return any(isinstance(leaf, kinds) for leaf in keras.tree.flatten(container))
