"""Builds a `keras.Model` whose outputs are the activations of some nodes, with the weights of the user's model."""

from __future__ import annotations

import functools
import re
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import keras

from actwidget.capture.run.reasons import refusal
from actwidget.capture.run.tapped_model import Tapped
from actwidget.capture.structure.selectors import select
from actwidget.capture.trace import trace
from actwidget.errors import LayerNotFoundError, NotCapturableError, shown
from actwidget.keras_internals.classes import Functional
from actwidget.keras_internals.graph import (
    function_of,
    has_refused_inputs,
    node_count,
    nodes_for,
    runs_its_graph,
    use_all,
)
from actwidget.keras_internals.layers import flat_layers
from actwidget.keras_internals.symbolic import tried_out
from actwidget.keras_internals.tensors import producer

if TYPE_CHECKING:
    from actwidget.capture.run.inputs import Batch
    from actwidget.capture.structure.model_graph import ModelGraph, Place, Step
    from actwidget.capture.structure.node import LayerNode


@keras.saving.register_keras_serializable(package="actwidget")
class PartModel(Functional):  # type: ignore[misc]  # keras.Model's functional form has no public name
    """A functional model that can be loaded on all releases of Keras, even if one of its inputs goes to no layer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # by these names Keras knows that its graph is to be saved
        """Takes what `keras.Model(inputs, outputs)` takes."""
        use_all(args[0] if args else kwargs["inputs"])
        super().__init__(*args, **kwargs)


@runs_its_graph
@keras.saving.register_keras_serializable(package="actwidget")
class ListModel(PartModel):
    """A functional model whose output is always a list, even if it holds only one tensor.

    `keras.Model(inputs, [tensor])` would return the bare tensor.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Takes what `keras.Model(inputs, outputs)` takes."""
        super().__init__(*args, **kwargs)
        self.supports_masking = True

    def compute_mask(self, _inputs: Any, _previous_mask: Any = None) -> None:
        """Does nothing: the outputs keep the masks that they got inside the model."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None, **kwargs: Any) -> Any:  # noqa: FBT001 - Keras's signature
        """As the functional model, with a list around a single output."""
        outputs = super().call(inputs, training=training, mask=mask, **kwargs)
        return outputs if isinstance(outputs, list) else [outputs]


def submodel(model: keras.Model, layers: Any, inputs: Any = None) -> keras.Model:
    """A model from the given model's inputs to the activations of the chosen layers.

    It shares its weights with the given model, which does not change, and can be called, trained, saved and used in
    other models like any other model. A layer inside a nested model is reached through a sub-model of each level. If no
    functional graph leads to a layer, its activation is recorded while the whole model runs. To load a saved sub-model,
    first run `from actwidget import submodel`, which registers its classes with Keras.

    Args:
        model: A Keras model.
        layers: One selector (a path, a unique name, an index into `model.layers`, or a layer), or a list or a dict of
            them.
        inputs: A sample batch, as for `layer_tree`. A model without a functional graph is run on it once, to find out
            which layers it calls, and how often.

    Returns:
        A `keras.Model` with one output tensor for one selector, a list of them for a list, a dict for a dict. The first
        axis of each output is the sample. It is called with the same arguments as the given model.

    Raises:
        UnsupportedModelError: `model` can't be explored.
        ModelNotBuiltError: `model` has no graph yet; give `inputs`, or call it on a batch first.
        InvalidInputsError: The model can't take `inputs`.
        LayerNotFoundError: A selector matches no layer, or several.
        NotCapturableError: The layer can't be captured; the tree says why.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="hidden"), keras.layers.Dense(2)])
        >>> submodel(model, "hidden")(np.ones((5, 4))).shape
        TensorShape([5, 3])
        >>> sorted(submodel(model, {"first": "hidden", "last": -1}).output)
        ['first', 'last']
    """
    graph = trace(model, inputs)
    if isinstance(layers, Mapping):
        paths: Any = {key: _reachable(graph, selector) for key, selector in layers.items()}
        label = "_".join(map(str, layers))
    elif isinstance(layers, (list, tuple)):
        paths = [_reachable(graph, selector) for selector in layers]
        label = str(len(layers))
    else:
        paths = label = _reachable(graph, layers)
    if not keras.tree.flatten(paths):
        message = f"Expected at least one layer of model {model.name!r} for a sub-model, got {shown(layers)}."
        raise LayerNotFoundError(message)
    return connect(graph, paths, label)


