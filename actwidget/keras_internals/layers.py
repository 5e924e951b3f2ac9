"""The contents and call arguments of a layer that Keras does not expose publicly."""

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
    """Whether `flat_layers` works on a value; it does on a model of Keras 2, too."""
    return hasattr(value, "_flatten_layers")


def child_layers(layer: keras.Layer) -> list[keras.Layer]:
    """The direct sublayers of a layer in the order of declaration, including those in lists and dicts."""
    layers: list[keras.Layer] = layer._flatten_layers(include_self=False, recursive=False)
    return layers


def call_signature(layer: keras.Layer) -> inspect.Signature:
    """The signature of a layer's `call`, with which Keras binds the arguments of each call."""
    signature: inspect.Signature = layer._call_signature
    return signature


def set_call_signature(layer: keras.Layer, signature: inspect.Signature) -> None:
    """Makes Keras bind the arguments of a layer's calls with this signature instead of that of its `call`."""
    layer._call_signature = signature


def takes_training(layer: keras.Layer) -> bool:
    """Whether a layer's `call` has an argument `training`."""
    return bool(layer._call_has_training_arg)


def set_takes_training(layer: keras.Layer, *, takes: bool) -> None:
    """Sets whether Keras's trainer takes a model's `call` to have an argument `training`."""
    layer._call_has_training_arg = takes


def takes_mask(layer: keras.Layer) -> bool:
    """Whether a layer's `call` has an argument `mask`."""
    return bool(layer._call_has_mask_arg)


def with_training(operation: keras.Operation, *, training: bool) -> Callable[..., Any]:
    """A function that calls an operation as functional models do: with `training` if the operation accepts it."""
    run: Callable[..., Any] = operation_fn(operation, training=training)
    return run


def output_layer_of_attention(layer: Any) -> Any:
    """The output projection inside a built `MultiHeadAttention` or `GroupQueryAttention`."""
    return layer._output_dense


def axes_of_attention(layer: Any) -> Any:
    """The axes that a `MultiHeadAttention` attends over; `None` for any other layer."""
    return getattr(layer, "_attention_axes", None)


def pads_to_the_longest(layer: keras.Layer) -> bool:
    """Whether a layer pads each text to the length of the longest one in the batch, as `TextVectorization` can."""
    if not isinstance(layer, keras.layers.TextVectorization) or getattr(layer, "_output_mode", "int") != "int":
        return False
    return getattr(layer, "_output_sequence_length", None) is None
