"""`compare`: the differences of a model's activations to those of another model, or for another input."""

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
    """From each path of a model to the corresponding path of another model.

    If both have the same paths, these correspond. They may differ in two models of one architecture, since Keras
    numbers layers without a name, and the inputs of a clone. Then the nodes are paired in order of execution, and the
    two nodes of a pair must agree in class, shape and place in the tree.

    Raises:
        UnsupportedModelError: The architectures differ; the message says where.
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
    """Everything that corresponding nodes of two models must agree in; names may differ."""
    shape = None if node.output_shape is None else node.output_shape[1:]
    return node.class_name, shape, node.call, output_index(node), len(node.children), node.path.count("/")


def _shown(node: LayerNode | None) -> str:
    return "no further layer" if node is None else f"{node.path!r} ({node.class_name}, {node.output_shape})"


def check_same_layers(graph: ModelGraph, other: keras.Model, inputs: Any = None) -> None:
    """Raises an error unless another model has the same architecture as a graph.

    Raises:
        UnsupportedModelError: The architectures differ; the message says where.
    """
    paired(graph, _trace_other(graph, other, inputs))


def _trace_other(graph: ModelGraph, model: keras.Model, inputs: Any) -> ModelGraph:
    """The graph of the other model, traced with inputs that fit the first one."""
    try:
        return trace(model, inputs)
    except InvalidInputsError:
        # If the architectures differ, an error that says so is more helpful than one about the inputs.
        if function_of(model) is not None:
            paired(graph, trace(model))
        raise


def compare(model: keras.Model, inputs: Any, other: Any, layers: Any = None, **options: Any) -> Activations:
    """The differences of activations between two models on the same input, or of one model between two inputs.

    Args:
        model: A Keras model.
        inputs: One batch, as for `activations`.
        other: A `keras.Model` of the same architecture (another checkpoint, say), or another batch of the same size.
            The layers of the other model may have other names; the paths of the result are those of `model`.
        layers: A selector, a list of them, or `None` for every node that can be captured.
        **options: Those of `activations`.

    Returns:
        A mapping from path to the other activation minus the first, in order of execution. Activations that are not
        numeric, or differ in shape, are left out.

    Raises:
        UnsupportedModelError: The two models differ in architecture.
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
        pairs = paired(graph, _trace_other(graph, other, inputs))
        first = activations(model, inputs, layers, **options)
        theirs = activations(other, inputs, None if layers is None else [pairs[path] for path in first], **options)
        second = {path: theirs[their_path] for path, their_path in pairs.items() if their_path in theirs}
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
    differences = {}
    for path, value in first.items():
        if path in second and value.shape == second[path].shape and value.dtype.kind in "fiub":
            wide = np.result_type(value.dtype, np.float32)
            with np.errstate(all="ignore"):  # infinity minus infinity is NaN, whatever np.seterr says
                differences[path] = np.subtract(second[path], value, dtype=wide)
    return Activations(differences, model.name)
