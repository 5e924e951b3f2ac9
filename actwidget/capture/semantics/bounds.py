"""Between which values a layer's activation function keeps its output."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras

from actwidget.capture.semantics.table.activation_functions import BOUNDS, Bounds, bounds_of_function
from actwidget.capture.semantics.table.lookup import semantics_of
from actwidget.keras_internals.classes import is_from_keras
from actwidget.keras_internals.graph import function_of, only_node
from actwidget.keras_internals.tensors import producer, tensor_index

if TYPE_CHECKING:
    from actwidget.capture.structure.node import LayerNode

_OPEN_GATES = (BOUNDS["sigmoid"], BOUNDS["softmax"])
"""A gate with such bounds lets through no more than what comes to it."""


def activation_bounds(operation: Any, node: LayerNode | None = None) -> Bounds | None:
    """The lower and upper bound of an operation's output, or `None` where its activation function has none.

    Args:
        operation: A Keras layer or operation: a `ReLU` with `max_value`, a `Softmax`, a layer with an `activation`. Of
            a class that is not Keras's own nothing is known.
        node: Which output of it, or what it computes on the way; by default its first output.
    """
    if node is not None and node.class_name in _INTERMEDIATES:
        return _INTERMEDIATES[node.class_name](operation) if is_from_keras(operation) else None
    return _bounds_of_output(operation, 0 if node is None else output_index(node))


def is_sigmoid(operation: Any, output: int = 0) -> bool:
    """Whether an output of a layer or operation is that of a sigmoid; of a nested model, what it ends in.

    What only gives values another shape or dtype, as a `Flatten` does, hands a sigmoid on.
    """
    return _bounds_at_end(operation, output) == BOUNDS["sigmoid"]


def is_softmax(operation: Any, output: int = 0) -> bool:
    """Whether an output of a layer or operation is that of a softmax, in the same sense as `is_sigmoid`."""
    return _bounds_at_end(operation, output) == BOUNDS["softmax"]


def _bounds_at_end(operation: Any, output: int) -> Bounds | None:
    if (function := function_of(operation)) is not None:
        tensor = function.outputs[output]
        return _bounds_at_end(producer(tensor), tensor_index(tensor))
    if semantics_of(operation).keeps_values:
        node = only_node(operation)
        given = [] if node is None else node.input_tensors
        return _bounds_at_end(producer(given[0]), tensor_index(given[0])) if len(given) == 1 else None
    return activation_bounds(operation)


def _bounds_of_output(operation: Any, output: int) -> Bounds | None:
    semantics = semantics_of(operation)
    if semantics.bounded_outputs is not None and output >= semantics.bounded_outputs:
        return None
    if semantics.bounds == "gated activation":
        gates = _bounds_of_activation(operation.recurrent_activation)
        return _bounds_of_activation(operation.activation) if gates in _OPEN_GATES else None
    if semantics.bounds == "activation":
        return _bounds_of_activation(operation.activation)
    return semantics.bounds(operation) if callable(semantics.bounds) else semantics.bounds


def _bounds_of_activation(activation: Any) -> Bounds | None:
    """The bounds of what a layer has for its `activation`: a function, or a layer."""
    if isinstance(activation, keras.layers.Layer):
        return activation_bounds(activation)
    return bounds_of_function(activation)


# What a layer computes on the way, by the class that its node has.
_INTERMEDIATES: dict[str, Callable[[Any], Bounds | None]] = {
    "AttentionScores": lambda _layer: BOUNDS["softmax"],
    "Gate": lambda cell: _bounds_of_activation(cell.recurrent_activation),
    "Candidate": lambda cell: _bounds_of_activation(cell.activation),
    "CellState": lambda _cell: None,  # it adds up
    "HiddenState": lambda cell: _bounds_of_output(cell, 0),
}


def output_index(node: LayerNode) -> int:
    """Which of its call's output tensors a node is, from 0."""
    suffix = node.path.rsplit("/", 1)[-1].removeprefix(node.name)
    found = re.search(r":(\d+)$", suffix)
    return int(found[1]) if found else 0
