"""One model and one batch: forward passes that leave no trace, a byte budget, a cache."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.capture.budget import check_budget, sizes_of
from actwidget.capture.failing import Failing, failing_layer
from actwidget.capture.forward import Array, as_array, as_tensors, unchanged
from actwidget.capture.inputs import Batch, prepare
from actwidget.capture.level import function_of
from actwidget.capture.options import at_least
from actwidget.capture.paths import aliases, not_found
from actwidget.capture.resume import go, layers_behind, way_from
from actwidget.capture.select import select
from actwidget.capture.submodel import composable, connect, not_capturable
from actwidget.capture.tap import Tap
from actwidget.capture.tree import trace
from actwidget.capture.weights import WeightWatch
from actwidget.errors import LayerNotFoundError, ModelNotBuiltError, NotCapturableError, OptionError, shown

if TYPE_CHECKING:
    from actwidget.capture.graph import ModelGraph
    from actwidget.capture.node import LayerNode


class Activations(Mapping[str, Array]):
    """A read-only mapping from a node's path to its activation, in order of execution; the first axis is the sample."""

    def __init__(self, values: Mapping[str, Array], model_name: str) -> None:
        """Holds activations; `activations()` and `compare()` make these.

        Args:
            values: From path to array, shape `(samples, ...)`, in order of execution; from now on to be read only.
            model_name: The model's name, for what is printed.
        """
        self._values = dict(values)
        for value in self._values.values():
            value.flags.writeable = False
        self._model_name = model_name

    def __getitem__(self, path: str) -> Array:
        """The activation at a path (`dense@0` is `dense`). It can be read only; `.copy()` gives one to change.

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
        lines = [f"  {shown(path)}: {value.dtype}{value.shape}" for path, value in self._values.items()]
        return "\n".join([f"Activations of {shown(self._model_name)}:", *lines])


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
        inputs: One batch: an array of shape `(samples, ...)`, or a list or dict of them as the model takes it.
        layers: A selector (a path, a unique name, an index into `model.layers`, or a layer), a list of them, or `None`
            for every node that can be had.
        training: Whether the layers behave as in training (dropout at work, batch statistics). Moving averages and
            seeds are put back afterwards. Where chance is at work, a layer asked for by itself draws other numbers than
            among all: what it does not need does not run, and draws none.
        batch_size: How many samples go through the model at a time.
        max_bytes: An upper bound on the bytes of the result, checked before anything runs.

    Returns:
        A mapping from path to array, in order of execution; bfloat16 comes as float32, and what is sparse or ragged is
        filled up with zeros. The arrays can be read only; `.copy()` gives one to change.

    Raises:
        UnsupportedModelError: `model` can't be looked into.
        LayerNotFoundError: A selector names no layer, or several.
        InvalidInputsError: `inputs` do not fit the model.
        NotCapturableError: A layer that was asked for can't be had; the tree says why.
        MemoryBudgetError: The result would be larger than `max_bytes`.
        OptionError: `batch_size` is no whole number from 1, or `max_bytes` no number from 0.
        CaptureError: The forward pass failed.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="hidden")])
        >>> activations(model, np.ones((5, 4)), "hidden")["hidden"].shape
        (5, 3)
    """
    at_least(1, batch_size, "batch_size")
    if max_bytes is not None:
        at_least(0, max_bytes, "max_bytes")
        _refuse_unseen(model, inputs, layers, max_bytes)
    # A model without a graph is run to be seen; when all is wanted, that run is enough.
    record: dict[str, Any] | None = {} if layers is None and max_bytes is None and not training else None
    graph = trace(model, inputs, record=record, most=batch_size)
    batch = prepare(inputs, graph.inputs, model.name)
    if record and graph.failed is None:
        nodes = _chosen(graph, batch, layers)
        return Activations({node.path: as_array(record.pop(node.path)) for node in nodes}, model.name)

    def captured(graph: ModelGraph) -> Activations:
        nodes = _chosen(graph, batch, layers)
        if max_bytes is not None:
            check_budget(sizes_of(graph, batch, nodes), max_bytes)
        found = capture(graph, batch, nodes, training=training, batch_size=batch_size)
        return Activations({path: each.value for path, each in found.items()}, model.name)

    if graph.called is not None:
        with suppress(LayerNotFoundError, NotCapturableError):  # the other samples may call more
            return captured(graph)
        graph = trace(model, inputs)
    return captured(graph)


