"""A forward pass through a functional graph that keeps a tensor only as long as it is needed."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras

from actwidget.capture.access.weight_watch import WeightWatch
from actwidget.capture.run.conversion import Array, as_array, as_tensors, is_uneven
from actwidget.capture.run.failures import Failing, failing_layer
from actwidget.capture.run.restore import unchanged
from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.classes import is_from_keras
from actwidget.keras_internals.graph import function_of, graph_nodes, nodes_for
from actwidget.keras_internals.isolation import runs_user_code
from actwidget.keras_internals.layers import child_layers, flat_layers, with_training

if TYPE_CHECKING:
    from actwidget.capture.run.inputs import Batch
    from actwidget.capture.structure.model_graph import ModelGraph

_HELD_BYTES = 64_000_000


def runs_in_steps(graph: ModelGraph, batch: Batch, paths: Sequence[str]) -> bool:
    """Whether the model's own functional graph leads to some layers, so that a `GraphPass` can be made."""
    has_graph = function_of(graph.root) is not None and graph.inputs is not None and not graph.edits
    return has_graph and not batch.lengths and all(path in graph.tensors for path in paths)


class FixedPart:
    """The calls of a functional graph that come before everything that is trained, as long as they are not written.

    Attributes:
        ends: The `id` of each symbolic tensor at the end of this part, which others take.
        values: Their values, once a pass has computed them.
        is_worth_it: Whether there is more to it than the model's inputs.
    """

    def __init__(self, graph: ModelGraph) -> None:
        """Finds these calls by the flag `trainable` of the layers, and watches their weights."""
        self._graph = graph
        self._watch = WeightWatch()
        self.values: dict[int, Any] = {}
        self._tensors: set[int] = set()
        self.ends: set[int] = set()
        function = function_of(graph.root)
        self.is_worth_it = False
        for node in () if function is None or graph.edits else graph_nodes(function):
            given, made = map(id, node.input_tensors), map(id, node.outputs)
            if not getattr(node.operation, "trainable_variables", ()) and self._tensors.issuperset(given):
                self._tensors.update(made)
                self.is_worth_it |= not node.is_input
                self._watch.add(_weighty(node.operation))
            else:
                self.ends.update(id(tensor) for tensor in node.input_tensors if id(tensor) in self._tensors)

    def holds(self, path: str) -> bool:
        """Whether a layer gives the same for the same batch. What is inside a nested model goes with that."""
        tensor = self._graph.tensors.get(path, self._graph.tensors.get(path.partition("/")[0]))
        return tensor is not None and id(tensor) in self._tensors

    def is_unwritten(self) -> bool:
        """Whether it is certain that no weight of these calls was written."""
        return self._watch.unwritten()


def _weighty(operation: Any) -> list[keras.Layer]:
    """The layers in an operation that hold weights; the seeds of a dropout do not matter in inference."""
    layers = flat_layers(operation) if isinstance(operation, keras.Layer) else []
    found = []
    for layer in layers:
        inner = {id(weight) for child in child_layers(layer) for weight in child.weights}
        own = [weight for weight in layer.weights if id(weight) not in inner]
        if own or (not is_from_keras(layer) and not inner):
            found.append(layer)
    return found


class GraphPass:
    """A forward pass up to some layers, in inference mode, which starts where nothing changes any more."""

    def __init__(
        self, graph: ModelGraph, paths: Sequence[str], fixed: FixedPart | None, *, compiles: bool = False
    ) -> None:
        """Prepares the pass.

        Args:
            graph: The model's graph, for which `runs_in_steps`.
            paths: The layers, in order of execution.
            fixed: The part that need not run again once its values are known.
            compiles: Whether to compile the pass if it runs nothing but Keras's own layers.
        """
        self._graph = graph
        self._paths = {id(graph.tensors[path]): path for path in paths}
        self._tensors = [graph.tensors[path] for path in paths]
        self._fixed = fixed
        self._compiles = compiles
        self._compiled: tuple[frozenset[int], Any] | None = None

    def values(self, batch: Batch) -> Iterator[tuple[str, Array]]:
        """The outputs of the layers.

        Raises:
            CaptureError: The forward pass failed.
        """
        symbols = keras.tree.flatten(self._graph.inputs)
        given = keras.tree.flatten(as_tensors(batch.fed, self._graph.inputs))
        start = dict(zip(map(id, symbols), given, strict=True))
        if self._fixed is not None:
            start |= self._fixed.values
        with unchanged(self._graph.model):
            for key, tensor in self._run(start):
                if key in self._paths:
                    yield self._paths[key], as_array(tensor)

    def _run(self, start: dict[int, Any]) -> Iterator[tuple[int, Any]]:
        function = function_of(self._graph.root)
        nodes = [node for node in nodes_for(function, self._tensors, start) if not node.is_input]
        yield from ((key, value) for key, value in start.items() if key in self._paths)
        if self._compiles and self._can_compile(nodes, start):
            if self._compiled is None or self._compiled[0] != start.keys():
                self._compiled = frozenset(start), self._compile(nodes, list(start))
            yield from zip(self._order(nodes), self._compiled[1](list(start.values())), strict=True)
            return
        ends = set() if self._fixed is None else self._fixed.ends - start.keys()
        for key, value in self._steps(nodes, start):
            if self._fixed is not None and key in ends and backend.is_dense(value) and _bytes(value) <= _HELD_BYTES:
                self._fixed.values[key] = value
            yield key, value

    def _order(self, nodes: Sequence[Any]) -> list[int]:
        return [key for node in nodes for key in map(id, node.outputs) if key in self._paths]

    def _can_compile(self, nodes: Sequence[Any], start: Mapping[int, Any]) -> bool:
        operations = [node.operation for node in nodes]
        layers = [
            each for operation in operations if isinstance(operation, keras.Layer) for each in flat_layers(operation)
        ]
        is_plain = all(map(is_from_keras, operations)) and not runs_user_code(layers)
        is_complete = self._fixed is None or self._fixed.ends <= start.keys()
        return is_plain and is_complete and not any(value is None or is_uneven(value) for value in start.values())

    def _compile(self, nodes: Sequence[Any], keys: Sequence[int]) -> Any:
        def wanted(given: Sequence[Any]) -> list[Any]:
            steps = self._steps(nodes, dict(zip(keys, given, strict=True)))
            return [value for key, value in steps if key in self._paths]

        return backend.compiled(wanted, self._graph.model.variables, keeps_nan=True)

    def _steps(self, nodes: Sequence[Any], start: Mapping[int, Any]) -> Iterator[tuple[int, Any]]:
        """Runs calls one after the other; a tensor goes when no further call takes it."""
        values = dict(start)
        uses = Counter(id(tensor) for node in nodes for tensor in node.input_tensors)
        for node in nodes:
            outputs = self._call(node, values)
            for tensor in map(id, node.input_tensors):
                uses[tensor] -= 1
                if not uses[tensor]:
                    values.pop(tensor, None)
            for tensor, value in zip(map(id, node.outputs), outputs, strict=True):
                if uses[tensor]:
                    values[tensor] = value
                yield tensor, value

    def _call(self, node: Any, values: Mapping[int, Any]) -> list[Any]:
        args, kwargs = node.arguments.fill_in(values)
        run = with_training(node.operation, training=False)
        failing = functools.partial(failing_layer, self._graph, node.operation, *args, **kwargs)
        with Failing(self._graph.model.name, failing):
            return list(keras.tree.flatten(run(*args, **kwargs)))


def _bytes(tensor: Any) -> int:
    count = 1
    for length in tensor.shape:
        count *= int(length or 0)
    return 4 * count
