"""Reads a functional graph: its calls in order, the calls that lead to a tensor, and the edges between calls."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Any

import keras

from actwidget.keras_internals.classes import Functional
from actwidget.keras_internals.tensors import producer
from actwidget.keras_internals.versions import UNUSED_INPUTS_REFUSED


@dataclass(frozen=True, eq=False)
class Edge:
    """A tensor that one node of a graph produces and another one consumes; a node is one call of a layer.

    Attributes:
        tensor: The symbolic tensor.
        source: The node that produces it.
        target: The node that consumes it.
    """

    tensor: Any
    source: Any
    target: Any


def function_of(operation: Any) -> Any:
    """The `keras.Function` with the graph that runs when a layer is called; `None` if there is none.

    A `Sequential` has one inside. A functional model that overrides `call()` has a graph too, but does not run it.
    """
    if isinstance(operation, keras.Sequential):
        return operation._functional if type(operation).call is keras.Sequential.call else None
    if isinstance(operation, Functional) and type(operation).call in _GRAPH_CALLS:
        return operation
    return None


# The `call` methods that do nothing but run the graph.
_GRAPH_CALLS = {Functional.call}


def runs_its_graph(cls: type) -> type:
    """Marks a functional model class whose `call` runs the graph and only changes the structure of the outputs."""
    _GRAPH_CALLS.add(cls.call)  # type: ignore[attr-defined]
    return cls


def graph_nodes(function: Any) -> list[Any]:
    """The nodes of a functional graph in the order in which Keras runs them, inputs first.

    These are only the nodes of this graph; a layer that is part of several models has nodes in all of them.
    """
    by_depth = function._nodes_by_depth
    ordered = [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]
    order = {id(tensor): index for index, tensor in enumerate(function.inputs)}
    inputs = [node for node in ordered if node.is_input]
    inputs.sort(key=lambda node: order.get(id(node.outputs[0]), len(order)))
    return inputs + [node for node in ordered if not node.is_input]


def node_count(function: Any) -> int:
    """How many nodes a functional graph has."""
    return len(function._nodes)


def edges(function: Any) -> list[Edge]:
    """The edges of a functional graph, in the order in which Keras runs their target nodes."""
    nodes = graph_nodes(function)
    producers = {id(tensor): node for node in nodes for tensor in node.outputs}
    return [Edge(tensor, producers[id(tensor)], node) for node in nodes for tensor in node.input_tensors]


def nodes_for(function: Any, tensors: Iterable[Any], at_hand: Container[int] = ()) -> list[Any]:
    """The nodes that must run to compute some tensors of a functional graph, in the order in which Keras runs them.

    Args:
        function: The graph.
        tensors: The tensors to compute.
        at_hand: The `id` of each tensor whose value is known already, so that it need not be computed.
    """
    ordered = graph_nodes(function)
    producers = {id(tensor): node for node in ordered for tensor in node.outputs}
    needed: set[int] = set()
    waiting = list(tensors)
    while waiting:
        tensor = waiting.pop()
        node = producers[id(tensor)]
        if id(tensor) not in at_hand and id(node) not in needed:
            needed.add(id(node))
            waiting += node.input_tensors
    return [node for node in ordered if id(node) in needed]


def first_node(operation: Any) -> Any:
    """The node of an operation's first call in any graph; `None` if it is in no graph."""
    nodes = operation._inbound_nodes
    return nodes[0] if nodes else None


def only_node(operation: Any) -> Any:
    """The node of an operation's only call in any graph; `None` if it has several calls, or none."""
    nodes = operation._inbound_nodes
    return nodes[0] if len(nodes) == 1 else None


def consumers(operation: Any) -> list[Any]:
    """The operations that take an output of an operation as input, in any graph."""
    return [node.operation for node in operation._outbound_nodes]


def standardized_inputs(function: Any, given: Any) -> list[Any]:
    """The arguments of a functional model as a flat list, in the order of the model's inputs."""
    return list(function._standardize_inputs(given))


def packed_inputs(function: Any, flat: list[Any]) -> Any:
    """A flat list of inputs, packed into the structure with which the model was created."""
    return keras.tree.pack_sequence_as(function._inputs_struct, flat)


def has_refused_inputs(function: Any) -> bool:
    """Whether the installed Keras refuses to load a graph from a file, because no layer in it is given an input."""
    if not UNUSED_INPUTS_REFUSED.applies:
        return False
    given = {id(edge.tensor) for edge in edges(function)}
    return any(id(tensor) not in given for tensor in function.inputs)


def use_all(inputs: Any) -> None:
    """Gives each symbolic input that no layer is given to a layer, outside of any model, where Keras refuses others."""
    for tensor in keras.tree.flatten(inputs) if UNUSED_INPUTS_REFUSED.applies else ():
        if not consumers(producer(tensor)):
            keras.layers.Identity(name="unused")(tensor)
