"""`activations`: a model's activations as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import keras

from actwidget.capture.access.batches import first_batch
from actwidget.capture.access.budget import check_budget, sizes_of, with_measured
from actwidget.capture.access.forward_pass import capture
from actwidget.capture.access.submodel import left_out
from actwidget.capture.run.conversion import Array, as_array
from actwidget.capture.run.fitted_inputs import fitted
from actwidget.capture.run.inputs import Batch, prepare
from actwidget.capture.structure.call_arguments import Signature
from actwidget.capture.structure.paths import known_path, not_found
from actwidget.capture.structure.selectors import select
from actwidget.capture.trace import read, trace
from actwidget.errors import LayerNotFoundError, ModelNotBuiltError, NotCapturableError, shown
from actwidget.keras_internals.graph import function_of
from actwidget.options import at_least

if TYPE_CHECKING:
    from actwidget.capture.structure.model_graph import ModelGraph
    from actwidget.capture.structure.node import LayerNode


class Activations(Mapping[str, Array]):
    """A read-only mapping from a node's path to its activation, in order of execution; the first axis is the sample.

    Attributes:
        note: That these are of the first batch alone, if the inputs were a dataset or the like; else `""`.
    """

    def __init__(self, values: Mapping[str, Array], model_name: str, note: str = "") -> None:
        """Wraps arrays and makes them read-only; `activations()` and `compare()` return such mappings.

        Args:
            values: From path to array, shape `(samples, ...)`, in order of execution.
            model_name: The model's name, for error messages and `repr`.
            note: What was taken of the inputs, in words.
        """
        self._values = dict(values)
        for value in self._values.values():
            value.flags.writeable = False
        self._model_name = model_name
        self.note = note

    def __getitem__(self, path: str) -> Array:
        """The activation at a path (`dense@0` is the same as `dense`). It is read-only; change a `.copy()` instead.

        Raises:
            LayerNotFoundError: That path was not captured.
        """
        known = known_path(path, self._values)
        if known is None:
            raise not_found(path, self._model_name, self._values)
        return self._values[known]

    def __iter__(self) -> Iterator[str]:
        """The paths, in order of execution."""
        return iter(self._values)

    def __len__(self) -> int:
        """How many activations there are."""
        return len(self._values)

    def __repr__(self) -> str:
        """One line for each activation: its path, shape and dtype."""
        lines = [f"  {shown(path)}: {value.dtype}{value.shape}" for path, value in self._values.items()]
        return "\n".join([f"Activations of {shown(self._model_name)}:", *filter(None, [self.note]), *lines])


def activations(
    model: keras.Model,
    inputs: Any,
    layers: Any = None,
    *,
    training: bool = False,
    batch_size: int = 32,
    max_bytes: int | None = None,
) -> Activations:
    """The activations of a model's layers for given inputs.

    Args:
        model: A Keras model.
        inputs: One batch: an array of shape `(samples, ...)`, or a list or dict of them as the model takes it. Of a
            dataset, or any other iterable of batches, the first batch is taken, and `note` of the result says so.
        layers: A selector (a path, a unique name, an index into `model.layers`, or a layer), a list of them, or `None`
            for every node that can be captured.
        training: Whether the layers behave as in training (dropout, batch statistics). The moving averages, seeds and
            states that they write are discarded, so the model does not change, even while another thread trains it.
            All samples go through the model at once, since batch statistics depend on the whole batch. Random numbers
            depend on which layers are requested: layers that are not needed do not run and draw no random numbers.
        batch_size: How many samples go through the model at a time. If a layer mixes the samples of a batch (compares
            or centres them, or draws noise for them), all samples go through at once, so that the values are those of
            `model(inputs)`. If it is not known whether a layer does, samples of several parts are run together to
            find out.
        max_bytes: An upper bound on the bytes of the result, checked before anything runs. Sizes that are not known
            beforehand are measured on one sample.

    Returns:
        A mapping from path to array, in order of execution. bfloat16 is converted to float32, and sparse and ragged
        tensors are padded with zeros. The arrays are read-only; change a `.copy()` instead.

    Raises:
        UnsupportedModelError: `model` can't be explored.
        LayerNotFoundError: A selector matches no layer, or several.
        InvalidInputsError: `inputs` do not fit the model.
        NotCapturableError: A requested layer can't be captured; the tree says why.
        MemoryBudgetError: The result would be larger than `max_bytes`.
        OptionError: `batch_size` is not a whole number from 1, or `max_bytes` is not a number from 0.
        CaptureError: The forward pass failed.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="hidden")])
        >>> activations(model, np.ones((5, 4)), "hidden")["hidden"].shape
        (5, 3)
    """
    at_least(1, batch_size, "batch_size")
    inputs, note = first_batch(inputs, model, batch_size)
    if max_bytes is not None:
        at_least(0, max_bytes, "max_bytes")
        _check_budget_on_symbols(model, inputs, layers, max_bytes)
    # A model without a graph has to run once to find its layers. If all layers are requested, that run can also record
    # their values.
    record: dict[str, Any] | None = {} if layers is None and max_bytes is None and not training else None
    graph, batch = _read(model, inputs, record=record, most=batch_size)
    if record and graph.failed is None:
        nodes = chosen_nodes(graph, batch, layers)
        return Activations({node.path: as_array(record.pop(node.path)) for node in nodes}, model.name, note)

    def captured(graph: ModelGraph, batch: Batch) -> Activations:
        nodes = chosen_nodes(graph, batch, layers)
        if max_bytes is not None:
            sizes, measured = with_measured(graph, batch, sizes_of(graph, batch, nodes))
            check_budget(sizes, max_bytes, measured)
        results = capture(graph, batch, nodes, training=training, batch_size=batch_size, refuse=layers is not None)
        if max_bytes is not None:  # again: the sample on which sizes were measured may be smaller than the others
            check_budget({path: each.value.nbytes for path, each in results.items()}, max_bytes)
        return Activations({path: each.value for path, each in results.items()}, model.name, note)

    if graph.called is not None:
        # The graph was found by running some samples. If a layer is missing from it, other samples may call it.
        with suppress(LayerNotFoundError, NotCapturableError):
            return captured(graph, batch)
        graph, batch = _read(model, inputs)
    return captured(graph, batch)


def _read(model: keras.Model, inputs: Any, **options: Any) -> tuple[ModelGraph, Batch]:
    """The same as `read`, for a model that is going to run, so that it needs inputs.

    Raises:
        InvalidInputsError: There are no inputs, or they do not fit.
    """
    graph, batch = read(model, inputs, **options)
    return graph, prepare(inputs, graph.inputs, model.name) if batch is None else batch


def chosen_nodes(graph: ModelGraph, batch: Batch, layers: Any) -> list[LayerNode]:
    """The nodes that the selectors match, or all that can be captured, in order of execution."""
    if layers is None:
        absent = left_out(graph, batch)
        # A layer that has raised is requested as well, so that its error is raised again.
        return [
            node
            for node in graph.tree
            if node.path not in absent and (node.origin != "opaque" or node.path == graph.failed)
        ]
    chosen = layers if isinstance(layers, (list, tuple)) else [layers]
    wanted = {select(graph, selector).path for selector in chosen}
    return [node for node in graph.tree if node.path in wanted]


def _check_budget_on_symbols(model: keras.Model, inputs: Any, layers: Any, max_bytes: float) -> None:
    """Checks the budget for a model without a graph before it runs, as far as a call on symbolic tensors shows sizes.

    Raises:
        MemoryBudgetError: The requested activations take more than `max_bytes`.
    """
    if not isinstance(model, keras.Model) or function_of(model) is not None:
        return
    with suppress(ModelNotBuiltError, LayerNotFoundError):  # then the budget is checked after the run
        graph = trace(model)
        if graph.inputs is None:
            spread, value = Signature(graph.root).ways(inputs)[0]
            graph, batch = replace(graph, spread=spread), prepare(value, None, model.name, spread)
        else:
            batch = fitted(graph.root, inputs, edited=True)
        sizes = sizes_of(graph, batch, chosen_nodes(graph, batch, layers))
        check_budget({path: size for path, size in sizes.items() if size is not None}, max_bytes)
