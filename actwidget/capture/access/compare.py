"""`compare`: how far a model's activations are from another model's, or from those of another input."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.capture.access.activations import Activations, activations
from actwidget.capture.semantics.bounds import output_index
from actwidget.capture.trace import read, trace
from actwidget.errors import InvalidInputsError, UnsupportedModelError
from actwidget.keras_internals.graph import function_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actwidget.capture.structure.model_graph import ModelGraph
    from actwidget.capture.structure.node import LayerNode


def paired(graph: ModelGraph, other: ModelGraph) -> dict[str, str]:
    """Which path of another model each path of a model stands beside.

    Where both have the same paths, each stands beside its like. Where they do not (Keras numbers the layers that were
    given no name, and a clone's inputs), the nodes are paired in order of execution, and have to be of one class, one
    shape and one place in the tree.

    Raises:
        UnsupportedModelError: They differ; the message says where.
    """
    if graph.nodes.keys() == other.nodes.keys():
        return {path: path for path in graph.nodes}
    for mine, their in zip_longest(graph.nodes.values(), other.nodes.values()):
        if mine is None or their is None or _kind(mine) != _kind(their):
            message = (
                f"Models {graph.model.name!r} and {other.model.name!r} are not of one architecture: their layers "
                f"differ at {_shown(mine)}, where the other one has {_shown(their)}. Compare two checkpoints of one "
                "model, or two models built by the same code."
            )
            raise UnsupportedModelError(message)
    return dict(zip(graph.nodes, other.nodes, strict=True))


def _kind(node: LayerNode) -> tuple[Any, ...]:
    """What two nodes of one place in one architecture have in common, whatever their names."""
    shape = None if node.output_shape is None else node.output_shape[1:]
    return node.class_name, shape, node.call, output_index(node), len(node.children), node.path.count("/")


def _shown(node: LayerNode | None) -> str:
    return "no further layer" if node is None else f"{node.path!r} ({node.class_name}, {node.output_shape})"


def check_same_layers(graph: ModelGraph, other: keras.Model, inputs: Any = None) -> None:
    """Raises an error unless another model has the architecture of a graph that is read already.

    Raises:
        UnsupportedModelError: They differ; the message says where.
    """
    paired(graph, _other(graph, other, inputs))


def _other(graph: ModelGraph, model: keras.Model, inputs: Any) -> ModelGraph:
    """The graph of the model that another one is compared with, on inputs that fit that one."""
    try:
        return trace(model, inputs)
    except InvalidInputsError:
        if function_of(model) is not None:
            paired(graph, trace(model))  # of another architecture, which says more than the inputs do
        raise


def compare(model: keras.Model, inputs: Any, other: Any, layers: Any = None, **options: Any) -> Activations:
    """How far a model's activations are from another model's on the same input, or from its own on another input.

    Args:
        model: A Keras model.
        inputs: One batch, as for `activations`.
        other: A `keras.Model` of the same architecture (two checkpoints, say), or a batch of the same size. The names
            of its layers may be others: the paths of the result are those of `model`.
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
    first: Mapping[str, Any]
    second: Mapping[str, Any]
    if isinstance(other, keras.Model):
        graph = trace(model, inputs)
        pairs = paired(graph, _other(graph, other, inputs))
        first = activations(model, inputs, layers, **options)
        found = activations(other, inputs, None if layers is None else [pairs[path] for path in first], **options)
        second = {path: found[theirs] for path, theirs in pairs.items() if theirs in found}
    else:
        batches = [read(model, each)[1] for each in (inputs, other)]
        sizes = [0 if batch is None else batch.size for batch in batches]
        if sizes[0] != sizes[1]:
            message = (
                f"Expected two batches of one size to compare in model {model.name!r}, got {sizes[0]} and {sizes[1]} "
                "samples. Give as many of both."
            )
            raise InvalidInputsError(message)
        second = activations(model, other, layers, **options)
        first = activations(model, inputs, layers, **options)
    apart = {}
    for path, value in first.items():
        if path in second and value.shape == second[path].shape and value.dtype.kind in "fiub":
            wide = np.result_type(value.dtype, np.float32)
            with np.errstate(all="ignore"):  # infinity minus infinity is NaN, whatever np.seterr says
                apart[path] = np.subtract(second[path], value, dtype=wide)
    return Activations(apart, model.name)