def _chosen(graph: ModelGraph, batch: Batch, layers: Any) -> list[LayerNode]:
    """The nodes that selectors name, or all that can be had, in order of execution."""
    if layers is None:
        absent = left_out(graph, batch)
        # The layer that raises is asked for with the others, so that what it raises is told.
        return [
            node
            for node in graph.tree
            if node.path not in absent and (node.origin != "opaque" or node.path == graph.failed)
        ]
    chosen = layers if isinstance(layers, (list, tuple)) else [layers]
    wanted = {select(graph, selector).path for selector in chosen}
    return [node for node in graph.tree if node.path in wanted]


def _refuse_unseen(model: keras.Model, inputs: Any, layers: Any, max_bytes: float) -> None:
    """Checks the budget of a model without a graph, which has to run to be seen, by a trial on symbols.

    Raises:
        MemoryBudgetError: What is asked for takes more than `max_bytes`.
    """
    if not isinstance(model, keras.Model) or function_of(model) is not None:
        return
    with suppress(ModelNotBuiltError, LayerNotFoundError):  # what a trial does not know is known after the run
        graph = trace(model)
        batch = prepare(inputs, graph.inputs, model.name)
        check_budget(sizes_of(graph, batch, _chosen(graph, batch, layers)), max_bytes)


@dataclass(frozen=True)
class Captured:
    """One activation.

    Attributes:
        value: Its values, shape `(samples, ...)`.
        mask: Where Keras's mask says that a step counts, shape `(samples, steps)`; `None` where there is no mask.
    """

    value: Array
    mask: Array | None = None

    @classmethod
    def of(cls, tensor: Any) -> Captured:
        """What a layer gave."""
        mask = getattr(tensor, "_keras_mask", None)
        return cls(as_array(tensor), None if mask is None else as_array(mask))

    @classmethod
    def joined(cls, parts: Sequence[Captured]) -> Captured:
        """What it gave for several parts of a batch."""
        masks = [part.mask for part in parts if part.mask is not None]
        return cls(np.concatenate([part.value for part in parts]), np.concatenate(masks) if masks else None)


def capture(
    graph: ModelGraph, batch: Batch, nodes: Sequence[LayerNode], *, training: bool = False, batch_size: int = 32
) -> dict[str, Captured]:
    """Runs the model up to the chosen nodes, batch by batch, and puts every variable that moved back.

    Raises:
        OptionError: `batch_size` is no whole number from 1.
        NotCapturableError: A node's value can't be had, or an optional input that was left out is asked for.
        CaptureError: Something in the forward pass raised.
    """
    at_least(1, batch_size, "batch_size")
    if not nodes:
        return {}
    absent = left_out(graph, batch)
    for node in nodes:
        if node.origin == "opaque" and graph.failed is None:
            raise not_capturable(node, graph.model.name)
        if node.path in absent:
            message = f"The optional input {node.path!r} of model {graph.model.name!r} was left out: no values."
            raise NotCapturableError(message)
    paths = [node.path for node in nodes]
    everything = len(nodes) == sum(node.origin != "opaque" for node in graph.tree) - len(absent)
    # A sub-model runs only what is needed; for everything it would cost more to build than it saves.
    if not (everything and len(nodes) > 1) and composable(graph, paths):
        ran, forward = _composed(graph, paths)
    else:
        ran, forward = _tapped(graph, paths, graph.called if everything else None)
    # What is no value per sample can't be put together from parts; a stateful layer takes its own number of samples.
    # Where it depends on the batch which layers are called, parts of it could call others.
    whole = any(not node.output_shape or node.output_shape[0] is not None for node in nodes)
    if whole or graph.stateful or graph.allow_unreached:
        batch_size = batch.size
    if batch_size < batch.size:
        # Of some samples alone a layer need not be called, and an edit can hold an array for all of them.
        with suppress(NotCapturableError, OptionError):
            with unchanged(ran, name=graph.model.name):
                starts = range(0, batch.size, batch_size)
                parts = [forward(batch.rows(start, start + batch_size), training) for start in starts]
            if all(_joinable(node, [part[node.path] for part in parts], batch_size) for node in nodes):
                return {path: Captured.joined([part.pop(path) for part in parts]) for path in paths}
            del parts
    with unchanged(ran, name=graph.model.name):
        return forward(batch.fed, training)


