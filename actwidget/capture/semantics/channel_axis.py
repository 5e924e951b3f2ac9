"""Which axis of an activation holds its channels, and what they are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.capture.semantics.attention_scores import are_scores
from actwidget.capture.semantics.table.lookup import semantics_of
from actwidget.capture.structure.paths import outers
from actwidget.keras_internals.graph import first_node, function_of, nodes_for
from actwidget.keras_internals.tensors import has_producer, producer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actwidget.capture.structure.model_graph import ModelGraph
    from actwidget.capture.structure.node import LayerNode


@dataclass(frozen=True)
class ChannelAxis:
    """How an activation is divided into channels.

    Attributes:
        axis: The axis that is divided, the first being that of the samples; `None` where there is one channel alone.
        channel_label: What a channel is called: `"channel"`, `"unit"` or `"head"`.
        is_explicit: Whether the layer names the axis, or one before it whose axes it keeps; else it is assumed.
    """

    axis: int | None
    channel_label: str
    is_explicit: bool = False

    def moved_last(self, value: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """An activation, shape `(samples, ...)`, seen with its channels on the last axis."""
        return value[..., np.newaxis] if self.axis is None else np.moveaxis(value, self.axis, -1)

    def count(self, shape: tuple[int | None, ...]) -> int | None:
        """How many channels there are in an activation of a shape, `None` where that is open."""
        if self.axis is None or len(shape) < 2:
            return 1
        return shape[self.axis]


def channel_axis_of(
    node: LayerNode, operation: keras.Operation, steps: int = 0, containers: Sequence[Any] = ()
) -> ChannelAxis:
    """The channels of a node: the heads of attention scores, the axis that a layer names, else the last.

    A layer that works value by value has those of what it is given.

    Args:
        node: The node.
        operation: Its layer or operation.
        steps: How many axes of time steps come between that of the samples and those of its own layer.
        containers: The layers that hold it.
    """
    shape = node.output_shape or ()
    rank = len(shape) - steps
    if node.class_name == "AttentionScores" or are_scores(operation, shape[:1] + shape[1 + steps :], containers):
        # (samples, heads, targets, sources), or of a layer without heads (samples, targets, sources).
        return ChannelAxis(rank - 3 if rank > 3 else None, "head", is_explicit=True)
    channel_label = "channel" if rank >= 4 else "unit"
    axis = _named_axis(operation, rank) if rank >= 3 else -1
    if axis is None:
        return ChannelAxis(-1, channel_label)
    return ChannelAxis(axis if axis < 0 else axis + steps, channel_label, is_explicit=True)


def own_channel_axis(graph: ModelGraph, path: str) -> ChannelAxis:
    """The channels of the node at a path of a model's graph."""
    owners = [graph.root, *(graph.operations[each] for each in outers(path) if each in graph.operations)]
    return channel_axis_of(graph.nodes[path], graph.operations[path], graph.steps(path), owners)


def keeps_steps(graph: ModelGraph, path: str) -> bool:
    """Whether no layer known to reorder steps stands on the way to a path, so that its steps are those of the input."""
    if path in graph.tensors:
        return not any(map(_reorders_steps, nodes_for(function_of(graph.root), [graph.tensors[path]])))
    restored: set[str] = set()
    for node in graph.tree:
        operation = graph.operations[node.path]
        if isinstance(operation, keras.layers.Bidirectional):  # it turns the steps of its backward layer around again
            restored.update(inner.path for inner in node)
        is_inside = f"{path}/".startswith(f"{node.path}/")  # the gates of a layer that goes backwards do so too
        if getattr(operation, "go_backwards", False) and (is_inside or node.path not in restored):
            return False
        if node.path == path:
            break
    return True


def _reorders_steps(node: Any) -> bool:
    """Whether a call in a functional graph changes the order of steps."""
    reorders = semantics_of(node.operation).reorders_steps
    return (reorders(node) if callable(reorders) else reorders) or getattr(node.operation, "go_backwards", False)


def _named_axis(operation: Any, rank: int) -> int | None:
    """The axis of the channels by what a layer, or one before it whose axes it keeps, says; `None` if none does."""
    while True:
        layout = getattr(operation, "data_format", None)
        if layout in {"channels_first", "channels_last"}:
            return 1 if layout == "channels_first" else -1
        semantics, axis = semantics_of(operation), _axis_of(operation)
        if axis is not None and (semantics.axis == "channels" or (semantics.axis == "normalized" and rank >= 4)):
            return -1 if axis % rank == rank - 1 else axis % rank
        before = _largest_input(operation) if semantics.keeps_channel_axis else None
        if before is None or len(before.shape) != rank:
            return None
        operation = producer(before)


def _axis_of(operation: Any) -> int | None:
    """The one axis that an operation names."""
    axis = getattr(operation, "axis", None)
    if isinstance(axis, (list, tuple)) and len(axis) == 1:
        axis = axis[0]
    return axis if isinstance(axis, int) and axis != 0 else None


def _largest_input(operation: Any) -> Any:
    """The tensor of the most axes that an operation was given when it was called first; `None` where it was not."""
    node = first_node(operation)
    tensors = [] if node is None else [tensor for tensor in node.input_tensors if has_producer(tensor)]
    return max(tensors, key=lambda tensor: len(tensor.shape), default=None)