def connect(graph: ModelGraph, paths: Any, label: str) -> keras.Model:
    """The model from a graph's inputs to the activations at some paths, in the structure of `paths`."""
    # An explicit name does not advance the counters from which Keras names the user's next models.
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", f"{graph.model.name}_to_{label}")
    wanted = list(dict.fromkeys(keras.tree.flatten(paths)))
    if all(path in graph.tensors for path in wanted):
        with _deep_recursion(function_of(graph.root)):
            return _model(graph.inputs, keras.tree.map_structure(graph.tensors.__getitem__, paths), name)
    if composable(graph, wanted):
        inputs = fresh_inputs(graph)
        with tried_out(graph.root):
            values = _compose({path: graph.places[path] for path in wanted}, inputs, name)
        return _model(inputs, keras.tree.map_structure(values.__getitem__, paths), name)
    edits, allowed = graph.edits_before(wanted), graph.allow_unreached
    tapped = Tapped(graph.root, paths, edits, allow_unreached=allowed & edits.keys(), name=f"{name}_tapped")
    # A model whose layers only a run could show can't be called on symbolic inputs, so it gets no functional form.
    if graph.inputs is None or graph.was_run:
        return tapped
    inputs = fresh_inputs(graph)
    if all(graph.nodes[path].output_shape is not None for path in wanted):
        tapped.expect(keras.tree.map_structure(lambda path: _spec(graph.nodes[path]), paths))
    with tried_out(graph.root):
        outputs = tapped(inputs)
    return _model(inputs, outputs, name)


def composable(graph: ModelGraph, paths: Iterable[str]) -> bool:
    """Whether a composition of functional sub-models, without a tap, gives the activations at some paths.

    It does not if two of the sub-models contain the same layer: the composition would run that layer twice, and Keras
    could not load the saved composition.
    """
    if any(path not in graph.places for path in paths):
        return False
    layers_so_far: set[int] = set()
    for function, tensors in _parts([graph.places[path] for path in paths]).values():
        layers = _layers_for(function, tensors)
        if layers_so_far & layers:
            return False
        layers_so_far |= layers
    return True


def _parts(places: Iterable[Place]) -> dict[Step | None, tuple[Any, list[keras.KerasTensor]]]:
    """From each call of a nested model that leads to a place to its graph and the tensors that it must give.

    The key `None` stands for the outermost model.
    """
    parts: dict[Step | None, tuple[Any, list[keras.KerasTensor]]] = {}
    opened: set[Step] = set()
    for place in places:
        parts.setdefault(place.outer, (place.function, []))[1].append(place.tensor)
        step = place.outer
        while step is not None and step not in opened:
            opened.add(step)
            parts.setdefault(step.outer, (step.function, []))[1].extend(step.node.input_tensors)
            step = step.outer
    return parts


def _layers_for(function: Any, tensors: Iterable[keras.KerasTensor]) -> set[int]:
    """The `id` of each layer that has to run to compute some tensors of a graph, and of all layers inside these."""
    operations = [node.operation for node in nodes_for(function, tensors) if not node.is_input]
    layers = [operation for operation in operations if isinstance(operation, keras.Layer)]
    return {id(inner) for layer in layers for inner in flat_layers(layer)}


