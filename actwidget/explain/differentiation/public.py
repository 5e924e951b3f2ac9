"""`gradients`: how an answer depends on activations or weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.capture.access.activations import Activations
from actwidget.capture.structure.selectors import select
from actwidget.errors import NotCapturableError
from actwidget.explain.differentiation.compiled_pass import Pass
from actwidget.explain.differentiation.passes import Passes
from actwidget.explain.differentiation.places import has_gradients, leads_to_output, place_at
from actwidget.explain.differentiation.points import Point
from actwidget.explain.differentiation.target import target_of
from actwidget.options import one_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actwidget.capture.structure.node import LayerNode

Array = np.ndarray[Any, Any]


def gradients(
    model: keras.Model,
    inputs: Any,
    layers: Any = None,
    target: Any = None,
    *,
    of: str = "activations",
    logits: bool = True,
) -> Mapping[str, Any]:
    """The gradients of a model's answer with respect to its activations or weights, in one backward pass.

    Args:
        model: A Keras model of any kind. It is left as it was.
        inputs: One batch, as for `activations`. All samples go through at once.
        layers: A selector, a list of them, or `None` for all on which the target depends.
        target: As for `attributions`: a class, one for each sample, a callable on the outputs, or `None` for the top
            class.
        of: `"activations"`, or `"weights"` for those of the layers' trainable weights.
        logits: Whether the target is taken before a final softmax or sigmoid, where the model is known to end in one.

    Returns:
        In order of execution, from path to an array of the activation's shape, `(samples, ...)`; or with `of="weights"`
        to a list of arrays in the order of `layer.trainable_weights`, summed over samples.

    Raises:
        UnsupportedModelError, InvalidInputsError, LayerNotFoundError, CaptureError: As for `activations`.
        OptionError: The target is no class of the model, or an option has a wrong value.
        NotCapturableError: The target does not depend on a layer that was named.

    Example:
        >>> import keras, numpy as np
        >>> layers = [keras.Input((4,)), keras.layers.Dense(3, name="hidden"), keras.layers.Dense(2, name="out")]
        >>> model = keras.Sequential(layers)
        >>> gradients(model, np.ones((5, 4)), "hidden")["hidden"].shape
        (5, 3)
        >>> [each.shape for each in gradients(model, np.ones((5, 4)), "hidden", of="weights")["hidden"]]
        [(4, 3), (3,)]
    """
    one_of(of, ("activations", "weights"), "of")
    passes = Passes(model, inputs, logits=logits)
    passes.target = target_of(target, passes.batch.size)
    chosen = None if layers is None else (list(layers) if isinstance(layers, (list, tuple)) else [layers])
    found = _of_weights(passes, chosen) if of == "weights" else _of_activations(passes, chosen)
    if not found and chosen is None:
        message = (
            f"There is no differentiable way from the target to any layer of model {model.name!r}. Give a target that "
            "is computed from the outputs with keras.ops."
        )
        raise NotCapturableError(message)
    return found


def _of_activations(passes: Passes, chosen: list[Any] | None) -> Mapping[str, Any]:
    if chosen is None:
        paths = passes.known.fact("all with gradients", lambda: _all_paths(passes))
    else:
        wanted = {place_at(passes, selector).path for selector in chosen}
        paths = [path for path in passes.graph.nodes if path in wanted]
    size = passes.batch.size
    points = tuple(Point(path, None, "add") for path in paths)
    zeros = [np.zeros((size, *passes.shape_at(path)), np.float32) for path in paths]
    result = passes.run(Pass(points), None, zeros)
    values = {}
    for path, gradient in zip(paths, result.gradients, strict=True):
        if gradient is not None:
            values[path] = gradient
        elif chosen is not None:
            raise passes.no_way(path)
    return Activations(values, passes.model.name)


def _all_paths(passes: Passes) -> list[str]:
    """The paths of all activations that the answer may depend on."""
    return [node.path for node in passes.graph.tree if _may_have_gradient(passes, node)]


def _may_have_gradient(passes: Passes, node: LayerNode) -> bool:
    graph = passes.graph
    if node.origin == "opaque" or node.path in graph.asides or not has_gradients(node.dtype):
        return False
    has_samples = bool(node.output_shape) and node.output_shape is not None and node.output_shape[0] is None
    return has_samples and leads_to_output(graph, node.path)


def _of_weights(passes: Passes, chosen: list[Any] | None) -> Mapping[str, list[Array]]:
    graph = passes.graph
    nodes = list(graph.nodes.values()) if chosen is None else [select(graph, each) for each in chosen]
    layers: dict[str, Any] = {}
    for node in graph.nodes.values():
        layer = graph.operations[node.path]
        if node not in nodes or not isinstance(layer, keras.Layer):
            continue
        if chosen is None and (graph.paths.get(id(layer)) != node.path or not _owns_weights(passes, node)):
            continue
        layers[node.path] = layer
    trained = list(passes.root.trainable_variables)
    places = {id(variable): place for place, variable in enumerate(trained)}
    result = passes.run(Pass((), (), gradients=True, weights=True))
    found: dict[str, list[Array]] = {}
    for path, layer in layers.items():
        each = [result.gradients[places[id(weight)]] for weight in layer.trainable_weights if id(weight) in places]
        if any(gradient is not None for gradient in each):
            found[path] = [
                np.zeros(weight.shape, np.float32) if gradient is None else gradient
                for gradient, weight in zip(each, layer.trainable_weights, strict=True)
            ]
        elif chosen is not None:
            message = (
                f"There is no differentiable way from the target to weights of {path!r} in model "
                f"{passes.model.name!r}: it has no trainable weights that the target depends on. Name another layer."
            )
            raise NotCapturableError(message)
    if chosen is not None:
        for node in nodes:
            if node.path not in found:
                message = f"{node.path!r} of model {passes.model.name!r} is no layer, so it has no weights."
                raise NotCapturableError(message)
    return found


def _owns_weights(passes: Passes, node: LayerNode) -> bool:
    """Whether a layer has weights that no layer below it in the tree has."""
    own = {id(weight) for weight in passes.graph.operations[node.path].trainable_weights}
    for inner in node:
        layer = passes.graph.operations[inner.path]
        if isinstance(layer, keras.Layer) and layer is not passes.graph.operations[node.path]:
            own -= {id(weight) for weight in layer.trainable_weights}
    return bool(own)
