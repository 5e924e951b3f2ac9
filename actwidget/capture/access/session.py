"""One model and one batch: forward passes that leave no trace, a byte budget, a cache."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import keras
import numpy as np
import tensorflow as tf

from actwidget.capture.access.budget import check_budget, sizes_of
from actwidget.capture.access.cache import Kept, Key
from actwidget.capture.access.submodel import composable, connect, left_out, reason_against
from actwidget.capture.access.weight_watch import WeightWatch
from actwidget.capture.run.batch_parts import Captured, Joined, Parts, Row, alone, chosen, trials
from actwidget.capture.run.failures import Failing, failing_layer
from actwidget.capture.run.fitted_inputs import fitted
from actwidget.capture.run.inputs import Batch, prepare
from actwidget.capture.run.marks import same_marks
from actwidget.capture.run.partial_forward import go, layers_behind, way_from
from actwidget.capture.run.restore import Array, as_array, as_tensors, unchanged
from actwidget.capture.run.tap import Tap
from actwidget.capture.run.token_ids import naming_tokens
from actwidget.capture.semantics.sample_independence import are_samples_independent
from actwidget.capture.structure.call_arguments import Signature
from actwidget.capture.structure.paths import aliases, not_found
from actwidget.capture.structure.selectors import select
from actwidget.capture.trace import read, trace
from actwidget.errors import (
    CaptureError,
    LayerNotFoundError,
    MemoryBudgetError,
    ModelNotBuiltError,
    NotCapturableError,
    shown,
)
from actwidget.keras_internals.graph import function_of
from actwidget.keras_internals.layers import flat_layers
from actwidget.options import at_least

if TYPE_CHECKING:
    from actwidget.capture.structure.model_graph import ModelGraph
    from actwidget.capture.structure.node import LayerNode


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
        training: Whether the layers behave as in training (dropout at work, batch statistics). The moving averages,
            seeds and states that they then write are kept apart and dropped, so the model stays as it is, also while
            another thread trains it. All samples go through the model at once, since batch statistics are those of the
            whole batch. Where chance is at work, a layer asked for by itself draws other numbers than among all:
            what it does not need does not run, and draws none.
        batch_size: How many samples go through the model at a time. All go at once where a layer does not treat each
            sample by itself (it compares or centres them, or draws noise for them), so that the values are those of
            `model(inputs)`. Where Keras does not tell, some samples of several parts are run together to find that out.
        max_bytes: An upper bound on the bytes of the result, checked before anything runs; what can't be known before
            is measured on one sample first.

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
    graph, batch = _read(model, inputs, record=record, most=batch_size)
    if record and graph.failed is None:
        nodes = _chosen(graph, batch, layers)
        return Activations({node.path: as_array(record.pop(node.path)) for node in nodes}, model.name)

    def captured(graph: ModelGraph, batch: Batch) -> Activations:
        nodes = _chosen(graph, batch, layers)
        if max_bytes is not None:
            sizes, measured = _measured(graph, batch, sizes_of(graph, batch, nodes))
            check_budget(sizes, max_bytes, measured)
        found = capture(graph, batch, nodes, training=training, batch_size=batch_size, refuse=layers is not None)
        if max_bytes is not None:  # one sample can be smaller than the others
            check_budget({path: each.value.nbytes for path, each in found.items()}, max_bytes)
        return Activations({path: each.value for path, each in found.items()}, model.name)

    if graph.called is not None:
        with suppress(LayerNotFoundError, NotCapturableError):  # the other samples may call more
            return captured(graph, batch)
        graph, batch = _read(model, inputs)
    return captured(graph, batch)


def _read(model: keras.Model, inputs: Any, **options: Any) -> tuple[ModelGraph, Batch]:
    """As `read`, of a model that is to run.

    Raises:
        InvalidInputsError: There are no inputs, or they do not fit.
    """
    graph, batch = read(model, inputs, **options)
    return graph, prepare(inputs, graph.inputs, model.name) if batch is None else batch


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
        if graph.inputs is None:
            spread, value = Signature(graph.root).ways(inputs)[0]
            graph, batch = replace(graph, spread=spread), prepare(value, None, model.name, spread)
        else:
            batch = fitted(graph.root, inputs, edited=True)
        sizes = sizes_of(graph, batch, _chosen(graph, batch, layers))
        check_budget({path: size for path, size in sizes.items() if size is not None}, max_bytes)


def _measured(
    graph: ModelGraph, batch: Batch, sizes: Mapping[str, int | None]
) -> tuple[dict[str, int], frozenset[str]]:
    """The bytes of activations, and the paths of those that had to be measured on one sample.

    What can't be had of one sample counts as nothing.
    """
    found = {path: size for path, size in sizes.items() if size is not None}
    unknown = [graph.nodes[path] for path in sizes if path not in found]
    if not unknown:
        return found, frozenset()
    try:
        with same_marks(flat_layers(graph.root), trial=True):
            measured = capture(graph, alone(batch, [0]), unknown)
    except (NotCapturableError, CaptureError):
        measured = {}
    for node in unknown:
        value = measured[node.path].value if node.path in measured else np.empty(0)
        found[node.path] = value.nbytes * (batch.size if value.ndim and len(value) == 1 else 1)
    return found, frozenset(measured)


@naming_tokens
def capture(
    graph: ModelGraph,
    batch: Batch,
    nodes: Sequence[LayerNode],
    *,
    training: bool = False,
    batch_size: int = 32,
    refuse: bool = True,
) -> dict[str, Captured]:
    """Runs the model up to the chosen nodes, batch by batch, and puts every variable that moved back.

    Args:
        graph: The model's graph.
        batch: The inputs.
        nodes: What is wanted.
        training: Whether the layers behave as in training.
        batch_size: How many samples go through the model at a time.
        refuse: Whether a node whose value turns out not to be had is an error; else it is left out.

    Raises:
        OptionError: `batch_size` is no whole number from 1.
        NotCapturableError: A node's value can't be had, or an optional input that was left out is asked for.
        CaptureError: Something in the forward pass raised.
    """
    at_least(1, batch_size, "batch_size")
    if not nodes:
        return {}
    paths = [node.path for node in nodes]
    ran, forward = _pass(graph, batch, nodes, refuse=refuse)
    if batch_size < batch.size and not training:
        whole = {path: Joined(batch.size) for path in paths}
        with unchanged(ran, name=graph.model.name):
            for start, part, mixed in _in_parts(graph, batch, nodes, forward, batch_size):
                if mixed:
                    break
                for path in paths:
                    if path in part:
                        whole[path].add(start, part.pop(path))
            else:
                return {path: each.captured for path, each in whole.items() if each.has_parts}
        del whole
    with unchanged(ran, name=graph.model.name):
        return forward(batch.fed, training)


def stream(
    graph: ModelGraph,
    batch: Batch,
    nodes: Sequence[LayerNode],
    take: Callable[[int, dict[str, Captured]], None],
    *,
    batch_size: int = 32,
) -> set[str]:
    """Runs the model up to the chosen nodes, part by part, and keeps nothing.

    Args:
        graph: The model's graph.
        batch: The inputs.
        nodes: Those whose values are wanted.
        take: Is given the first sample of each part, and what the nodes gave for the part.
        batch_size: How many samples go through the model at a time.

    Returns:
        The paths of the nodes that can't be had in parts, since they do not treat the samples alike. What was taken
        of these is not what the whole batch gives.

    Raises:
        NotCapturableError: A node's value can't be had.
        CaptureError: Something in the forward pass raised.
    """
    ran, forward = _pass(graph, batch, nodes, refuse=False)
    mixed: set[str] = set()
    with unchanged(ran, name=graph.model.name):
        for start, part, unfit in _in_parts(graph, batch, nodes, forward, batch_size):
            take(start, part)
            mixed = unfit
    return mixed


def _in_parts(
    graph: ModelGraph, batch: Batch, nodes: Sequence[LayerNode], forward: Forward, rows: int
) -> Iterator[tuple[int, dict[str, Captured], set[str]]]:
    """What some nodes gave for each part of a batch, with its first sample, and the nodes not to be had in parts."""
    paths = {node.path for node in nodes}
    alike = are_samples_independent(graph, nodes)
    if alike is False:
        yield 0, {}, paths
        return
    mixed: set[str] = set()
    parts, tried = Parts(batch.size, rows), {} if alike else trials(batch.size, rows)
    for start in range(0, batch.size, rows):
        try:
            if start in tried:
                with same_marks(flat_layers(graph.root), trial=True):
                    parts.compare_with([(each, forward(chosen(batch, each), False)) for each in tried[start]])
            part = forward(batch.rows(start, start + rows), False)
        except (MemoryError, tf.errors.ResourceExhaustedError):
            raise
        except Exception:  # noqa: BLE001 - a layer may pass some samples by, or raise what it likes without the others
            yield start, {}, paths
            return
        mixed |= {path for path in part.keys() - mixed if not parts.fits(path, start, part[path])}
        yield start, {path: each for path, each in part.items() if path not in mixed}, mixed
        if mixed == paths:
            return


Forward = Callable[[Any, bool], dict[str, Captured]]


def _pass(graph: ModelGraph, batch: Batch, nodes: Sequence[LayerNode], *, refuse: bool) -> tuple[keras.Model, Forward]:
    """What runs to have some nodes, and a forward pass of it.

    Raises:
        NotCapturableError: A node's value can't be had, or an optional input that was left out is asked for.
    """
    for node in nodes:
        error = reason_against(graph, node.path, batch)
        if error is not None and not (node.origin == "opaque" and graph.failed is not None):
            raise error
    absent = left_out(graph, batch)
    paths = [node.path for node in nodes]
    everything = len(nodes) == sum(node.origin != "opaque" for node in graph.tree) - len(absent)
    # A sub-model runs only what is needed; for everything it would cost more to build than it saves.
    if not (everything and len(nodes) > 1) and composable(graph, paths):
        return _composed(graph, paths)
    return _tapped(graph, paths, graph.called if everything else None, refuse=refuse)


def _composed(graph: ModelGraph, paths: list[str]) -> tuple[keras.Model, Forward]:
    """A functional sub-model, and a forward pass through it."""
    sub = connect(graph, paths, str(len(paths)))

    def forward(value: Any, training: bool) -> dict[str, Captured]:  # noqa: FBT001
        fed = as_tensors(value, graph.inputs)
        with Failing(graph.model.name, lambda: failing_layer(graph, sub, fed, training=training)):
            outputs = sub(fed, training=training)
        return {path: Captured.of(output) for path, output in zip(paths, outputs, strict=True)}

    return sub, forward


def _tapped(
    graph: ModelGraph, paths: list[str], called: frozenset[str] | None, *, refuse: bool
) -> tuple[keras.Model, Forward]:
    """The model itself, and a forward pass of it, ended as soon as all values are there.

    Args:
        graph: The model's graph.
        paths: What is wanted.
        called: The calls that the model has to make, no more and no less, if that matters.
        refuse: Whether what a layer can't be asked for in this pass is an error; else it is left out.
    """
    edits = graph.edits if called is not None else graph.edits_before(paths)
    allowed = graph.allow_unreached
    tap = Tap(graph.root, wanted=set(paths), edits=edits, allow_unreached=allowed, stop=called is None)

    def forward(value: Any, training: bool) -> dict[str, Captured]:  # noqa: FBT001
        args, kwargs = graph.arguments(as_tensors(value, graph.inputs))
        with Failing(graph.model.name, lambda: tap.failed):
            tap.run(*args, **kwargs, training=training)
        tap.check_edits()
        tap.check_values(path for path in paths if refuse or not tap.why_refused(path))
        if called is not None and (other := sorted(called ^ tap.calls.keys())):
            message = f"Model {graph.model.name!r} calls {other} on some samples alone."
            raise NotCapturableError(message)
        return {path: Captured.of(tap.values.pop(path)) for path in paths if path in tap.values}

    return graph.root, forward


WHOLE, ROW, TALLY, WEIGHTS, ANSWERS = "whole", "row", "tally", "weights", "answers"
"""Kinds of what is kept: an activation, that of one sample, what was counted over all samples, the pictures of a
layer's weights, and what the model answers."""
STAYING = (WHOLE, TALLY, WEIGHTS)
"""What of a layer on screen would be computed again at once."""


