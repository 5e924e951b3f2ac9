"""Which classes are Keras's own, and those of them that have no public name."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any

import keras
from keras.src.layers.rnn.conv_lstm import ConvLSTMCell
from keras.src.utils.naming import to_snake_case

__all__ = ["ConvLSTMCell", "Functional", "is_from_keras", "is_preprocessing", "operation_classes", "to_snake_case"]

Functional: Any = keras.src.models.Functional
"""What `keras.Model(inputs, outputs)` makes."""


def is_from_keras(value: Any) -> bool:
    """Whether a layer or operation is of one of Keras's own classes; a user's class can bear the same name."""
    return is_keras_class(type(value))


def is_keras_class(cls: type) -> bool:
    """The same for a class."""
    return cls.__module__.startswith("keras.src.")


def is_preprocessing(value: Any) -> bool:
    """Whether a layer is one of Keras's own that prepare data, such as `Normalization`; some adapt to it first."""
    return type(value).__module__.startswith("keras.src.layers.preprocessing.")


@functools.cache
def operation_classes() -> Mapping[str, type]:
    """The classes behind the functions of `keras.ops`, by their names: `Relu6` computes `keras.ops.relu6`.

    Of two with one name, in different modules, the first is meant.
    """
    found: dict[str, type] = {}
    for module in pkgutil.iter_modules(keras.src.ops.__path__):
        if module.name.endswith("_test"):
            continue
        for name, value in vars(importlib.import_module(f"keras.src.ops.{module.name}")).items():
            is_operation = isinstance(value, type) and issubclass(value, keras.Operation)
            if is_operation and value.__module__.startswith("keras.src.ops."):
                found.setdefault(name, value)
    return found
