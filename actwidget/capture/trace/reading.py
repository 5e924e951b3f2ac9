"""`layer_tree(model)`: everything in a model that can be selected."""

from __future__ import annotations

import functools
from typing import Any

import keras

from actwidget.capture.run.fitted_inputs import fitted
from actwidget.capture.run.inputs import Batch, prepare
from actwidget.capture.run.tap import Tap
from actwidget.capture.run.tapped_model import Tapped
from actwidget.capture.structure.call_arguments import Signature, has_call
from actwidget.capture.structure.call_names import counted_layers
from actwidget.capture.structure.inner_models import no_call, without_call
from actwidget.capture.structure.model_graph import ModelGraph
from actwidget.capture.structure.node import LayerNode
from actwidget.capture.structure.paths import sendable
from actwidget.capture.structure.supported_models import check_is_keras_model
from actwidget.capture.trace.node_builder import NodeBuilder, as_tapped
from actwidget.capture.trace.observing import ModelObserver, TracedModel
from actwidget.capture.trace.sequential import build_for
from actwidget.errors import UnsupportedModelError
from actwidget.keras_internals.graph import function_of


def layer_tree(model: keras.Model, inputs: Any = None) -> LayerNode:
    """The tree of everything in a model whose activation can be selected.

    Args:
        model: A Keras 3 model of any kind.
        inputs: A sample batch, as for `activations`. A model that has not been built yet needs one. It is also useful
            for a model without a functional graph, since only a forward pass shows what such a model calls.

    Returns:
        The root, whose children are the nodes of the model in order of execution, inputs first.

    Raises:
        UnsupportedModelError: `model` is not a Keras 3 model, or it has no `call()` or no layers.
        ModelNotBuiltError: The model has never been built and no `inputs` were given.
        InvalidInputsError: The model can't take `inputs`.

    Example:
        >>> import keras
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="hidden")], name="small")
        >>> print(layer_tree(model))  # doctest: +ELLIPSIS
        small... Sequential ...
          hidden... Dense ... (None, 3) ... 15
        >>> layer_tree(model)["hidden"].parameters
        15
    """
    return trace(model, inputs).tree


def trace(model: Any, inputs: Any = None) -> ModelGraph:
    """The graph of a model, as `read` returns it.

    Raises:
        UnsupportedModelError, ModelNotBuiltError, InvalidInputsError: As for `read`.
    """
    return read(model, inputs)[0]


def read(
    model: Any,
    inputs: Any = None,
    *,
    record: dict[str, Any] | None = None,
    most: int | None = None,
    parts: bool = False,
    known: ModelGraph | None = None,
) -> tuple[ModelGraph, Batch | None]:
    """Finds everything in a model that can be selected, and converts inputs to the structure that the model takes.

    A functional graph is read without running anything. A model without one is run once on `inputs` and observed. The
    model does not change.

    Args:
        model: The model.
        inputs: A sample batch.
        record: A dict to fill with the tensor at each path, if the model is run on all samples.
        most: If there are more samples than this, the model is run on only some of them, and layers that only the
            others call are not found.
        parts: Whether to list the layers of a model without `call()`, although none of them can be captured.
        known: The graph of the model as it was read with other inputs. It is used again if it can't depend on them.

    Returns:
        The model's graph and the batch, which is `None` without inputs.

    Raises:
        UnsupportedModelError: It is not a Keras 3 model, or it has no `call()` or no layers.
        ModelNotBuiltError: The model is not built, and there are no inputs to build it with.
        InvalidInputsError: The model can't take `inputs`.
    """
    if known is not None and _holds_for_any_inputs(known):
        edited = bool(known.edits)
        return known, None if inputs is None else fitted(known.root, inputs, edited=edited)
    check_is_keras_model(model)
    is_tapped = isinstance(model, Tapped)
    root = model.model if is_tapped else model
    edits = dict(model.edits) if is_tapped else {}
    allowed = model.allow_unreached if is_tapped else frozenset()
    new_tap = functools.partial(Tap, root, edits=edits, allow_unreached=allowed, structure=True)
    observer = ModelObserver(root, new_tap, record=record, most=most)
    if not has_call(root):
        if not parts:
            raise no_call(root)
        traced = _read_parts(root, inputs)
    else:
        if isinstance(root, keras.Sequential) and function_of(root) is None:
            build_for(root, inputs)
        if function_of(root) is not None:
            traced = _read_graph(root, inputs, observer, is_edited=bool(edits))
        else:
            traced = observer.on_symbols() if inputs is None else observer.on(inputs)
    if not traced.nodes:
        message = (
            f"Model {model.name!r} ({type(model).__name__}) has no layers, so there is nothing to look at. Values that "
            "a model computes itself are seen once a layer gives them."
        )
        raise UnsupportedModelError(message)
    return _as_graph(model, root, traced), traced.batch


