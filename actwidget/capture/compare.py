"""`compare`: how far a model's activations are from another model's, or from those of another input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.capture.inputs import prepare
from actwidget.capture.session import Activations, activations
from actwidget.capture.tree import trace
from actwidget.errors import InvalidInputsError, UnsupportedModelError

if TYPE_CHECKING:
    from actwidget.capture.graph import ModelGraph


def check_same_layers(graph: ModelGraph, other: keras.Model, inputs: Any = None) -> None:
    """Raises an error unless another model has the paths of a graph that is read already.

    Raises:
        UnsupportedModelError: They differ; the message says where.
    """
    mine, theirs = list(graph.nodes), list(trace(other, inputs).nodes)
    if mine != theirs:
        at = next((a or b for a, b in zip([*mine, ""], [*theirs, ""], strict=False) if a != b), "")
        message = (
            f"Models {graph.model.name!r} and {other.name!r} are not of one architecture: their layers differ "
            f"at {at!r}. Compare two checkpoints of one model, with the same layer names."
        )
        raise UnsupportedModelError(message)


def compare(model: keras.Model, inputs: Any, other: Any, layers: Any = None, **options: Any) -> Activations:
    """How far a model's activations are from another model's on the same input, or from its own on another input.

    Args:
        model: A Keras model.
        inputs: One batch, as for `activations`.
        other: A `keras.Model` of the same architecture (two checkpoints, say), or a batch of the same size.
        layers: A selector, a list of them, or `None` for every node that can be had.
        **options: Those of `activations`.

    Returns:
        A mapping from path to the other activation minus the first, in order of execution; of what is no number, or
        differs in shape, there is no difference, and its path is left out.

    Raises:
        UnsupportedModelError: The two models are not of one architecture.
        InvalidInputsError, LayerNotFoundError, CaptureError, MemoryBudgetError: As for `activations`.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Rescaling(2.0, name="twice")])
        >>> compare(model, np.zeros((1, 4)), np.ones((1, 4)), "twice")["twice"]
        array([[2., 2., 2., 2.]], dtype=float32)
    """
    if isinstance(other, keras.Model):
        check_same_layers(trace(model, inputs), other, inputs)
        second = activations(other, inputs, layers, **options)
    else:
        expected = trace(model, inputs).inputs
        sizes = [prepare(each, expected, model.name).size for each in (inputs, other)]
        if sizes[0] != sizes[1]:
            message = (
                f"Expected two batches of one size to compare in model {model.name!r}, got {sizes[0]} and {sizes[1]} "
                "samples. Give as many of both."
            )
            raise InvalidInputsError(message)
        second = activations(model, other, layers, **options)
    first = activations(model, inputs, layers, **options)
    found = {}
    for path, value in first.items():
        if path in second and value.shape == second[path].shape and value.dtype.kind in "fiub":
            wide = np.result_type(value.dtype, np.float32)
            found[path] = np.subtract(second[path], value, dtype=wide)
    return Activations(found, model.name)
