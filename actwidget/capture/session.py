"""One model and one batch: forward passes that leave no trace, a byte budget, a cache."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from actwidget.capture.inputs import Batch, prepare
from actwidget.capture.paths import aliases, not_found
from actwidget.capture.select import select
from actwidget.capture.submodel import connect
from actwidget.capture.tree import ModelGraph, trace
from actwidget.errors import ActwidgetError, CaptureError, MemoryBudgetError, NotCapturableError, OptionError

if TYPE_CHECKING:
    from actwidget.capture.node import LayerNode

Array = np.ndarray[Any, Any]


class Activations(Mapping[str, Array]):
    """A read-only mapping from a node's path to its activation, in order of execution; the first axis is the sample."""

    def __init__(self, values: Mapping[str, Array], model_name: str) -> None:
        """Holds `values`, in their order."""
        self._values = dict(values)
        self._model_name = model_name

    def __getitem__(self, path: str) -> Array:
        """The activation at a path (`dense@0` is `dense`).

        Raises:
            LayerNotFoundError: That path was not captured.
        """
        for candidate in aliases(path) if isinstance(path, str) else ():
            if candidate in self._values:
                return self._values[candidate]
        raise not_found(path, self._model_name, self._values)

    def __iter__(self) -> Iterator[str]:
        """The paths, in order of execution."""
        return iter(self._values)

    def __len__(self) -> int:
        """How many activations there are."""
        return len(self._values)

    def __repr__(self) -> str:
        """One line for each activation: its path, shape and dtype."""
        lines = [f"  {path!r}: {value.dtype}{value.shape}" for path, value in self._values.items()]
        return "\n".join([f"Activations of {self._model_name!r}:", *lines])


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
        model: A `Sequential` or functional Keras model.
        inputs: One batch: an array of shape `(samples, ...)`, or a list or dict of them as the model takes it.
        layers: A selector (a path, a unique name, an index into `model.layers`, or a layer), a list of them, or `None`
            for every node.
        training: Whether the layers behave as in training (dropout at work, batch statistics). Moving averages and
            seeds are put back afterwards.
        batch_size: How many samples go through the model at a time.
        max_bytes: An upper bound on the bytes of the result, checked before anything runs.

    Returns:
        A mapping from path to array, in order of execution; bfloat16 comes as float32.

    Raises:
        UnsupportedModelError: `model` can't be looked into.
        LayerNotFoundError: A selector names no layer, or several.
        InvalidInputsError: `inputs` do not fit the model.
        MemoryBudgetError: The result would be larger than `max_bytes`.
        OptionError: `batch_size` is below 1.
        CaptureError: The forward pass failed.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="hidden")])
        >>> activations(model, np.ones((5, 4)), "hidden")["hidden"].shape
        (5, 3)
    """
    graph = trace(model, inputs)
    batch = prepare(inputs, graph.inputs, model.name)
    if layers is None:
        absent = left_out(graph, batch)
        nodes = [node for node in graph.tree if node.path not in absent]
    else:
        chosen = layers if isinstance(layers, (list, tuple)) else [layers]
        wanted = {select(graph, selector).path for selector in chosen}
        nodes = [node for node in graph.tree if node.path in wanted]
    if max_bytes is not None:
        _check_budget(nodes, batch.size, max_bytes)
    return Activations(capture(graph, batch, nodes, training=training, batch_size=batch_size), model.name)


def capture(
    graph: ModelGraph, batch: Batch, nodes: Sequence[LayerNode], *, training: bool = False, batch_size: int = 32
) -> dict[str, Array]:
    """Runs the model up to the chosen nodes, batch by batch, and puts every variable that moved back.

    Raises:
        OptionError: `batch_size` is below 1.
        NotCapturableError: An optional input that was left out is asked for.
        CaptureError: Something in the forward pass raised.
    """
    if batch_size < 1:
        message = f"batch_size must be at least 1, got {batch_size}."
        raise OptionError(message)
    if not nodes:
        return {}
    absent = left_out(graph, batch)
    for node in nodes:
        if node.path in absent:
            message = f"The optional input {node.path!r} of model {graph.model.name!r} was left out: no values."
            raise NotCapturableError(message)
    sub = connect(graph, [graph.tensors[node.path] for node in nodes], str(len(nodes)))
    # What is no value per sample can't be put together from parts; a stateful layer takes its own number of samples.
    whole = any(not node.output_shape or node.output_shape[0] is not None for node in nodes)
    if whole or any(getattr(layer, "stateful", False) for layer in sub._flatten_layers()):  # noqa: SLF001
        batch_size = batch.size
    parts = [
        run(sub, batch.rows(start, start + batch_size), training=training) for start in range(0, batch.size, batch_size)
    ]
    if len(parts) == 1:
        return dict(zip((node.path for node in nodes), parts[0], strict=True))
    joined = (np.concatenate(pieces) for pieces in zip(*parts, strict=True))
    return dict(zip((node.path for node in nodes), joined, strict=True))


def left_out(graph: ModelGraph, batch: Batch) -> set[str]:
    """The paths of the optional inputs for which the batch holds `None`."""
    given = zip(keras.tree.flatten(graph.inputs), keras.tree.flatten(batch.value), strict=True)
    absent = {id(tensor) for tensor, array in given if array is None}
    return {path for path, tensor in graph.tensors.items() if id(tensor) in absent}


def run(sub: keras.Model, value: Any, *, training: bool = False) -> list[Array]:
    """One call of a model on arrays; its counters, seeds and moving statistics are afterwards as before.

    Raises:
        CaptureError: The call raised; the cause is chained.
    """
    variables = [variable.value for variable in _variables(sub)]
    state = [tf.raw_ops.ReadVariableOp(resource=variable.handle, dtype=variable.dtype) for variable in variables]
    try:
        outputs = sub(_tensors(value, sub), training=training)
        return [_as_numpy(output) for output in keras.tree.flatten(outputs)]
    except ActwidgetError:
        raise
    except Exception as error:  # whatever a layer raises is shown at that layer
        text = " ".join(str(error).split())
        message = f"The forward pass of {sub.name!r} failed. {type(error).__name__}: {text[:600]}"
        raise CaptureError(message) from error
    finally:
        # The raw operations share memory and cost a tenth of Variable.assign, which counts in a model of 300 variables.
        for variable, before in zip(variables, state, strict=True):
            tf.raw_ops.AssignVariableOp(resource=variable.handle, value=before)


def _variables(sub: keras.Model) -> list[keras.Variable]:
    """What a pass can move.

    Trainable ones as well: SpectralNormalization sets a kernel, and a layer's own counter is trainable by default. A
    stateful recurrent layer keeps its states where `variables` does not look.
    """
    recurrent = [layer.states for layer in sub._flatten_layers() if getattr(layer, "stateful", False)]  # noqa: SLF001
    states = [leaf for leaf in keras.tree.flatten(recurrent) if isinstance(leaf, keras.Variable)]
    return [*sub.variables, *states]


def _tensors(value: Any, sub: keras.Model) -> Any:
    flat = [
        None if array is None else keras.ops.convert_to_tensor(array, dtype=tensor.dtype)
        for array, tensor in zip(keras.tree.flatten(value), sub.inputs, strict=True)
    ]
    return keras.tree.pack_sequence_as(value, flat)


def _as_numpy(tensor: Any) -> Array:
    array: Array = keras.ops.convert_to_numpy(tensor)
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def _check_budget(nodes: Sequence[LayerNode], samples: int, max_bytes: int) -> None:
    sizes = {node.path: size_of(node, samples) for node in nodes}
    total = sum(sizes.values())
    if total > max_bytes:
        largest = max(sizes, key=sizes.__getitem__)
        message = (
            f"The activations asked for take {total / 1e6:,.1f} MB, more than max_bytes={max_bytes / 1e6:,.1f} MB."
            f" Ask for fewer layers (the largest is {largest!r} with {sizes[largest] / 1e6:,.1f} MB) or fewer samples."
        )
        raise MemoryBudgetError(message)


def size_of(node: LayerNode, samples: int) -> int:
    """The bytes of a node's activation for a number of samples; axes that are not known count as one."""
    shape = node.output_shape or ()
    item = {"string": 16, "bool": 1, "bfloat16": 4}.get(node.dtype)
    item = np.dtype(node.dtype).itemsize if item is None else item
    return samples * item * math.prod(axis or 1 for axis in shape[1:])