def _joinable(node: LayerNode, parts: Sequence[Captured], rows: int) -> bool:
    """Whether what a layer gave for parts of a batch, `rows` samples each but the last, is a value for each sample."""
    first, *others = (part.value.shape for part in parts)
    if not first or first[0] != rows or any(shape[1:] != first[1:] for shape in others):
        return False
    # An axis of open length that is as long as there are samples can be the samples once more.
    shape = node.output_shape or ()
    known = shape[1:] if len(shape) == len(first) else (None,) * (len(first) - 1)
    return all(got == want or (want is None and got != rows) for got, want in zip(first[1:], known, strict=True))


Forward = Callable[[Any, bool], dict[str, Captured]]


def _composed(graph: ModelGraph, paths: list[str]) -> tuple[keras.Model, Forward]:
    """A functional sub-model, and a forward pass through it."""
    sub = connect(graph, paths, str(len(paths)))

    def forward(value: Any, training: bool) -> dict[str, Captured]:  # noqa: FBT001
        fed = as_tensors(value, graph.inputs)
        with Failing(graph.model.name, lambda: failing_layer(graph, sub, fed, training=training)):
            outputs = sub(fed, training=training)
        return {path: Captured.of(output) for path, output in zip(paths, outputs, strict=True)}

    return sub, forward


def _tapped(graph: ModelGraph, paths: list[str], called: frozenset[str] | None) -> tuple[keras.Model, Forward]:
    """The model itself, and a forward pass of it, ended as soon as all values are there.

    Args:
        graph: The model's graph.
        paths: What is wanted.
        called: The calls that the model has to make, no more and no less, if that matters.
    """
    edits = graph.edits if called is not None else graph.edits_before(paths)
    allowed = graph.allow_unreached
    tap = Tap(graph.root, wanted=set(paths), edits=edits, allow_unreached=allowed, stop=called is None)

    def forward(value: Any, training: bool) -> dict[str, Captured]:  # noqa: FBT001
        with Failing(graph.model.name, lambda: tap.failed):
            tap.run(as_tensors(value, graph.inputs), training=training)
        tap.check_edits()
        tap.check_values(paths)
        if called is not None and (other := sorted(called ^ tap.calls.keys())):
            message = f"Model {graph.model.name!r} calls {other} on some samples alone."
            raise NotCapturableError(message)
        return {path: Captured.of(tap.values.pop(path)) for path in paths}

    return graph.root, forward


def left_out(graph: ModelGraph, batch: Batch) -> set[str]:
    """The paths of the optional inputs for which the batch holds `None`."""
    if graph.inputs is None:
        return set()
    given = zip(keras.tree.flatten(graph.inputs), keras.tree.flatten(batch.value), strict=True)
    return {graph.paths[id(tensor._keras_history.operation)] for tensor, array in given if array is None}


