"""What made an activation: units with weights, operations on nothing but data, or a question of yes or no."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary

import keras

from actwidget.capture.semantics.bounds import activation_bounds
from actwidget.keras_internals.classes import is_from_keras, is_preprocessing
from actwidget.keras_internals.tensors import node_of, producer

if TYPE_CHECKING:
    from actwidget.capture.structure.model_graph import ModelGraph, Step

Made = Literal["activations", "data", "flags"]
"""Of units; of the inputs alone, without weights; a 1 for each thing that is there, and zeros."""

_ENCODINGS = {"one_hot", "multi_hot"}
# fmt: off
_REARRANGES = {
    "Reshape", "Flatten", "Permute", "Transpose", "ExpandDims", "Squeeze", "Concatenate", "Stack", "Identity", "Cast",
    "GetItem", "Repeat", "RepeatVector", "BroadcastTo", "Tile", "Multiply", "Maximum", "Minimum", "Swapaxes",
    "Moveaxis", "Dropout", "Masking", "ZeroPadding1D", "ZeroPadding2D", "Cropping1D", "Cropping2D",
}
# fmt: on
"""What makes flags of nothing but flags."""


def made_of(graph: ModelGraph, path: str) -> Made:
    """What the values of a node are, as far as that is known without looking at them."""
    if (known := meanings_of(graph).get(path)) is not None:
        return known
    operation = graph.operations[path]
    if _encodes(operation):
        return "flags"
    return "data" if isinstance(operation, keras.layers.InputLayer) or is_preprocessing(operation) else "activations"


def may_be_flags(graph: ModelGraph, path: str) -> bool:
    """Whether a node that gives nothing but 0 and 1 does so by its nature.

    A layer whose weights or activation function come to that is unwell.
    """
    operation = graph.operations[path]
    return not getattr(operation, "weights", None) and activation_bounds(operation, graph.nodes[path]) is None


def meanings_of(graph: ModelGraph) -> dict[str, Made]:
    """For each path that a functional graph reaches what is known of its values without looking at them.

    What no layer with weights had a part in is data: that a pixel is black in each picture makes no unit dead.
    """
    if graph not in _MEANINGS:
        _MEANINGS[graph] = _read_meanings(graph)
    return _MEANINGS[graph]


_MEANINGS: WeakKeyDictionary[ModelGraph, dict[str, Made]] = WeakKeyDictionary()


def _read_meanings(graph: ModelGraph) -> dict[str, Made]:
    found: dict[tuple[int, int], Made] = {}

    def known(tensors: Any, outer: Step | None) -> set[Made]:
        return {found.get((id(outer), id(tensor)), "activations") for tensor in tensors}

    meanings: dict[str, Made] = {}
    for path, place in graph.places.items():
        operation, node = producer(place.tensor), node_of(place.tensor)
        given: set[Made]
        if node.is_input:
            outer = place.outer
            given = {"data"} if outer is None else known(outer.node.input_tensors, outer.outer)
        else:
            given = known(node.input_tensors, place.outer)
        meanings[path] = found[id(place.outer), id(place.tensor)] = _made(operation, place.tensor, given)
    return meanings


def _made(operation: Any, tensor: Any, given: set[Made]) -> Made:
    """What a call makes of values of some meanings."""
    rearranges = is_from_keras(operation) and type(operation).__name__ in _REARRANGES
    if tensor.dtype == "bool" or _encodes(operation) or (rearranges and given == {"flags"}):
        return "flags"
    has_weights = isinstance(operation, keras.Layer) and bool(operation.weights) and not is_preprocessing(operation)
    # A layer of the user's can hold weights of which Keras knows nothing.
    return "activations" if has_weights or not is_from_keras(operation) or "activations" in given else "data"


def _encodes(operation: Any) -> bool:
    """Whether an operation gives a 1 for each thing that is there, and zeros."""
    if not is_from_keras(operation):
        return False
    is_encoder = is_preprocessing(operation) and getattr(operation, "output_mode", None) in _ENCODINGS
    return is_encoder or type(operation).__name__ in {"OneHot", "MultiHot"}
