"""A functional graph read: its calls in order, what leads to a tensor, and the edges between the calls."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Any

import keras

from actwidget.keras_internals.classes import Functional


@dataclass(frozen=True, eq=False)
class Edge:
    """One tensor on its way from the call that makes it to a call that is given it, both nodes of Keras's graph.

    Attributes:
        tensor: The symbolic tensor.
        source: The node that makes it.
        target: The node that is given it.
    """

    tensor: Any
    source: Any
    target: Any


def function_of(operation: Any) -> Any:
    """The `keras.Function` with the graph that runs when a layer is called, or `None` where there is none.

    A `Sequential` keeps one inside; of a model that overrides `call()` the graph is not what runs.
    """
    if isinstance(operation, keras.Sequential):
        return operation._functional if type(operation).call is keras.Sequential.call else None
    if isinstance(operation, Functional) and type(operation).call in _GRAPH_CALLS:
        return operation
    return None


# The `call` of every class that does nothing but run its graph.
_GRAPH_CALLS = {Functional.call}


def runs_its_graph(cls: type) -> type:
    """Marks a functional model class whose `call` only shapes what the graph gives."""
    _GRAPH_CALLS.add(cls.call)  # type: ignore[attr-defined]
    return cls


def graph_nodes(function: Any) -> list[Any]:
    """The nodes of a functional graph in the order in which Keras runs them, inputs first.

    Only this graph's nodes: a layer that also works in another model has more of them.
    """
    by_depth = function._nodes_by_depth
    ordered = [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]
    order = {id(tensor): index for index, tensor in enumerate(function.inputs)}
    given = [node for node in ordered if node.is_input]
    given.sort(key=lambda node: order.get(id(node.outputs[0]), len(order)))
    return given + [node for node in ordered if not node.is_input]


def node_count(function: Any) -> int:
    """How many nodes a functional graph has."""
    return len(function._nodes)


def edges(function: Any) -> list[Edge]:
    """The edges between the nodes of a functional graph, in the order in which Keras runs the nodes they lead to."""
    nodes = graph_nodes(function)
    makers = {id(tensor): node for node in nodes for tensor in node.outputs}
    return [Edge(tensor, makers[id(tensor)], node) for node in nodes for tensor in node.input_tensors]


def nodes_for(function: Any, tensors: Iterable[Any], at_hand: Container[int] = ()) -> list[Any]:
    """The nodes of a functional graph that lead to some of its tensors, in the order in which Keras runs them.

    Args:
        function: The graph.
        tensors: What is wanted of it.
        at_hand: The `id` of each tensor whose value is there already; what leads to it alone is left out.
    """
    ordered = graph_nodes(function)
    makers = {id(tensor): node for node in ordered for tensor in node.outputs}
    needed: set[int] = set()
    waiting = list(tensors)
    while waiting:
        tensor = waiting.pop()
        node = makers[id(tensor)]
        if id(tensor) not in at_hand and id(node) not in needed:
            needed.add(id(node))
            waiting += node.input_tensors
    return [node for node in ordered if id(node) in needed]


def first_node(operation: Any) -> Any:
    """The first call of an operation in any graph, as a node; `None` where it was called in none."""
    nodes = operation._inbound_nodes
    return nodes[0] if nodes else None


def only_node(operation: Any) -> Any:
    """The same for an operation that was called once; `None` where it was called more often, or never."""
    nodes = operation._inbound_nodes
    return nodes[0] if len(nodes) == 1 else None


def consumers(operation: Any) -> list[Any]:
    """The operations that are given what an operation made, in any graph."""
    return [node.operation for node in operation._outbound_nodes]


def standardized_inputs(function: Any, given: Any) -> list[Any]:
    """What a functional model was called with, as a flat list in the order of its inputs."""
    return list(function._standardize_inputs(given))


def packed_inputs(function: Any, flat: list[Any]) -> Any:
    """A flat list of inputs in the structure that the model was made with."""
    return keras.tree.pack_sequence_as(function._inputs_struct, flat)
