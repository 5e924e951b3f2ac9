"""The softmax or sigmoid with which a model ends, and what it was given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

from actwidget.keras_internals.calls import unobserved
from actwidget.keras_internals.classes import is_framework_function, is_from_keras, operation_classes

_LAYERS_OF_ONE_PRODUCT = (
    keras.layers.Dense,
    keras.layers.EinsumDense,
    *(getattr(keras.layers, f"Conv{rank}D") for rank in (1, 2, 3)),
    *(getattr(keras.layers, f"Conv{rank}DTranspose") for rank in (1, 2, 3)),
    *(getattr(keras.layers, f"SeparableConv{rank}D") for rank in (1, 2)),
    *(getattr(keras.layers, f"DepthwiseConv{rank}D") for rank in (1, 2)),
)
"""Keras's layers whose `activation` is the last thing that they do."""
_KNOWN = {"softmax", "sigmoid"}


def ending_of(operation: Any) -> str:
    """Which function a layer or operation ends with: `"softmax"`, `"sigmoid"`, or `""` for any other.

    >>> ending_of(keras.layers.Dense(3, activation="softmax")), ending_of(keras.layers.Dense(3, activation="relu"))
    ('softmax', '')
    """
    if not is_from_keras(operation):
        return ""
    if isinstance(operation, keras.layers.Softmax):
        return "softmax"
    for name in ("Softmax", "Sigmoid"):
        if isinstance(operation, operation_classes()[name]):
            return name.lower()
    if isinstance(operation, (keras.layers.Activation, *_LAYERS_OF_ONE_PRODUCT)):
        activation = getattr(operation, "activation", None)
        if isinstance(activation, keras.Layer):
            return ending_of(activation)
        name = getattr(activation, "__name__", "")
        return name if name in _KNOWN and is_framework_function(activation) else ""
    return ""


@dataclass(frozen=True, eq=False)
class Ending:
    """A call that ends with a softmax or sigmoid.

    Attributes:
        name: `"softmax"` or `"sigmoid"`.
        operation: The layer or operation.
        args: What it was called with.
        kwargs: The same by name.
        output: The tensor that it gave.
    """

    name: str
    operation: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    output: Any = None

    def before(self) -> Any:
        """The tensor that the softmax or sigmoid was given."""
        if not isinstance(self.operation, _LAYERS_OF_ONE_PRODUCT):
            return keras.tree.flatten((self.args, self.kwargs))[0]
        with unobserved():
            return _without_activation(self.operation)(*self.args, **self.kwargs)


def _without_activation(layer: keras.Layer) -> keras.Layer:
    """A layer with the same weights and no activation function. The layer itself is not touched: others may use it."""
    copy: keras.Layer = object.__new__(type(layer))
    vars(copy).update(vars(layer))
    vars(copy)["activation"] = keras.activations.linear
    return copy
