"""Forward passes of a model, batch after batch, with the values of some nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import numpy.typing as npt

from actwidget.analysis.moments import Bounds
from actwidget.capture.access.forward_pass import capture
from actwidget.capture.access.submodel import connect
from actwidget.capture.run.batch_parts import alone, is_close
from actwidget.capture.run.conversion import as_array, as_tensors
from actwidget.capture.run.failures import Failing, failing_layer
from actwidget.capture.run.restore import unchanged
from actwidget.capture.semantics.bounds import activation_bounds
from actwidget.capture.semantics.channel_axis import ChannelAxis, own_channel_axis
from actwidget.capture.semantics.sample_independence import are_samples_independent
from actwidget.errors import NotCapturableError, shown
from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.layers import flat_layers
from actwidget.keras_internals.variables import unregistered_variables, variables_of

if TYPE_CHECKING:
    from actwidget.capture.run.inputs import Batch
    from actwidget.capture.structure.model_graph import ModelGraph
    from actwidget.capture.structure.node import LayerNode

Array = npt.NDArray[Any]


class ModelPass:
    """Runs a model up to some nodes, and leaves it unchanged.

    A model of Keras's own layers is compiled, once for each shape of a batch. Others are compiled if their first batch
    then gives the same values.

    Attributes:
        graph: The model's graph.
        nodes: The nodes, in order of execution.
        bounds: The bounds of each node's activation function, by path.
    """

    def __init__(self, graph: ModelGraph, nodes: Sequence[LayerNode]) -> None:
        """Prepares the pass.

        Raises:
            NotCapturableError: A node can't be captured.
        """
        self.graph = graph
        self.nodes = list(nodes)
        self._paths = [node.path for node in self.nodes]
        self.bounds: dict[str, Bounds | None] = {
            path: activation_bounds(graph.operations[path], graph.nodes[path]) for path in self._paths
        }
        self._axes: dict[str, ChannelAxis] = {path: own_channel_axis(graph, path) for path in self._paths}
        self._model = connect(graph, self._paths, str(len(self._paths)))
        self._compiled: Callable[..., Any] | None = None
        self._known_shapes: set[Any] = set()
        self._may_compile: bool | None = None

    def check(self, batch: Batch) -> None:
        """Refuses nodes of which one sample's value depends on the others, and finds out whether to compile.

        Raises:
            NotCapturableError: There are such nodes.
            CaptureError: Something in the forward pass raised.
        """
        are_independent = are_samples_independent(self.graph, self.nodes)
        if self.graph.stateful:
            raise self._mixed(self._paths)
        if are_independent:
            self._may_compile = True
            return
        whole = capture(self.graph, batch, self.nodes)
        wrong = [path for path, each in whole.items() if not each.value.ndim or len(each.value) != batch.size]
        if batch.size > 1 and not wrong:
            half = list(range(0, batch.size, 2))
            some = capture(self.graph, alone(batch, half), self.nodes)
            wrong = [
                path
                for path, each in whole.items()
                if path not in some
                or some[path].value.shape != (len(half), *each.value.shape[1:])
                or not is_close(some[path].value, each.value[half])
            ]
        if wrong:
            raise self._mixed(wrong)
        self._may_compile = False
        layers = flat_layers(self.graph.root)
        if not unregistered_variables(layers) and _is_even(batch):
            try:
                compiled = self._run(batch, batch.size, compile_it=True)
            except Exception:  # noqa: BLE001 - the user's code may raise anything where it is compiled
                self._compiled, self._known_shapes = None, set()
                return
            self._may_compile = all(
                compiled[path].shape == (own := self._moved(path, each.value)).shape and is_close(compiled[path], own)
                for path, each in whole.items()
            )

    def run(self, batch: Batch, rows: int | None = None) -> dict[str, Array]:
        """What each node gives for a batch, by path: its values, shape `(samples, ..., channels)`.

        Args:
            batch: The batch.
            rows: To how many samples a smaller batch is filled up, so that less has to be compiled. It is to depend on
                the batch alone: how a processor rounds depends on how many samples there are.

        Raises:
            CaptureError: Something in the forward pass raised.
            NotCapturableError: A node gave no values, or not a row for each sample.
        """
        if self._may_compile is None:
            self.check(batch)
        return self._run(batch, rows or batch.size, compile_it=bool(self._may_compile) and _is_even(batch))

    def _run(self, batch: Batch, rows: int, *, compile_it: bool) -> dict[str, Array]:
        size = batch.size
        if compile_it and rows > size and not batch.lengths:
            batch = _filled_up(batch, rows)
        fed = as_tensors(batch.fed, self.graph.inputs)
        leaves = keras.tree.flatten(fed)
        key = tuple((tuple(each.shape), str(each.dtype)) if hasattr(each, "shape") else each for each in leaves)
        with Failing(self.graph.model.name, lambda: self._failing(fed)):
            if not compile_it:
                with unchanged(self._model, name=self.graph.model.name):
                    results = self._outputs(fed)
            elif key in self._known_shapes:
                results = self._compiled_for(fed)(*_tensors(leaves))
            else:  # it is traced: Keras's code runs, and must leave nothing behind
                with unchanged(self._model, name=self.graph.model.name):
                    results = self._compiled_for(fed)(*_tensors(leaves))
                self._known_shapes.add(key)
        return {
            path: self._values(path, value, batch.size)[:size] for path, value in zip(self._paths, results, strict=True)
        }

    def _compiled_for(self, fed: Any) -> Callable[..., Any]:
        if self._compiled is None:
            leaves = keras.tree.flatten(fed)

            def function(*tensors: Any) -> Any:
                left = iter(tensors)
                packed = [next(left) if hasattr(leaf, "shape") else leaf for leaf in leaves]
                return self._outputs(keras.tree.pack_sequence_as(fed, packed))

            every = flat_layers(self._model)
            self._compiled = backend.compiled(function, variables_of([self._model], every), keeps_nan=True)
        return self._compiled

    def _outputs(self, fed: Any) -> list[Any]:
        """The value of each node, a tensor."""
        args, kwargs = self.graph.arguments(fed)
        outputs = self._model(*args, **kwargs, training=False)
        return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]

    def _values(self, path: str, value: Any, rows: int) -> Array:
        """What came out for a path, with the channels last."""
        if value is None:
            message = f"{shown(path)} of model {self.graph.model.name!r} has no values for these inputs."
            raise NotCapturableError(message)
        array = as_array(value)
        if not array.ndim or len(array) != rows:
            raise self._mixed([path])
        return self._moved(path, array)

    def _moved(self, path: str, array: Array) -> Array:
        """An activation with the channels last; one number a sample counts as one channel."""
        return array[:, np.newaxis] if array.ndim == 1 else self._axes[path].moved_last(array)

    def _failing(self, fed: Any) -> str | None:
        args, kwargs = self.graph.arguments(fed)
        return failing_layer(self.graph, self._model, *args, **kwargs, training=False)

    def _mixed(self, paths: Sequence[str]) -> NotCapturableError:
        message = (
            f"Model {self.graph.model.name!r} can't be scanned batch by batch: what it gives at {shown(paths[0])} for "
            "one sample depends on the others, or it keeps a state. Choose other layers, layers=[...]."
        )
        return NotCapturableError(message)


def _tensors(leaves: Sequence[Any]) -> list[Any]:
    return [leaf for leaf in leaves if hasattr(leaf, "shape")]


def _filled_up(batch: Batch, rows: int) -> Batch:
    """A batch with its last sample repeated; as it is if it holds other than arrays."""
    if not all(isinstance(leaf, np.ndarray) for leaf in keras.tree.flatten(batch.fed)):
        return batch

    def filled(leaf: Array) -> Array:
        return np.concatenate([leaf, np.repeat(leaf[-1:], rows - batch.size, axis=0)])

    return replace(batch, fed=keras.tree.map_structure(filled, batch.fed), size=rows)


def _is_even(batch: Batch) -> bool:
    """Whether all inputs are ordinary arrays."""
    return all(
        leaf is None or not hasattr(leaf, "shape") or backend.is_dense(leaf) or isinstance(leaf, np.ndarray)
        for leaf in keras.tree.flatten(batch.fed)
    )
