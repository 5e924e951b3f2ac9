"""Finds the one node that a path, a bare name, an index or a layer selects."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, Any

import keras

from actwidget.capture.structure.paths import known_path, not_found
from actwidget.errors import LayerNotFoundError, shown

if TYPE_CHECKING:
    from actwidget.capture.structure.model_graph import ModelGraph
    from actwidget.capture.structure.node import LayerNode


def select(graph: ModelGraph, selector: Any) -> LayerNode:
    """The node that a selector names.

    Args:
        graph: The model's graph.
        selector: A path, a bare name that is unique in the tree, an index into `model.layers`, or a layer of the model.

    Raises:
        LayerNotFoundError: There is no such node, or more than one; the message lists the closest or the candidates.
    """
    if isinstance(selector, str):
        return _by_name(graph, selector)
    if isinstance(selector, numbers.Integral) and not isinstance(selector, bool):
        return _by_index(graph, int(selector))
    if isinstance(selector, keras.Operation):
        if id(selector) in graph.paths:
            return graph.nodes[graph.paths[id(selector)]]
        message = (
            f"Layer {selector.name!r} ({type(selector).__name__}) is no part of model {graph.model.name!r}: it belongs "
            "to another model or was never called in this one. See print(actwidget.layer_tree(model))."
        )
        raise LayerNotFoundError(message)
    kind = type(selector).__name__
    message = f"Expected a layer's path, its index in model.layers or the layer itself, got {kind}: {shown(selector)}."
    raise LayerNotFoundError(message)


def _by_name(graph: ModelGraph, wanted: str) -> LayerNode:
    path = known_path(wanted, graph.nodes)
    if path is not None:
        return graph.nodes[path]
    named = [node for node in graph.tree if node.name == wanted]
    if len(named) == 1:
        return named[0]
    if named:
        paths = ", ".join(repr(node.path) for node in named)
        message = (
            f"Layer {wanted!r} is ambiguous in model {graph.model.name!r}. Candidates: {paths}. Give the whole path."
        )
        raise LayerNotFoundError(message)
    raise not_found(wanted, graph.model.name, graph.nodes, untried=graph.untried)


def _by_index(graph: ModelGraph, index: int) -> LayerNode:
    layers = graph.model.layers
    if not -len(layers) <= index < len(layers):
        message = (
            f"Layer index {index} is out of range for model {graph.model.name!r}, which has {len(layers)} layers: "
            f"{-len(layers)} to {len(layers) - 1}."
        )
        raise LayerNotFoundError(message)
    return select(graph, layers[index])