class Session:
    """A model and a batch, explored layer by layer: activations are kept up to a byte budget, latest first.

    Attributes:
        graph: The model's graph.
        batch: The inputs, or `None` where none were given.
        budget: How many bytes of activations are kept.
        seconds: How long forward passes have taken since this was last set to 0.
    """

    def __init__(self, model: keras.Model, inputs: Any = None, *, budget: int = 256_000_000) -> None:
        """Reads the model's graph and checks the inputs; nothing runs.

        Raises:
            UnsupportedModelError: `model` can't be looked into.
            InvalidInputsError: `inputs` do not fit.
        """
        self.graph: ModelGraph = trace(model, inputs)
        self.batch: Batch | None = None if inputs is None else prepare(inputs, self.graph.inputs, model.name)
        self.budget = budget
        self.seconds = 0.0
        self._cache: OrderedDict[str, Array] = OrderedDict()

    @property
    def bytes_kept(self) -> int:
        """The bytes of the activations in the cache."""
        return sum(value.nbytes for value in self._cache.values())

    def value(self, path: str) -> Array | None:
        """The activation of the node at `path` for the whole batch, shape `(samples, ...)`; `None` without inputs.

        Raises:
            CaptureError: The forward pass failed.
        """
        if self.batch is None:
            return None
        if path in self._cache:
            self._cache.move_to_end(path)
            return self._cache[path]
        start = time.perf_counter()
        value = capture(self.graph, self.batch, [self.graph.nodes[path]])[path]
        self.seconds += time.perf_counter() - start
        if value.nbytes <= self.budget:
            self._cache[path] = value
            while self.bytes_kept > self.budget:
                self._cache.popitem(last=False)
        return value

    def holds(self, path: str) -> bool:
        """Whether the activation at `path` is in the cache."""
        return path in self._cache

    def clear(self) -> None:
        """Lets go of all activations."""
        self._cache.clear()