class Session:
    """A model and a batch, explored layer by layer, with no more kept than a byte budget allows.

    An activation that would take more than the budget is never held as a whole: what is looked at of it is computed for
    the samples in sight, and what is counted over all samples comes in parts.

    Attributes:
        graph: The model's graph.
        batch: The inputs, or `None` where none were given.
        batch_size: How many samples go through the model at a time.
        kept: Activations and what was made of them.
        seconds: How long forward passes have taken since this was last set to 0.
    """

    def __init__(
        self, model: keras.Model, inputs: Any = None, *, budget: int = 256_000_000, batch_size: int = 32
    ) -> None:
        """Reads the model's graph and checks the inputs; nothing runs.

        Raises:
            UnsupportedModelError: `model` can't be looked into.
            InvalidInputsError: `inputs` do not fit.
            OptionError: `budget` is no number, or below zero; `batch_size` is no whole number from 1.
        """
        at_least(0, budget, "max_bytes")
        at_least(1, batch_size, "batch_size")
        self.graph: ModelGraph
        self.graph, batch = read(model, inputs, most=batch_size, parts=True)
        self.batch: Batch | None = None if batch is None else batch.kept()
        if self.batch is not None and self.graph.called is not None:
            # Other samples may call other layers: all are run where what they give keeps to the budget.
            nodes = [node for node in self.graph.tree if node.origin != "opaque"]
            sizes, _ = _measured(self.graph, self.batch, sizes_of(self.graph, self.batch, nodes))
            if sum(sizes.values()) <= budget:
                self.graph, _ = read(model, inputs, parts=True)
        self.batch_size = batch_size
        self.kept = Kept(budget)
        self.seconds = 0.0
        self._sizes: dict[str, int] = {}
        self._measured: set[str] = set()
        self._alike: dict[str, bool] = {}
        self._watch = WeightWatch()
        self._sure = False
        self.look("", [0])

    @property
    def budget(self) -> float:
        """How many bytes are kept."""
        return self.kept.budget

    @property
    def bytes_kept(self) -> int:
        """The bytes of what is kept."""
        return self.kept.nbytes

    def look(self, path: str, samples: Sequence[int]) -> None:
        """Says which layer is on screen, and which samples of it."""
        self.sight = (path, tuple(samples))
        self.kept.in_view = frozenset(
            [*(Key(path, ROW, sample) for sample in samples), *(Key(path, kind) for kind in STAYING), Key("", ANSWERS)]
        ).__contains__

    def value(self, path: str) -> Array | None:
        """The activation of the node at `path` for the whole batch, shape `(samples, ...)`; `None` without inputs.

        One that is larger than the budget is computed, but not kept.

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
        key = Key(path, WHOLE)
        if (kept := self.kept.get(key)) is not None:
            return cast("Captured", kept)
        captured = self._resumed(path) or self._captured(self.batch, path)
        if path in self._measured:  # one sample can be smaller than the others
            self._sizes[path] = captured.nbytes
        if self.fits(path) or self._is_one_piece(path):
            self.kept.put(key, captured, captured.nbytes)
        return captured

    def fits(self, path: str) -> bool:
        """Whether the activation of the node at `path` can be held as a whole.

        That of a single sample has to be, to be looked at; a number for each sample takes less than the inputs do.
        """
        node = self.graph.nodes[path]
        one_each = len(node.output_shape or (0, 0)) < 2
        if self.batch is None or self.batch.size == 1 or one_each or node.origin == "opaque":
            return True
        return self.size(path) <= self.budget

    def size(self, path: str) -> int:
        """The bytes of the activation of the node at `path` for the whole batch."""
        if path not in self._sizes:
            self._find_sizes([self.graph.nodes[path]])
        return self._sizes[path]

    def _find_sizes(self, nodes: Sequence[LayerNode]) -> None:
        """Finds the sizes of some nodes out, and of all others with them where a trial of the whole model tells."""
        if self.batch is None:
            return
        if any(None in (node.output_shape or (None, None))[1:] for node in nodes):
            known = sizes_of(self.graph, self.batch, list(self.graph.nodes.values()))
            self._sizes |= {path: size for path, size in known.items() if size is not None}
        unknown = [node for node in nodes if node.path not in self._sizes]
        sizes, measured = _measured(self.graph, self.batch, sizes_of(self.graph, self.batch, unknown))
        self._sizes |= sizes
        self._measured |= measured

    def row(self, path: str, sample: int) -> Row | None:
        """What the node at `path` gives for one sample; `None` without inputs.

        Of an activation larger than the budget it is computed by itself, with what else is in sight of it.

        Raises:
            MemoryBudgetError: The activation is larger than the budget, and can only be had as a whole.
            CaptureError: The forward pass failed.
        """
        batch = self.batch
        if batch is None:
            return None
        if self.fits(path) or self._is_one_piece(path):
            captured = self.captured(path)
            return None if captured is None else captured.row(sample, batch.size)
        if not self.in_parts(path):
            raise self.too_large(path)
        if (kept := self.kept.get(Key(path, ROW, sample))) is not None:
            return cast("Row", kept)
        seen, shown = self.sight
        others = [each for each in shown if seen == path and Key(path, ROW, each) not in self.kept]
        wanted = list(dict.fromkeys([sample, *others]))
        captured = self._captured(alone(batch, wanted), path)
        rows = [captured.row(place, len(wanted)) for place in range(len(wanted))]
        for each, row in zip(wanted, rows, strict=True):
            self._keep_row(path, each, row)
        return replace(rows[0], samples=batch.size)

    def _keep_row(self, path: str, sample: int, row: Row) -> None:
        size = 0 if self.batch is None else self.batch.size
        own = Row(row.value.copy(), None if row.mask is None else row.mask.copy(), size)
        self.kept.put(Key(path, ROW, sample), own, own.value.nbytes)

    def _is_one_piece(self, path: str) -> bool:
        """Whether the activation has no axis of samples, so that none of them has less than all of it."""
        shape, inputs = self.graph.nodes[path].output_shape, keras.tree.flatten(self.graph.inputs)
        declared = {tensor.shape[0] for tensor in inputs if tensor is not None}
        return shape is not None and (not shape or (shape[0] is not None and shape[0] not in declared))

    def in_parts(self, path: str) -> bool:
        """Whether the samples can be had one by one; some are run to find that out where Keras does not tell."""
        if self.alike(path) is None:
            self.stream([path], lambda *_: None)
        return self._alike[path]

    def alike(self, path: str) -> bool | None:
        """What `are_samples_independent` says of a node, or what has been found out since."""
        if path not in self._alike:
            known = are_samples_independent(self.graph, [self.graph.nodes[path]])
            if known is None:
                return None
            self._alike[path] = known
        return self._alike[path]

    def too_large(self, path: str) -> MemoryBudgetError:
        """The error for an activation that can only be had as a whole, and is too large for that."""
        samples = 0 if self.batch is None else self.batch.size
        message = (
            f"{shown(path)} takes {self.size(path):,} bytes for {samples:,} samples, more than "
            f"max_bytes={self.budget:,.0f}, and what it gives for one sample depends on the others. Give fewer "
            "samples, x[:32] say, or a larger max_bytes."
        )
        return MemoryBudgetError(message)

    def stream(self, paths: Sequence[str], take: Callable[[str, int, Captured], None]) -> None:
        """Runs the whole batch up to some nodes, in parts that keep to the budget together.

        Args:
            paths: The nodes. Those that can't be had in parts are known afterwards by `alike`.
            take: Is given a path, the first sample of a part, and what the node gave for that part.

        Raises:
            CaptureError: The forward pass failed.
        """
        batch = self.batch
        if batch is None:
            return
        each = sum(self.size(path) for path in paths) // batch.size
        rows = int(max(1, min(self.batch_size, self.budget // max(1, each))))
        self._start([self.graph.model])
        start = time.perf_counter()

        def give(first: int, part: dict[str, Captured]) -> None:
            for path, captured in part.items():
                seen, shown = self.sight
                for sample in shown if seen == path else ():
                    if first <= sample < first + len(captured.value):
                        self._keep_row(path, sample, captured.row(sample - first, len(captured.value)))
                take(path, first, captured)

        mixed = stream(self.graph, batch, [self.graph.nodes[path] for path in paths], give, batch_size=rows)
        self._alike |= {path: path not in mixed for path in paths}
        self.kept.drop(lambda key: key.kind == ROW and key.path in mixed)
        self.seconds += time.perf_counter() - start

    def walk(self, paths: Sequence[str]) -> Iterator[tuple[str, Captured]]:
        """The activations of nodes that fit, one after the other, with no more than the budget at a time.

        Those that are kept are not computed again; the others are not kept.

        Raises:
            CaptureError: The forward pass failed.
        """
        if self.batch is None:
            return
        self._start([self.graph.model])
        held = [(path, self.kept.get(Key(path, WHOLE))) for path in paths]
        yield from ((path, captured) for path, captured in held if captured is not None)
        nodes = [self.graph.nodes[path] for path, captured in held if captured is None]
        self._find_sizes(nodes)
        group: list[LayerNode] = []
        size = 0
        for node in [*nodes, None]:
            own = 0 if node is None else self._sizes[node.path]
            if group and (node is None or size + own > self.budget):
                yield from self._run(self.batch, group, refuse=False).items()
                group, size = [], 0
            if node is not None:
                group.append(node)
                size += own

    def _captured(self, batch: Batch, path: str) -> Captured:
        self._start(layers_behind(self.graph, path))
        captured = self._run(batch, [self.graph.nodes[path]])[path]
        captured.value.flags.writeable = False  # it is shown again and again
        return captured

    def _run(self, batch: Batch, nodes: Sequence[LayerNode], *, refuse: bool = True) -> dict[str, Captured]:
        start = time.perf_counter()
        found = capture(self.graph, batch, nodes, batch_size=self.batch_size, refuse=refuse)
        self.seconds += time.perf_counter() - start
        return found

    def _start(self, layers: Iterable[keras.Layer]) -> None:
        self.graph.check()
        self.watch(layers)

    def _resumed(self, path: str) -> Captured | None:
        """The activation computed from others that are kept; `None` where these are not enough."""
        batch = self.batch
        if batch is None or self.graph.stateful or not self._sure or batch.size > self.batch_size:
            return None
        whole = {key.path: self.kept.peek(key) for key in self.kept.keys(WHOLE)}
        held = {
            each: kept.value for each, kept in whole.items() if kept.is_all and kept.value.shape[:1] == (batch.size,)
        }
        way = way_from(self.graph, path, held)
        if way is None:
            return None
        self._start(layers_behind(self.graph, path))
        start = time.perf_counter()
        captured = Captured.of(go(self.graph, path, way, held))
        captured.value.flags.writeable = False
        self.seconds += time.perf_counter() - start
        return captured

    def watch(self, layers: Iterable[keras.Layer]) -> None:
        """Has `refresh` tell when these layers' weights are written; of what is captured it knows that."""
        self._watch.add(layers)

    def refresh(self) -> bool:
        """Lets go of activations unless they are known to hold: weights behind them may have been written.

        Returns:
            Whether that was so, or other layers that are watched may have been written.
        """
        self._sure = self._watch.unwritten()
        if self._sure:
            return False
        self.forget()
        return True

    def holds(self, path: str) -> bool:
        """Whether what is in sight of the activation at `path` is kept."""
        seen, samples = self.sight
        rows = [Key(path, ROW, sample) in self.kept for sample in samples if seen == path]
        return Key(path, WHOLE) in self.kept or (bool(rows) and all(rows))

    def forget(self) -> None:
        """Lets go of everything that rests on the weights."""
        self.kept.drop(lambda _key: True)
        self._alike.clear()
        self._watch.clear()

    def clear(self) -> None:
        """Lets go of everything."""
        self.forget()
        self._sure = False

    def told(self) -> str:
        """In how many parts the layer in sight is computed, and what is held of it, in words."""
        batch, (path, _) = self.batch, self.sight
        if batch is None or path not in self.graph.nodes:
            return ""
        samples = f"{batch.size:,} sample{'s' * (batch.size != 1)}"
        captured = self.kept.peek(Key(path, WHOLE))
        if captured is None:
            if self.fits(path) or not self._alike.get(path):
                return samples
            how = ", measured on one sample" if path in self._measured else ""
            size = self.size(path) / 1e6
            takes = f"{size:,.0f}" if size >= 10 else f"{size:#.2g}"
            return f"one sample at a time: the layer takes {takes} MB for {samples}{how}"
        if batch.size <= self.batch_size:
            return samples
        return f"{samples} in {'one piece' if captured.parts == 1 else f'{captured.parts:,} parts'}"
