"""Random inputs for a model of Keras 2."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from actwidget.keras_internals.foreign.keras_2 import input_layer_of, symbolic_inputs
from actwidget.keras_internals.layers import flat_layers

SAMPLES, LENGTH, SIDE = 2, 12, 64
"""The number of samples, and the size of an axis of open length: of a sequence, and of pictures and volumes."""
TOP_NUMBER = 10
"""Whole numbers are below this, or below what the model's layers know."""


def made_up_inputs(model: Any) -> Any:
    """Random inputs for a model, in the structure in which it takes them.

    In a model with layers that take numbers as names, as `Embedding` does, all inputs are whole numbers that they know.
    Texts are made of words that the model knows, and of an unknown one.
    """
    layers = list(flat_layers(model))
    kinds = [type(layer).__name__ for layer in layers]
    known = [
        layer.input_dim if kind == "Embedding" else layer.num_tokens
        for layer, kind in zip(layers, kinds, strict=True)
        if kind in {"Embedding", "CategoryEncoding"}
    ]
    words = ["unknown"] + [
        str(word)
        for layer, kind in zip(layers, kinds, strict=True)
        if kind in {"StringLookup", "TextVectorization"}
        for word in layer.get_vocabulary()[:50]
    ]
    random = np.random.default_rng(0)

    def made_up(symbolic: Any) -> Any:
        shape, dtype = _shape(symbolic), symbolic.dtype
        if dtype == tf.string:
            texts = random.choice(words, (*shape, 4 if "TextVectorization" in kinds else 1))
            joined = [" ".join(text) for text in texts.reshape(-1, texts.shape[-1])]
            return tf.reshape(tf.constant(joined), shape)
        if dtype == tf.bool:
            return tf.constant(random.random(shape) < 0.5)
        whole = bool(known) or dtype.is_integer
        numbers = random.integers(0, min([*known, TOP_NUMBER]), shape) if whole else random.normal(size=shape)
        return _of_kind(tf.cast(numbers, dtype), symbolic)

    return keras.tree.map_structure(made_up, symbolic_inputs(model))


def _shape(symbolic: Any) -> tuple[int, ...]:
    """The shape of a batch for an input."""
    samples, *axes = symbolic.shape
    size = SIDE if len(axes) >= 3 else LENGTH
    return (samples or SAMPLES, *(size if axis is None else axis for axis in axes))


def _of_kind(value: Any, symbolic: Any) -> Any:
    """A dense tensor as an input takes it: ragged, sparse, or as it is."""
    config = input_layer_of(symbolic).get_config()
    if config.get("ragged"):
        return tf.RaggedTensor.from_tensor(value)
    return tf.sparse.from_dense(value) if config.get("sparse") else value
