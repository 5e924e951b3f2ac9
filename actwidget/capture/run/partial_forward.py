"""A forward pass that starts from known activations, so that the next layer costs one layer and not the whole model."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import keras

from actwidget.capture.run.failures import Failing, failing_layer
from actwidget.capture.run.restore import unchanged
from actwidget.keras_internals.graph import function_of, nodes_for
from actwidget.keras_internals.layers import with_training

if TYPE_CHECKING:
    from actwidget.capture.run.conversion import Array
    from actwidget.capture.structure.model_graph import ModelGraph


def path_from(held: Mapping[str, Array], graph: ModelGraph, path: str) -> list[Any] | None:
    """The calls that lead from known activations to the one at a path, in the order in which Keras runs them.

    Args:
        held: The known activations by path; each must be the complete output of its layer.
        graph: The model's graph.
        path: The path of the wanted activation.

    Returns:
        Nodes of the model's own functional graph; `None` if the calls have to start at the inputs.
    """
    if path not in graph.tensors or graph.edits:
        return None
    known = {id(graph.tensors[each]) for each in held if each in graph.tensors}
    nodes = nodes_for(function_of(graph.root), [graph.tensors[path]], known)
    return None if any(node.is_input for node in nodes) else nodes


def layers_behind(graph: ModelGraph, path: str) -> list[keras.Layer]:
    """The layers whose weights the activation at a path depends on; the whole model if the graph does not tell."""
    if path not in graph.tensors or graph.edits:
        return [graph.model]
    nodes = nodes_for(function_of(graph.root), [graph.tensors[path]])
    return [node.operation for node in nodes if isinstance(node.operation, keras.Layer)]


def run_from(held: Mapping[str, Array], graph: ModelGraph, path: str, nodes: list[Any]) -> Any:
    """Runs the calls that `path_from` returned, and returns the tensor at `path`.

    Raises:
        CaptureError: One of them raised.
    """
    outputs = {id(tensor) for node in nodes for tensor in node.outputs}
    given = {id(tensor) for node in nodes for tensor in node.input_tensors} - outputs
    values = {
        id(tensor): keras.ops.convert_to_tensor(held[each])
        for each, tensor in graph.tensors.items()
        if each in held and id(tensor) in given
    }
    layers = [node.operation for node in nodes if isinstance(node.operation, keras.Layer)]
    with unchanged(graph.model, layers):
        for node in nodes:
            args, kwargs = node.arguments.fill_in(values)
            run = with_training(node.operation, training=False)
            failing = functools.partial(failing_layer, graph, node.operation, *args, **kwargs)
            with Failing(graph.model.name, failing):
                tensors = keras.tree.flatten(run(*args, **kwargs))
            values.update(zip(map(id, node.outputs), tensors, strict=True))
    return values[id(graph.tensors[path])]