def fresh_inputs(graph: ModelGraph) -> Any:
    """New symbolic inputs like the model's own, so that a composition does not add nodes to the user's input layers."""
    return keras.tree.map_structure(
        lambda tensor: keras.Input(
            batch_shape=tensor.shape,
            dtype=tensor.dtype,
            sparse=tensor.sparse,
            name=producer(tensor).name,
            optional=getattr(producer(tensor), "optional", False),
        ),
        graph.inputs,
    )


def _compose(places: Mapping[str, Place], inputs: Any, name: str) -> dict[str, keras.KerasTensor]:
    """The tensors at some places, computed from `inputs` through one sub-model for each call of a nested model."""
    parts = _parts(places.values())
    values: dict[tuple[Step | None, int], keras.KerasTensor] = {}

    def run(step: Step | None) -> None:
        if step is None:
            args, kwargs = (inputs,), {}
        else:
            run_once(step.outer)
            fill = functools.partial(_filled, values, step.outer)
            args, kwargs = keras.tree.map_structure(fill, (step.node.arguments.args, step.node.arguments.kwargs))
        function, tensors = parts[step]
        unique = list({id(tensor): tensor for tensor in tensors}.values())
        with _deep_recursion(function):
            part = ListModel(function.input, unique, name=f"{name}_part{len(done)}")
        for tensor, value in zip(unique, part(*args, **kwargs), strict=True):
            values[step, id(tensor)] = value

    done: set[Step | None] = set()

    def run_once(step: Step | None) -> None:
        if step not in done:
            run(step)
            done.add(step)

    for place in places.values():
        run_once(place.outer)
    return {path: values[place.outer, id(place.tensor)] for path, place in places.items()}


def _filled(values: Mapping[tuple[Step | None, int], Any], step: Step | None, leaf: Any) -> Any:
    return values[step, id(leaf)] if isinstance(leaf, keras.KerasTensor) else leaf


_RECURSION_LIMIT = threading.RLock()  # guards the recursion limit, which all threads share


@contextmanager
def _deep_recursion(function: Any) -> Iterator[None]:
    """Raises Python's recursion limit for the graph of `function`, since Keras traverses graphs recursively."""
    with _RECURSION_LIMIT:
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(before + 4 * node_count(function))
        try:
            yield
        finally:
            sys.setrecursionlimit(before)


def _model(inputs: Any, outputs: Any, name: str) -> keras.Model:
    if isinstance(outputs, list) and len(outputs) == 1:
        return ListModel(inputs, outputs, name=name)
    model = keras.Model(inputs, outputs, name=name)
    return PartModel(inputs, outputs, name=name) if has_refused_inputs(model) else model


def _spec(node: LayerNode) -> keras.KerasTensor:
    return keras.KerasTensor(node.output_shape, dtype=node.dtype)


def not_capturable(node: LayerNode, model_name: str) -> NotCapturableError:
    """The error for a node that can't be captured."""
    return refusal(model_name, node.path, node.reason)


def reason_against(graph: ModelGraph, path: str, batch: Batch | None = None) -> NotCapturableError | None:
    """The error that says why the node at a path can't be captured (for a batch); `None` if it can."""
    node = graph.nodes[path]
    if node.origin == "opaque":
        return not_capturable(node, graph.model.name)
    if batch is not None and path in left_out(graph, batch):
        return NotCapturableError(f"The optional input {path!r} of model {graph.model.name!r} was left out: no values.")
    return None


def left_out(graph: ModelGraph, batch: Batch) -> set[str]:
    """The paths of the optional inputs for which the batch holds `None`."""
    if graph.inputs is None:
        return set()
    given = zip(keras.tree.flatten(graph.inputs), keras.tree.flatten(batch.value), strict=True)
    return {graph.paths[id(producer(tensor))] for tensor, array in given if array is None}


def _reachable(graph: ModelGraph, selector: Any) -> str:
    path = select(graph, selector).path
    if (error := reason_against(graph, path)) is not None:
        raise error
    return path
