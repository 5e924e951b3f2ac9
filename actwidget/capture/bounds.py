"""Between which values a layer's activation function keeps its output."""

from __future__ import annotations

from typing import Any

import keras

Bounds = tuple[float | None, float | None]

_BY_FUNCTION: dict[str, Bounds] = {
    "hard_sigmoid": (0.0, 1.0),
    "relu6": (0.0, 6.0),
    "sigmoid": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "hard_tanh": (-1.0, 1.0),
}


def activation_bounds(operation: Any) -> Bounds | None:
    """The lower and upper bound of an operation's output, or `None` where its activation function has none.

    Args:
        operation: A Keras layer or operation: a `ReLU` with `max_value`, a layer with an `activation`.
            A softmax is left out: most of its values are near zero because they share one.
    """
    if isinstance(operation, keras.layers.ReLU) and operation.max_value is not None:
        return (0.0, float(operation.max_value))
    if isinstance(operation, keras.layers.Layer):
        activation = getattr(operation, "activation", None)
        name = getattr(activation, "__name__", None)
    else:
        name = type(operation).__name__.lower()
    return _BY_FUNCTION.get(name) if isinstance(name, str) else None
