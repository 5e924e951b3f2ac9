"""Which operations work value by value, and along which axes some of them mix values all the same."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from actwidget.keras_internals.classes import is_from_keras

# fmt: off
_LAYERS = {
    "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "BatchNormalization", "LayerNormalization",
    "Rescaling", "Normalization", "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
    "GaussianNoise", "GaussianDropout", "AlphaDropout", "Add", "Subtract", "Multiply", "Average", "Maximum",
    "Minimum", "Concatenate", "Identity", "ActivityRegularization", "Dense",
}
_OPERATIONS = {
    "Divide", "TrueDivide", "Negative", "Absolute", "Square", "Sqrt", "Exp", "Log", "Power", "Clip", "Cast",
    "Relu", "Relu6", "Sigmoid", "HardSigmoid", "Silu", "HardSilu", "Gelu", "Elu", "Selu", "Tanh", "Softplus",
    "LeakyRelu",
}
_VALUE_BY_VALUE = (
    "linear", "relu", "relu6", "leaky_relu", "elu", "celu", "selu", "gelu", "silu", "swish", "mish", "softplus",
    "softsign", "squareplus", "exponential", "sigmoid", "log_sigmoid", "hard_sigmoid", "sparse_sigmoid", "tanh",
    "hard_tanh", "hard_silu", "hard_swish", "hard_shrink", "soft_shrink", "tanh_shrink", "sparse_plus",
)
# fmt: on
_ALONG_THE_LAST = ("softmax", "log_softmax", "sparsemax")
_NAMED_AXES = {"Softmax", "LayerNormalization", "Concatenate"}


def is_pointwise(operation: Any) -> bool:
    """Whether an operation of Keras's works value by value, but for the axes that `mixed_axes` tells."""
    return is_from_keras(operation) and type(operation).__name__ in _LAYERS | _OPERATIONS


def mixed_axes(operation: Any, rank: int) -> set[int]:
    """The axes along which an operation mixes the values of a sample, beside what its kernel or pool reaches.

    A layer's activation can be any function: one that is not known mixes all.

    Args:
        operation: Of Keras's.
        rank: How many axes the operation's output has, that of the samples among them.
    """
    axes: Any = []
    if isinstance(operation, keras.layers.Dense):
        axes = [-1]
    elif type(operation).__name__ in _NAMED_AXES:
        axes = range(rank) if operation.axis is None else operation.axis
    own = {axis % rank for axis in ([axes] if isinstance(axes, int) else axes)}
    return (own | _mixed_by_activation(getattr(operation, "activation", None), rank)) - {0}


def _mixed_by_activation(activation: Any, rank: int) -> set[int]:
    if activation is None or _is_one_of(activation, _VALUE_BY_VALUE):
        return set()
    if _is_one_of(activation, _ALONG_THE_LAST):
        return {rank - 1}
    return mixed_axes(activation, rank) if is_pointwise(activation) else set(range(rank))


def is_known_activation(activation: Any) -> bool:
    """Whether an activation works value by value, or along the last axis."""
    return _is_one_of(activation, _VALUE_BY_VALUE + _ALONG_THE_LAST)


def _is_one_of(function: Any, names: tuple[str, ...]) -> bool:
    """Whether a function is itself a public one of Keras's or TensorFlow's: the user's own can have the same name."""
    homes = (keras.activations, keras.ops, tf.nn)
    return any(function is getattr(home, name, None) for home in homes for name in names)