def _holds_for_any_inputs(graph: ModelGraph) -> bool:
    """Whether the graph of a model was read without a run of it, and the model still has that graph."""
    if function_of(graph.root) is None or graph.untried or graph.was_run:
        return False
    try:
        graph.check()
    except UnsupportedModelError:
        return False
    return True


def _as_graph(model: keras.Model, root: keras.Model, traced: TracedModel) -> ModelGraph:
    """The graph of a model from the traced `root`, which for an edited model is the model inside it."""
    outputs, builder = traced.outputs, traced.builder
    edits = dict(model.edits) if isinstance(model, Tapped) else {}
    tree = LayerNode(
        path="",
        name=sendable(model.name),
        class_name=type(model).__name__,
        call=0,
        output_shape=outputs[0].shape if len(outputs) == 1 else None,
        dtype=outputs[0].dtype if len(outputs) == 1 else "",
        parameters=builder.parameters(model),
        trainable=bool(model.trainable),
        children=tuple(map(as_tapped, traced.nodes)) if edits else traced.nodes,
        layer_count=len(counted_layers(root)),
    )
    return ModelGraph(
        model,
        root,
        tree,
        inputs=traced.symbols,
        places={} if edits else builder.places,
        paths=builder.paths,
        operations=builder.operations,
        outputs=traced.paths,
        edits=edits,
        allow_unreached=model.allow_unreached if isinstance(model, Tapped) else frozenset(),
        failed=builder.failed,
        called=builder.called,
        untried=builder.untried,
        was_run=traced.was_run,
        spread=traced.spread,
        asides=builder.asides,
    )


def _read_parts(root: keras.Model, inputs: Any) -> TracedModel:
    """The layers of a model without `call()`, none of which can be captured."""
    builder = NodeBuilder()
    nodes = without_call(root, builder.declared(root, ""))
    batch = None if inputs is None else prepare(inputs, None, root.name)
    return TracedModel(builder, nodes, [], (), batch, Signature(root).usual)


def _read_graph(root: keras.Model, inputs: Any, observer: ModelObserver, *, is_edited: bool) -> TracedModel:
    """The nodes of a functional graph. The model runs only if a layer's inside can't be found out otherwise."""
    function, builder, was_run = function_of(root), NodeBuilder(), False
    symbols = function.inputs[0] if isinstance(root, keras.Sequential) else function.input
    nodes = builder.graph(function, "", None, owner=root)
    batch = None if inputs is None else fitted(root, inputs, edited=is_edited)
    if builder.untried and batch is not None:
        builder, was_run = observer.calls_inside(symbols, batch), True
        nodes = builder.graph(function, "", None, owner=root)
    outputs = [builder.outputs[id(tensor)] for tensor in function.outputs]
    by_tensor = {id(place.tensor): path for path, place in reversed(builder.places.items()) if place.outer is None}
    paths = tuple(by_tensor[id(tensor)] for tensor in function.outputs)
    return TracedModel(builder, nodes, outputs, paths, batch, Signature(root).usual, symbols, was_run)
