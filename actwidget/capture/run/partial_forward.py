"""A forward pass that starts from activations at hand: the next layer down costs one layer, not the whole way."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import keras
from keras.src.models.functional import operation_fn

from actwidget.capture.run.failures import Failing, failing_layer
from actwidget.capture.run.restore import unchanged
from actwidget.keras_internals.graph import function_of, nodes_for

if TYPE_CHECKING:
    from actwidget.capture.run.restore import Array
    from actwidget.capture.structure.model_graph import ModelGraph


def way_from(graph: ModelGraph, path: str, held: Mapping[str, Array]) -> list[Any] | None:
    """The calls that lead from values at hand to the value at a path, in the order in which Keras runs them.

    Args:
        graph: The model's graph.
        path: What is wanted.
        held: Values at hand, each of them all that its layer gave.

    Returns:
        Nodes of the model's own functional graph; `None` where the way has to begin at the inputs.
    """
    if path not in graph.tensors or graph.edits:
        return None
    known = {id(graph.tensors[each]) for each in held if each in graph.tensors}
    way = nodes_for(function_of(graph.root), [graph.tensors[path]], known)
    return None if any(node.is_input for node in way) else way


def layers_behind(graph: ModelGraph, path: str) -> list[keras.Layer]:
    """The layers on whose weights the value at a path rests; where the graph does not tell, the whole model."""
    if path not in graph.tensors or graph.edits:
        return [graph.model]
    way = nodes_for(function_of(graph.root), [graph.tensors[path]])
    return [node.operation for node in way if isinstance(node.operation, keras.Layer)]


def go(graph: ModelGraph, path: str, way: list[Any], held: Mapping[str, Array]) -> Any:
    """Runs the calls of a way; gives the tensor at `path`.

    Raises:
        CaptureError: One of them raised.
    """
    outputs = {id(tensor) for node in way for tensor in node.outputs}
    given = {id(tensor) for node in way for tensor in node.input_tensors} - outputs
    values = {
        id(tensor): keras.ops.convert_to_tensor(held[each])
        for each, tensor in graph.tensors.items()
        if each in held and id(tensor) in given
    }
    layers = [node.operation for node in way if isinstance(node.operation, keras.Layer)]
    with unchanged(graph.model, layers):
        for node in way:
            args, kwargs = node.arguments.fill_in(values)
            run = operation_fn(node.operation, training=False)
            failing = functools.partial(failing_layer, graph, node.operation, *args, **kwargs)
            with Failing(graph.model.name, failing):
                made = keras.tree.flatten(run(*args, **kwargs))
            values.update(zip(map(id, node.outputs), made, strict=True))
    return values[id(graph.tensors[path])]
