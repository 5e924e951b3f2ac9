"""Between which values a layer's activation function keeps its output."""

from __future__ import annotations

from typing import Any

import keras

Bounds = tuple[float | None, float | None]

_BY_FUNCTION: dict[str, Bounds] = {
    "hard_sigmoid": (0.0, 1.0),
    "relu6": (0.0, 6.0),
    "sigmoid": (0.0, 1.0),
    "softmax": (None, 1.0),  # a thousand values share one: that most are near zero is no sign of anything
    "tanh": (-1.0, 1.0),
    "hard_tanh": (-1.0, 1.0),
}


def activation_bounds(operation: Any) -> Bounds | None:
    """The lower and upper bound of an operation's output, or `None` where its activation function has none.

    Args:
        operation: A Keras layer or operation: a `ReLU` with `max_value`, a `Softmax`, a layer with an `activation`.
    """
    if isinstance(operation, keras.layers.ReLU) and operation.max_value is not None:
        return (0.0, float(operation.max_value))
    if isinstance(operation, keras.layers.Softmax):
        return _BY_FUNCTION["softmax"]
    if isinstance(operation, keras.layers.Layer):
        name = getattr(getattr(operation, "activation", None), "__name__", None)
    else:
        name = type(operation).__name__.lower()
    return _BY_FUNCTION.get(name) if isinstance(name, str) else None
