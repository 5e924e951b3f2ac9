"""What a layer holds and how it is called, as far as Keras has no public word for it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import keras
from keras.src.models.functional import operation_fn


def flat_layers(layer: keras.Layer) -> list[keras.Layer]:
    """A layer and all layers inside it, at any depth, each once."""
    layers: list[keras.Layer] = layer._flatten_layers()
    return layers


def has_flat_layers(value: Any) -> bool:
    """Whether `flat_layers` can be asked of a value, as also of a model of Keras 2."""
    return hasattr(value, "_flatten_layers")


def child_layers(layer: keras.Layer) -> list[keras.Layer]:
    """The layers that a layer holds itself, in the order of declaration, lists and dicts of them opened."""
    layers: list[keras.Layer] = layer._flatten_layers(include_self=False, recursive=False)
    return layers


def call_signature(layer: keras.Layer) -> inspect.Signature:
    """The signature of a layer's `call`, by which Keras binds the arguments of each call."""
    signature: inspect.Signature = layer._call_signature
    return signature


def set_call_signature(layer: keras.Layer, signature: inspect.Signature) -> None:
    """Has Keras bind the arguments of a layer's calls by another signature than that of its `call`."""
    layer._call_signature = signature


def takes_training(layer: keras.Layer) -> bool:
    """Whether a layer's `call` has an argument `training`."""
    return bool(layer._call_has_training_arg)


def set_takes_training(layer: keras.Layer, *, takes: bool) -> None:
    """Tells Keras's trainer whether a model's `call` has an argument `training`."""
    layer._call_has_training_arg = takes


def takes_mask(layer: keras.Layer) -> bool:
    """Whether a layer's `call` has an argument `mask`."""
    return bool(layer._call_has_mask_arg)


def with_training(operation: keras.Operation, *, training: bool) -> Callable[..., Any]:
    """A function that calls an operation as Keras's functional models do: with `training` where it takes that."""
    run: Callable[..., Any] = operation_fn(operation, training=training)
    return run


def output_layer_of_attention(layer: Any) -> Any:
    """The layer inside a built `MultiHeadAttention` or `GroupQueryAttention` that gives its output."""
    return layer._output_dense


def axes_of_attention(layer: Any) -> Any:
    """The axes that a `MultiHeadAttention` attends over, `None` for a layer that has none."""
    return getattr(layer, "_attention_axes", None)


def pads_to_the_longest(layer: keras.Layer) -> bool:
    """Whether a layer fills up each text to the length of the longest in the batch, as `TextVectorization` can."""
    if not isinstance(layer, keras.layers.TextVectorization) or getattr(layer, "_output_mode", "int") != "int":
        return False
    return getattr(layer, "_output_sequence_length", None) is None
