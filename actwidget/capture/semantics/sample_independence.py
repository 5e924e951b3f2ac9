"""Whether the value of a node for one sample depends on that sample alone, whatever else is in the batch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import keras

from actwidget.capture.semantics.table.activation_functions import works_along_the_last_axis, works_value_by_value
from actwidget.capture.semantics.table.lookup import semantics_of
from actwidget.keras_internals.classes import is_from_keras
from actwidget.keras_internals.graph import function_of, graph_nodes, nodes_for
from actwidget.keras_internals.layers import axes_of_attention, flat_layers, pads_to_the_longest
from actwidget.keras_internals.tensors import is_declared_ragged

if TYPE_CHECKING:
    from actwidget.capture.structure.model_graph import ModelGraph
    from actwidget.capture.structure.node import LayerNode


def are_samples_independent(graph: ModelGraph, nodes: Iterable[LayerNode]) -> bool | None:
    """Whether the values of some nodes can be computed sample by sample, or in parts of a batch.

    Args:
        graph: The model's graph.
        nodes: Those whose values are wanted.

    Returns:
        `True` where every call on the way is one of Keras's own that is known to keep the samples apart, `False` where
        one does not, and `None` where only a trial can tell.
    """
    nodes = list(nodes)
    # A value without an axis of samples can't be put together; a stateful layer takes its own number of samples.
    if graph.stateful or any(not node.output_shape or node.output_shape[0] is not None for node in nodes):
        return False
    # Where it depends on the batch which layers are called, parts of it could call others.
    if graph.allow_unreached:
        return False
    if any(pads_to_the_longest(layer) for layer in flat_layers(graph.root)) or _is_ragged(graph):
        return False
    function = function_of(graph.root)
    if function is None or graph.edits:
        return None
    tensors = [graph.tensors.get(node.path) for node in nodes]
    calls = graph_nodes(function) if None in tensors else nodes_for(function, tensors)
    return True if all(map(_keeps_samples_apart, calls)) else None


def _is_ragged(graph: ModelGraph) -> bool:
    return any(is_declared_ragged(tensor) for tensor in keras.tree.flatten(graph.inputs) if tensor is not None)


def _keeps_samples_apart(node: Any) -> bool:
    """Whether one call in a functional graph is known to keep samples apart."""
    operation = node.operation
    if (inner := function_of(operation)) is not None:
        return all(map(_keeps_samples_apart, graph_nodes(inner)))
    if not is_from_keras(operation) or "call" in vars(operation) or node.arguments.kwargs.get("training"):
        return False
    if isinstance(operation, keras.Layer):
        layers = flat_layers(operation)
        return all(map(_is_layer_known, layers)) and _named_axes_are_not_the_first(node, operation)
    rule = semantics_of(operation).keeps_samples_apart
    return callable(rule) and all(map(_has_samples_first, [*node.input_tensors, *node.outputs])) and rule(node)


def _is_layer_known(layer: keras.Layer) -> bool:
    """Whether a layer, without those inside it, is known to keep samples apart."""
    rule = semantics_of(layer).keeps_samples_apart
    if not (rule(layer) if callable(rule) else rule) or "call" in vars(layer):
        return False
    if getattr(layer, "quantization_mode", None) is not None:
        return False
    functions = [getattr(layer, name, None) for name in ("activation", "recurrent_activation")]
    if not all(each is None or _is_activation_known(each) for each in functions):
        return False
    return all(map(_leave_out_samples, (getattr(layer, "axis", -1), axes_of_attention(layer) or -1)))


def _is_activation_known(activation: Any) -> bool:
    if isinstance(activation, keras.Layer):
        return _is_layer_known(activation)
    return works_value_by_value(activation) or works_along_the_last_axis(activation)


def _leave_out_samples(axes: Any) -> bool:
    """Whether a layer's own axes leave out that of the samples; negative ones count from the end of several axes."""
    return axes is not None and 0 not in ([axes] if isinstance(axes, int) else list(axes))


def _named_axes_are_not_the_first(node: Any, layer: keras.Layer) -> bool:
    """Whether the axes that a layer counts from the end can't be that of the samples."""
    # The softmax of an `Activation` goes along the last axis.
    if not hasattr(layer, "axis") and not isinstance(layer, keras.layers.Activation):
        return True
    axes = getattr(layer, "axis", -1)
    farthest = max([1, *(-axis for axis in ([axes] if isinstance(axes, int) else axes) if axis < 0)])
    return all(_has_samples_first(tensor) and len(tensor.shape) > farthest for tensor in node.input_tensors)


def _has_samples_first(tensor: Any) -> bool:
    """Whether a symbolic tensor's first axis is as long as there are samples."""
    return bool(tensor.shape) and tensor.shape[0] is None
