"""Between which values a layer's activation function keeps its output."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras

from actwidget.keras_internals.classes import is_from_keras
from actwidget.keras_internals.graph import function_of, only_node
from actwidget.keras_internals.tensors import producer, tensor_index

if TYPE_CHECKING:
    from actwidget.capture.structure.node import LayerNode

Bounds = tuple[float | None, float | None]

_BY_FUNCTION: dict[str, Bounds] = {
    "hardsigmoid": (0.0, 1.0),
    "relu6": (0.0, 6.0),
    "sigmoid": (0.0, 1.0),
    "softmax": (None, 1.0),  # a thousand values share one: that most are near zero is no sign of anything
    "tanh": (-1.0, 1.0),
    "hardtanh": (-1.0, 1.0),
}
# Where the name of a function means what it says: someone's own may be called "tanh" and be another.
_KNOWN = {"keras", "tensorflow", "jax", "torch"}
_LSTMS = {"LSTM", "LSTMCell", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "ConvLSTMCell"}
# What goes out of these keeps within the activation's bounds as long as their gates are open from 0 to 1.
_GATED = _LSTMS | {"GRU", "GRUCell"}
_GATES = (_BY_FUNCTION["sigmoid"], _BY_FUNCTION["softmax"])


def activation_bounds(operation: Any, node: LayerNode | None = None) -> Bounds | None:
    """The lower and upper bound of an operation's output, or `None` where its activation function has none.

    Args:
        operation: A Keras layer or operation: a `ReLU` with `max_value`, a `Softmax`, a layer with an `activation`. Of
            a class that is not Keras's own nothing is known.
        node: Which output of it, by default the first.
    """
    if type(operation).__module__.partition(".")[0] != "keras":
        return None
    kind = "" if node is None else node.class_name
    if kind in _INTERMEDIATES:
        return _INTERMEDIATES[kind](operation)
    if isinstance(operation, keras.layers.Softmax):
        return _BY_FUNCTION["softmax"]
    if isinstance(operation, keras.layers.ReLU):
        low = None if operation.negative_slope else 0.0
        return None if operation.max_value is None else (low, float(operation.max_value))
    if isinstance(operation, keras.layers.Layer):
        return _of_layer(operation, 0 if node is None else output_index(node))
    return _BY_FUNCTION.get(type(operation).__name__.lower())


def is_sigmoid(operation: Any, output: int = 0) -> bool:
    """Whether an output of a layer or operation is that of a sigmoid; of a nested model, what it ends in.

    What only gives values another shape or dtype, as a `Flatten` does, hands a sigmoid on.
    """
    if (function := function_of(operation)) is not None:
        tensor = function.outputs[output]
        return is_sigmoid(producer(tensor), tensor_index(tensor))
    if isinstance(operation, keras.Layer | keras.Operation) and type(operation).__name__ in _SAME_VALUES:
        node = only_node(operation) if is_from_keras(operation) else None
        given = [] if node is None else node.input_tensors
        return len(given) == 1 and is_sigmoid(producer(given[0]), tensor_index(given[0]))
    return activation_bounds(operation) == _BY_FUNCTION["sigmoid"]


_SAME_VALUES = {"Flatten", "Reshape", "Squeeze", "ExpandDims", "Identity", "Cast", "Dropout"}


def _of_layer(layer: Any, output: int) -> Bounds | None:
    """The bounds of one output of a layer that may have an `activation`."""
    kind = type(layer).__name__
    if kind in _LSTMS and output > 1:
        return None  # the cell's state, which adds up
    if kind in _GATED and _of_function(layer.recurrent_activation) not in _GATES:
        return None
    return _of_function(getattr(layer, "activation", None))


def _of_function(activation: Any) -> Bounds | None:
    """The bounds of what a layer has for its `activation`: a function, or a layer."""
    if isinstance(activation, keras.layers.Layer):
        return activation_bounds(activation)
    if (getattr(activation, "__module__", None) or "").partition(".")[0] not in _KNOWN:
        return None
    return _BY_FUNCTION.get(getattr(activation, "__name__", "").replace("_", ""))


# What a layer computes on the way, by the class that its node has.
_INTERMEDIATES: dict[str, Callable[[Any], Bounds | None]] = {
    "AttentionScores": lambda _layer: _BY_FUNCTION["softmax"],
    "Gate": lambda cell: _of_function(cell.recurrent_activation),
    "Candidate": lambda cell: _of_function(cell.activation),
    "CellState": lambda _cell: None,  # it adds up
    "HiddenState": lambda cell: _of_layer(cell, 0),
}


def output_index(node: LayerNode) -> int:
    """Which of its call's output tensors a node is, from 0."""
    suffix = node.path.rsplit("/", 1)[-1].removeprefix(node.name)
    found = re.search(r":(\d+)$", suffix)
    return int(found[1]) if found else 0
