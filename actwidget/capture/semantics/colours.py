"""Whether the channels that a layer is given are still the colours of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

from actwidget.capture.semantics.pointwise import is_pointwise, mixed_axes
from actwidget.capture.semantics.table.lookup import semantics_of
from actwidget.capture.semantics.table.rules import cropped, padded
from actwidget.keras_internals.classes import is_from_keras, is_preprocessing
from actwidget.keras_internals.graph import function_of
from actwidget.keras_internals.tensors import node_of, producer

if TYPE_CHECKING:
    from actwidget.capture.structure.model_graph import ModelGraph, Step

COLOURS = 3
LEAST = 4
"""A picture has no fewer rows and columns."""


def is_given_colours(graph: ModelGraph, path: str) -> bool:
    """Whether a layer is given a picture of three colours: an input of the model, or one that was only prepared.

    To prepare a picture is to scale, pad, crop or resize it: what works value by value without weights, and Keras's
    preprocessing layers.

    Args:
        graph: The model's graph.
        path: The layer's path. Of a layer that no functional graph reaches it is not known.
    """
    place = graph.places.get(path)
    if place is None:
        return False
    axis = 1 if getattr(producer(place.tensor), "data_format", None) == "channels_first" else 3
    node, function, outer = node_of(place.tensor), place.function, place.outer
    while True:
        if node.is_input:
            if outer is None:
                return True
            tensor, function, outer = *_outside(node, function, outer), outer.outer
        elif len(node.input_tensors) == 1:
            tensor = node.input_tensors[0]
        else:
            return False
        if not _has_colours(tensor.shape, axis):
            return False
        node = node_of(tensor)
        if not node.is_input and not _keeps_colours(producer(tensor), axis):
            return False


def _outside(node: Any, function: Any, outer: Step) -> tuple[Any, Any]:
    """The tensor that a nested model is called with in place of one of its inputs, and the graph that it stands in."""
    inputs = [id(tensor) for tensor in function.inputs]
    return outer.node.input_tensors[inputs.index(id(node.output_tensors[0]))], outer.function


def _has_colours(shape: tuple[int | None, ...], axis: int) -> bool:
    if len(shape) != 4 or shape[axis] != COLOURS:
        return False
    sides = [length for place, length in enumerate(shape) if place not in {0, axis}]
    return all(length is None or length >= LEAST for length in sides)


def _keeps_colours(operation: Any, axis: int) -> bool:
    """Whether each channel of what an operation gives is made of the same channel alone, without learned weights."""
    if (function := function_of(operation)) is not None:
        inner = [each for each in function.operations if not isinstance(each, keras.layers.InputLayer)]
        return all(_keeps_colours(each, axis) for each in inner)
    if is_preprocessing(operation):
        return True
    if not is_from_keras(operation) or getattr(operation, "weights", None):
        return False
    if is_pointwise(operation):
        return axis not in mixed_axes(operation, 4)
    return semantics_of(operation).reach in {padded, cropped}
