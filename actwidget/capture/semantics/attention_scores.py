"""Attention that people build of layers and operations: which activations are its scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

from actwidget.capture.semantics.table.lookup import semantics_of
from actwidget.keras_internals.classes import is_from_keras, operation_classes
from actwidget.keras_internals.graph import consumers, first_node
from actwidget.keras_internals.tensors import has_producer, producer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def are_scores(operation: Any, shape: Sequence[int | None], containers: Sequence[Any] = ()) -> bool:
    """Whether an activation holds a weight of each source, along the last axis, for each target, along the one before.

    In a graph these are a product of two activations and what a softmax over the last axis makes of it, each step on
    the way there too. Inside a layer of the user's the graph is not known: there it is a softmax over the last axis
    with as many maps as the layer says that it has heads.

    Args:
        operation: What computes it.
        shape: Its shape, the samples first.
        containers: The layers that hold the operation.
    """
    rank = len(shape)
    if rank < 3 or not is_from_keras(operation):
        return False
    if rank > 3 and _is_softmax(operation, rank) and any(_has_heads(each, shape[rank - 3]) for each in containers):
        return True
    if semantics_of(operation).scores is None:
        return False
    behind = _reached(operation, rank, _sources)
    products = [each for each in behind if semantics_of(each).scores == "product"]
    if not products or not all(_multiplies_activations(product) for product in products):
        return False
    # What the scores are multiplied with in the end has no sources on its last axis.
    if any(are_scores(producer(tensor), tensor.shape) for each in products for tensor in _inputs(each)):
        return False
    return any(_is_softmax(each, rank) for each in [*behind, *_reached(operation, rank, _consumers)])


def _reached(start: Any, rank: int, neighbours: Any) -> list[Any]:
    """An operation, and those that are reached from it by steps that scale, mask or normalize scores."""
    found, waiting = {id(start): start}, [start]
    while waiting:
        each = waiting.pop()
        role = semantics_of(each).scores
        if (each is not start and role != "step") or (neighbours is _sources and role == "product"):
            continue
        for other in neighbours(each, rank):
            if id(other) not in found and is_from_keras(other):
                found[id(other)] = other
                waiting.append(other)
    return list(found.values())


def _inputs(operation: Any) -> list[Any]:
    """The tensors that an operation was given when it was called first, if that was in a graph."""
    node = first_node(operation)
    return [] if node is None else [tensor for tensor in node.input_tensors if has_producer(tensor)]


def _sources(operation: Any, rank: int) -> Iterable[Any]:
    """The operations whose outputs, of so many axes, an operation is given."""
    return [producer(each) for each in _inputs(operation) if len(each.shape) == rank]


def _consumers(operation: Any, rank: int) -> Iterable[Any]:
    """The operations that are given the output of an operation, if it has so many axes."""
    node = first_node(operation)
    if node is None or not node.outputs or len(node.outputs[0].shape) != rank:
        return []
    return consumers(operation)


def _multiplies_activations(product: Any) -> bool:
    """Whether both factors are activations, not weights."""
    return len(tensors := _inputs(product)) == 2 and all(len(tensor.shape) >= 3 for tensor in tensors)


def _is_softmax(operation: Any, rank: int) -> bool:
    """Whether an operation is a softmax over the last axis."""
    if getattr(operation, "activation", None) is keras.activations.softmax:
        return isinstance(operation, keras.layers.Activation)
    is_softmax = isinstance(operation, (keras.layers.Softmax, operation_classes()["Softmax"]))
    return is_softmax and operation.axis in {-1, rank - 1}


def _has_heads(container: Any, count: int | None) -> bool:
    """Whether a layer has an attribute that says that it has so many heads."""
    attributes = vars(container).items()
    return any("head" in name and type(value) is int and value == count for name, value in attributes)
