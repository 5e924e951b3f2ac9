"""What the values of a node are: activations of units, data that no unit had a part in, or flags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary

import keras

from actwidget.capture.semantics.bounds import activation_bounds
from actwidget.capture.semantics.table.lookup import semantics_of
from actwidget.capture.semantics.table.semantics import UNKNOWN
from actwidget.keras_internals.classes import is_from_keras, is_preprocessing
from actwidget.keras_internals.tensors import node_of, producer

if TYPE_CHECKING:
    from actwidget.capture.structure.model_graph import ModelGraph, Step

ValueKind = Literal["activations", "data", "flags"]
"""What units made of their inputs; what was made of the inputs alone, without weights; a one for each thing there."""

_ENCODINGS = {"one_hot", "multi_hot"}
_KINDS: WeakKeyDictionary[ModelGraph, dict[str, ValueKind]] = WeakKeyDictionary()
"""What `_value_kinds` gave for each graph, which stays as it is once it is read."""


def value_kind_of(graph: ModelGraph, path: str) -> ValueKind:
    """What the values of a node are, as far as that is known without looking at them."""
    if graph not in _KINDS:
        _KINDS[graph] = _value_kinds(graph)
    if (known := _KINDS[graph].get(path)) is not None:
        return known
    operation = graph.operations[path]
    if _encodes(operation):
        return "flags"
    return "data" if isinstance(operation, keras.layers.InputLayer) or is_preprocessing(operation) else "activations"


def flags_where(graph: ModelGraph, path: str) -> Literal["never", "one-hot", "zeros and ones"]:
    """For which of its values a node gives flags by its nature, though as floats.

    A layer whose weights or activation function come to zeros and ones is unwell. Code of the user's without either,
    in a layer or a Lambda, that gives nothing else computes a mask. So does what only rearranges it. Of other layers
    the same may be chance, as of a ReLU in a network whose weights were set by hand.
    """
    operation = graph.operations[path]
    if getattr(operation, "weights", None) or activation_bounds(operation, graph.nodes[path]) is not None:
        return "never"
    known = semantics_of(operation)
    return "zeros and ones" if known is UNKNOWN or known.keeps_flags else "one-hot"


def _value_kinds(graph: ModelGraph) -> dict[str, ValueKind]:
    """For each path that a functional graph reaches what its values are, without looking at them.

    What no layer with weights had a part in is data: that a pixel is black in each picture makes no unit dead.
    """
    found: dict[tuple[int, int], ValueKind] = {}

    def kinds_of(tensors: Any, outer: Step | None) -> set[ValueKind]:
        return {found.get((id(outer), id(tensor)), "activations") for tensor in tensors}

    kinds: dict[str, ValueKind] = {}
    for path, place in graph.places.items():
        operation, node = producer(place.tensor), node_of(place.tensor)
        given: set[ValueKind]
        if node.is_input:
            outer = place.outer
            given = {"data"} if outer is None else kinds_of(outer.node.input_tensors, outer.outer)
        else:
            given = kinds_of(node.input_tensors, place.outer)
        kinds[path] = found[id(place.outer), id(place.tensor)] = _kind_made(operation, place.tensor, given)
    return kinds


def _kind_made(operation: Any, tensor: Any, given: set[ValueKind]) -> ValueKind:
    """What a call makes of values of some kinds."""
    keeps_flags = semantics_of(operation).keeps_flags and given == {"flags"}
    if tensor.dtype == "bool" or _encodes(operation) or keeps_flags:
        return "flags"
    has_weights = isinstance(operation, keras.Layer) and bool(operation.weights) and not is_preprocessing(operation)
    # A layer of the user's can hold weights of which Keras knows nothing.
    return "activations" if has_weights or not is_from_keras(operation) or "activations" in given else "data"


def _encodes(operation: Any) -> bool:
    """Whether an operation gives a one for each thing that is there, and zeros."""
    is_encoder = is_preprocessing(operation) and getattr(operation, "output_mode", None) in _ENCODINGS
    return is_encoder or semantics_of(operation).gives_flags


def prepares_input(operation: Any) -> bool:
    """Whether a layer stands before the network proper: an input, or one that scales data or turns words to numbers."""
    return semantics_of(operation).prepares_input