RESUMED = 32
"""Up to so many samples go through a layer at a time, and a way can begin in the middle."""


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
            OptionError: `budget` is no number, or below zero.
        """
        at_least(0, budget, "max_bytes")
        self.graph: ModelGraph = trace(model, inputs)
        self.batch: Batch | None = None if inputs is None else prepare(inputs, self.graph.inputs, model.name).kept()
        self.budget = budget
        self.seconds = 0.0
        self._cache: OrderedDict[str, Captured] = OrderedDict()
        self._watch = WeightWatch()
        self._sure = False

    @property
    def bytes_kept(self) -> int:
        """The bytes of the activations in the cache."""
        return sum(captured.value.nbytes for captured in self._cache.values())

    def value(self, path: str) -> Array | None:
        """The activation of the node at `path` for the whole batch, shape `(samples, ...)`; `None` without inputs.

        Raises:
            CaptureError: The forward pass failed.
        """
        captured = self.captured(path)
        return None if captured is None else captured.value

    def captured(self, path: str) -> Captured | None:
        """The activation of the node at `path` with its mask; `None` without inputs.

        Raises:
            CaptureError: The forward pass failed.
        """
        if self.batch is None:
            return None
        if path in self._cache:
            self._cache.move_to_end(path)
            return self._cache[path]
        self.graph.check()
        start = time.perf_counter()
        self.watch(layers_behind(self.graph, path))
        captured = self._resumed(path) or capture(self.graph, self.batch, [self.graph.nodes[path]])[path]
        captured.value.flags.writeable = False  # it is shown again and again
        self.seconds += time.perf_counter() - start
        if captured.value.nbytes <= self.budget:
            self._cache[path] = captured
            while self.bytes_kept > self.budget:
                self._cache.popitem(last=False)
        return captured

    def walk(self, paths: Sequence[str]) -> Iterator[tuple[str, Captured]]:
        """The activations of many nodes, one after the other, with no more than the budget at a time.

        Those that are kept are not computed again; the others are not kept.

        Raises:
            CaptureError: The forward pass failed.
        """
        if self.batch is None:
            return
        self.watch([self.graph.model])
        yield from ((path, self._cache[path]) for path in paths if path in self._cache)
        nodes = [self.graph.nodes[path] for path in paths if path not in self._cache]
        sizes = sizes_of(self.graph, self.batch, nodes)
        group: list[LayerNode] = []
        size = 0
        for node in [*nodes, None]:
            own = 0 if node is None else sizes[node.path]
            if group and (node is None or size + own > self.budget):
                yield from self._captured(self.batch, group).items()
                group, size = [], 0
            if node is not None:
                group.append(node)
                size += own

    def _captured(self, batch: Batch, nodes: Sequence[LayerNode]) -> dict[str, Captured]:
        start = time.perf_counter()
        found = capture(self.graph, batch, nodes)
        self.seconds += time.perf_counter() - start
        return found

    def _resumed(self, path: str) -> Captured | None:
        """The activation computed from others that are kept; `None` where these are not enough."""
        batch = self.batch
        if batch is None or self.graph.stateful or not self._sure:
            return None
        held = {
            each: kept.value
            for each, kept in self._cache.items()
            if kept.mask is None and kept.value.ndim and len(kept.value) == batch.size <= RESUMED
        }
        way = way_from(self.graph, path, held)
        return None if way is None else Captured.of(go(self.graph, path, way, held))

    def watch(self, layers: Iterable[keras.Layer]) -> None:
        """Has `refresh` tell when these layers' weights are written; of what is captured it knows that."""
        self._watch.add(layers)

    def refresh(self) -> bool:
        """Lets go of activations that no longer hold, since weights behind them were written.

        Returns:
            Whether that was so, or other layers that are watched were written.
        """
        unwritten = self._watch.unwritten()
        self._sure = unwritten is True
        if unwritten is not False:
            return False
        self._cache.clear()
        self._watch.clear()
        return True

    def holds(self, path: str) -> bool:
        """Whether the activation at `path` is in the cache."""
        return path in self._cache

    def clear(self) -> None:
        """Lets go of all activations."""
        self._cache.clear()
        self._watch.clear()
        self._sure = False
