"""Which axis of an activation holds its channels, and what they are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.capture.semantics.attention_scores import are_scores
from actwidget.keras_internals.classes import is_from_keras
from actwidget.keras_internals.graph import first_node, function_of, nodes_for
from actwidget.keras_internals.tensors import has_producer, producer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actwidget.capture.structure.model_graph import ModelGraph
    from actwidget.capture.structure.node import LayerNode


@dataclass(frozen=True)
class Channels:
    """How an activation is divided.

    Attributes:
        axis: The axis that is divided, the first being that of the samples; `None` where there is one part alone.
        noun: What a part is called.
        told: Whether the layer, or one whose axes it hands on, says so; else it is taken for granted.
    """

    axis: int | None
    noun: str
    told: bool = False

    def last(self, value: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """An activation, shape `(samples, ...)`, seen with its channels on the last axis."""
        return value[..., np.newaxis] if self.axis is None else np.moveaxis(value, self.axis, -1)

    def count(self, shape: tuple[int | None, ...]) -> int | None:
        """How many there are in an activation of a shape, `None` where that is open."""
        if self.axis is None or len(shape) < 2:
            return 1
        return shape[self.axis]


def channels_of(node: LayerNode, operation: keras.Operation, steps: int = 0, owners: Sequence[Any] = ()) -> Channels:
    """The channels of a node: the heads of attention scores, the axis that a layer names, else the last.

    A layer that works value by value has those of what it is given.

    Args:
        node: The node.
        operation: Its layer or operation.
        steps: How many axes of time steps come between that of the samples and those of its own layer.
        owners: The layers that hold it.
    """
    shape = node.output_shape or ()
    rank = len(shape) - steps
    if node.class_name == "AttentionScores" or are_scores(operation, shape[:1] + shape[1 + steps :], owners):
        # (samples, heads, targets, sources), or of a layer without heads (samples, targets, sources).
        return Channels(rank - 3 if rank > 3 else None, "head", told=True)
    noun = "channel" if rank >= 4 else "unit"
    axis = _named_axis(operation, rank) if rank >= 3 else -1
    if axis is None:
        return Channels(-1, noun)
    return Channels(axis if axis < 0 else axis + steps, noun, told=True)


_MOVES_STEPS = {"Flip", "Roll", "Rot90", "Sort", "Argsort"}


def keeps_steps(graph: ModelGraph, path: str) -> bool:
    """Whether nothing known on the way to a layer gives steps in another order than it is given them."""
    if path in graph.tensors:
        return not any(map(_moves_steps, nodes_for(function_of(graph.root), [graph.tensors[path]])))
    turned: set[str] = set()
    for node in graph.tree:
        operation = graph.operations[node.path]
        if isinstance(operation, keras.layers.Bidirectional):  # it turns round again what runs backwards in it
            turned.update(inner.path for inner in node)
        inside = f"{path}/".startswith(f"{node.path}/")  # its gates go backwards as it does
        if getattr(operation, "go_backwards", False) and (inside or node.path not in turned):
            return False
        if node.path == path:
            break
    return True


def _moves_steps(node: Any) -> bool:
    """Whether a call in a functional graph changes the order of steps; a slice of all of them can only turn them."""
    operation = node.operation
    name = type(operation).__name__
    turns = name == "GetItem" and node.outputs[0].shape == node.input_tensors[0].shape
    return turns or name in _MOVES_STEPS or getattr(operation, "go_backwards", False)


# fmt: off
# What works value by value, or on whole channels whichever axis they are on.
_KEEPS = {
    "Activation", "ReLU", "LeakyReLU", "ELU", "PReLU", "Dropout", "Rescaling", "Identity",
    "GaussianNoise", "GaussianDropout", "AlphaDropout", "ActivityRegularization",
    "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Softmax",
    "Relu", "Relu6", "LeakyRelu", "Sigmoid", "HardSigmoid", "Silu", "HardSilu", "Gelu", "Elu", "Selu", "Tanh",
    "Softplus", "Clip", "Cast", "Absolute", "Square", "Sqrt", "Exp", "Log", "Negative", "Divide", "TrueDivide",
}
# fmt: on
_NORMALIZES = {"BatchNormalization", "GroupNormalization"}


def _named_axis(operation: Any, rank: int) -> int | None:
    """The axis of the channels by what a layer, or one before it whose axes it hands on, says; `None` if none does."""
    while True:
        layout = getattr(operation, "data_format", None)
        if layout in {"channels_first", "channels_last"}:
            return 1 if layout == "channels_first" else -1
        # A class of the user's can bear the name of one of Keras's.
        if not is_from_keras(operation):
            return None
        name, axis = type(operation).__name__, _axis_of(operation)
        if axis is not None and (name in _NORMALIZES or (name == "LayerNormalization" and rank >= 4)):
            return -1 if axis % rank == rank - 1 else axis % rank
        before = _given(operation) if name in _KEEPS else None
        if before is None or len(before.shape) != rank:
            return None
        operation = producer(before)


def _axis_of(operation: Any) -> int | None:
    """The one axis that an operation names."""
    axis = getattr(operation, "axis", None)
    if isinstance(axis, (list, tuple)) and len(axis) == 1:
        axis = axis[0]
    return axis if isinstance(axis, int) and axis != 0 else None


def _given(operation: Any) -> Any:
    """The tensor of the most axes that an operation was given when it was called first; `None` where it was not."""
    node = first_node(operation)
    tensors = [] if node is None else [tensor for tensor in node.input_tensors if has_producer(tensor)]
    return max(tensors, key=lambda tensor: len(tensor.shape), default=None)
