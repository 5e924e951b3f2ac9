"""The functions that a layer can have for its `activation`: along which axis they mix values, and their bounds."""

from __future__ import annotations

from typing import Any

import keras

from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.classes import is_framework_function

Bounds = tuple[float | None, float | None]
"""The least and the greatest value; `None` where there is none."""

BOUNDS: dict[str, Bounds] = {
    "hard_sigmoid": (0.0, 1.0),
    "relu6": (0.0, 6.0),
    "sigmoid": (0.0, 1.0),
    "softmax": (None, 1.0),  # a thousand values share one: that most are near zero is no sign of anything
    "tanh": (-1.0, 1.0),
    "hard_tanh": (-1.0, 1.0),
}
# TensorFlow and JAX write some of them in one word.
_BOUNDS = {name.replace("_", ""): bounds for name, bounds in BOUNDS.items()}

# fmt: off
_VALUE_BY_VALUE = (
    "linear", "relu", "relu6", "leaky_relu", "elu", "celu", "selu", "gelu", "silu", "swish", "mish", "softplus",
    "softsign", "squareplus", "exponential", "sigmoid", "log_sigmoid", "hard_sigmoid", "sparse_sigmoid", "tanh",
    "hard_tanh", "hard_silu", "hard_swish", "hard_shrink", "soft_shrink", "tanh_shrink", "sparse_plus",
)
# fmt: on
_ALONG_THE_LAST_AXIS = ("softmax", "log_softmax", "sparsemax")


def works_value_by_value(function: Any) -> bool:
    """Whether each value of a function's output depends on the value at the same place alone."""
    return _is_one_of(function, _VALUE_BY_VALUE)


def works_along_the_last_axis(function: Any) -> bool:
    """Whether a function mixes the values along the last axis, and no others."""
    return _is_one_of(function, _ALONG_THE_LAST_AXIS)


def bounds_of_function(function: Any) -> Bounds | None:
    """Between which values the output of an activation function lies, `None` where that is not known."""
    # A function of the user's can have the name of one of these.
    if not is_framework_function(function):
        return None
    return _BOUNDS.get(getattr(function, "__name__", "").replace("_", ""))


def _is_one_of(function: Any, names: tuple[str, ...]) -> bool:
    """Whether a function is itself a public one of Keras's or its backend's: the user's own can have the same name."""
    homes = (keras.activations, keras.ops, *backend.activation_modules)
    return any(function is getattr(home, name, None) for home in homes for name in names)
