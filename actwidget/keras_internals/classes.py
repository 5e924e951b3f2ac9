"""Tells Keras's own classes and functions from the user's, and gives access to classes without a public name."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any

import keras
from keras.src.layers.rnn.conv_lstm import ConvLSTMCell
from keras.src.utils.naming import to_snake_case

__all__ = [
    "ConvLSTMCell",
    "Functional",
    "is_framework_function",
    "is_from_keras",
    "is_keras_class",
    "is_keras_method",
    "is_preprocessing",
    "operation_classes",
    "to_snake_case",
]

Functional: Any = keras.src.models.Functional
"""What `keras.Model(inputs, outputs)` makes."""


def is_from_keras(value: Any) -> bool:
    """Whether a layer or operation is of one of Keras's own classes; a user's class may have the same name."""
    return is_keras_class(type(value))


def is_keras_class(cls: type) -> bool:
    """Whether a class is one of Keras's own."""
    return cls.__module__.startswith("keras.src.")


def is_keras_method(cls: type, name: str) -> bool:
    """Whether a class has a method from Keras, and does not define its own."""
    return str(getattr(getattr(cls, name, None), "__module__", "")).startswith("keras.src.")


def is_preprocessing(value: Any) -> bool:
    """Whether a layer is one of Keras's preprocessing layers, such as `Normalization`."""
    return type(value).__module__.startswith("keras.src.layers.preprocessing.")


def packages_of(value: Any) -> set[str]:
    """The packages that define the classes of a value, such as `{"tf_keras", "tensorflow", "builtins"}`."""
    return {base.__module__.partition(".")[0] for base in type(value).__mro__}


def is_framework_function(function: Any) -> bool:
    """Whether a function is part of Keras or of a backend; a user's function may have the same name."""
    package = (getattr(function, "__module__", None) or "").partition(".")[0]
    return package in {"keras", "tensorflow", "jax", "torch"}


def is_from_actwidget(cls: type) -> bool:
    """Whether a class is part of actwidget."""
    return cls.__module__.startswith("actwidget.")


@functools.cache
def operation_classes() -> Mapping[str, type]:
    """The classes behind the functions of `keras.ops` and `keras.activations`, by name: `Relu6` computes `relu6`."""
    modules = [f"keras.src.ops.{module.name}" for module in pkgutil.iter_modules(keras.src.ops.__path__)]
    found: dict[str, type] = {}
    for name in [*modules, "keras.src.activations.activations"]:
        if name.endswith("_test"):  # Keras is shipped with its tests, which import packages that may be missing
            continue
        for value in vars(importlib.import_module(name)).values():
            if isinstance(value, type) and issubclass(value, keras.Operation) and value.__module__ == name:
                found.setdefault(value.__name__, value)
    return found
