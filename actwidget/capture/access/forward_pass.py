"""A forward pass up to some nodes, of a whole batch or part by part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import keras

from actwidget.capture.access.submodel import composable, connect, left_out, reason_against
from actwidget.capture.run.batch_parts import Captured, Joined, Parts, chosen, trials
from actwidget.capture.run.conversion import as_tensors
from actwidget.capture.run.failures import Failing, failing_layer
from actwidget.capture.run.reasons import NO_TENSOR_NOW, refusal
from actwidget.capture.run.restore import unchanged
from actwidget.capture.run.tap import Tap
from actwidget.capture.run.token_ids import naming_tokens
from actwidget.capture.semantics.sample_independence import are_samples_independent
from actwidget.errors import NotCapturableError
from actwidget.keras_internals.attributes import restored_attributes
from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.layers import flat_layers
from actwidget.options import at_least

if TYPE_CHECKING:
    from actwidget.capture.run.inputs import Batch
    from actwidget.capture.structure.model_graph import ModelGraph
    from actwidget.capture.structure.node import LayerNode


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
    """Runs the model up to the chosen nodes, part by part, and leaves it unchanged.

    Args:
        graph: The model's graph.
        batch: The inputs.
        nodes: The nodes to capture.
        training: Whether the layers behave as in training.
        batch_size: How many samples go through the model at a time.
        refuse: Whether a node that turns out during the pass not to be capturable is an error; otherwise it is left
            out.

    Raises:
        OptionError: `batch_size` is not a whole number from 1.
        NotCapturableError: A node can't be captured, or an optional input was requested that was left out.
        CaptureError: Something in the forward pass raised.
    """
    at_least(1, batch_size, "batch_size")
    if not nodes:
        return {}
    paths = [node.path for node in nodes]
    running, forward = _prepared(graph, batch, nodes, refuse=refuse)
    if batch_size < batch.size and not training:
        whole = {path: Joined(batch.size) for path in paths}
        with unchanged(running, name=graph.model.name):
            for start, part, mixed in _in_parts(graph, batch, nodes, forward, batch_size):
                if mixed:
                    break
                for path in list(part):
                    whole[path].add(start, part.pop(path))
            else:
                return {path: each.captured for path, each in whole.items() if each.has_parts}
        del whole  # frees the memory before the whole batch is run
    with unchanged(running, name=graph.model.name):
        return forward(batch.fed, training)


def stream(
    graph: ModelGraph,
    batch: Batch,
    nodes: Sequence[LayerNode],
    take: Callable[[int, dict[str, Captured]], None],
    *,
    batch_size: int = 32,
) -> set[str]:
    """Runs the model up to the chosen nodes, part by part, and passes each part on without keeping it.

    Args:
        graph: The model's graph.
        batch: The inputs.
        nodes: The nodes to capture.
        take: Is called with the index of the first sample of each part, and the activations for that part.
        batch_size: How many samples go through the model at a time.

    Returns:
        The paths of nodes that can't be computed part by part, because they mix the samples of a batch. For these, the
        values passed to `take` are not those of the whole batch.

    Raises:
        NotCapturableError: A node can't be captured.
        CaptureError: Something in the forward pass raised.
    """
    running, forward = _prepared(graph, batch, nodes, refuse=False)
    mixed: set[str] = set()
    with unchanged(running, name=graph.model.name):
        for start, part, mixed_so_far in _in_parts(graph, batch, nodes, forward, batch_size):
            take(start, part)
            mixed = mixed_so_far
    return mixed


def _in_parts(
    graph: ModelGraph, batch: Batch, nodes: Sequence[LayerNode], forward: Forward, rows: int
) -> Iterator[tuple[int, dict[str, Captured], set[str]]]:
    """Runs a batch part by part.

    Yields:
        For each part the index of its first sample, the activations by path, and the paths that have turned out so far
        to mix the samples of a batch, which have no activations here.
    """
    paths = {node.path for node in nodes}
    are_independent = are_samples_independent(graph, nodes)
    if are_independent is False:
        yield 0, {}, paths
        return
    mixed: set[str] = set()
    given: set[str] | None = None
    parts, trial_samples = Parts(batch.size, rows), {} if are_independent else trials(batch.size, rows)
    for start in range(0, batch.size, rows):
        try:
            if start in trial_samples:
                with restored_attributes(flat_layers(graph.root), trial=True):
                    parts.compare_with([(each, forward(chosen(batch, each), False)) for each in trial_samples[start]])
            part = forward(batch.rows(start, start + rows), False)
        except Exception as error:  # some layers are not called for some samples, or raise without the others
            if backend.ran_out_of_memory(error):
                raise
            yield start, {}, paths
            return
        if given is None:
            given = set(part)
        if given != part.keys():  # what has a value for some samples alone can't be put together
            yield start, {}, paths
            return
        mixed |= {path for path in part.keys() - mixed if not parts.fits(path, start, part[path])}
        yield start, {path: each for path, each in part.items() if path not in mixed}, mixed
        if mixed == paths:
            return


Forward = Callable[[Any, bool], dict[str, Captured]]


def _prepared(
    graph: ModelGraph, batch: Batch, nodes: Sequence[LayerNode], *, refuse: bool
) -> tuple[keras.Model, Forward]:
    """The model that runs to capture some nodes, and a function that makes a forward pass of it.

    Raises:
        NotCapturableError: A node can't be captured, or an optional input was requested that was left out.
    """
    for node in nodes:
        error = reason_against(graph, node.path, batch)
        if error is not None and not (node.origin == "opaque" and graph.failed is not None):
            raise error
    absent = left_out(graph, batch)
    paths = [node.path for node in nodes]
    is_everything = len(nodes) == sum(node.origin != "opaque" for node in graph.tree) - len(absent)
    # A sub-model runs only the layers that are needed. If all are needed, building it costs more than it saves. Where a
    # layer may write to its input, values have to be copied before the next layer runs, which a sub-model does not do.
    is_tapped = len(nodes) > 1 and (is_everything or backend.writes_in_place)
    if not is_tapped and composable(graph, paths):
        return _composed(graph, paths, refuse=refuse)
    return _tapped(graph, paths, graph.called if is_everything else None, refuse=refuse)


def _composed(graph: ModelGraph, paths: list[str], *, refuse: bool) -> tuple[keras.Model, Forward]:
    """A functional sub-model, and a forward pass through it. The arguments are those of `_tapped`."""
    sub = connect(graph, paths, str(len(paths)))

    def forward(value: Any, training: bool) -> dict[str, Captured]:  # noqa: FBT001
        fed = as_tensors(value, graph.inputs)
        with Failing(graph.model.name, lambda: failing_layer(graph, sub, fed, training=training)):
            outputs = sub(fed, training=training)
        values = {path: output for path, output in zip(paths, outputs, strict=True) if output is not None}
        if refuse and (missing := [path for path in paths if path not in values]):
            raise refusal(graph.model.name, missing[0], NO_TENSOR_NOW)
        return {path: Captured.of(value) for path, value in values.items()}

    return sub, forward


def _tapped(
    graph: ModelGraph, paths: list[str], called: frozenset[str] | None, *, refuse: bool
) -> tuple[keras.Model, Forward]:
    """The model itself, and a forward pass through it with a tap, which ends as soon as all values are recorded.

    Args:
        graph: The model's graph.
        paths: The paths to capture.
        called: The exact set of calls that each pass must make; `None` if any set will do.
        refuse: Whether a value that the model does not give in this pass is an error; otherwise it is left out.
    """
    edits = graph.edits if called is not None else graph.edits_before(paths)
    allowed = graph.allow_unreached
    tap = Tap(graph.root, wanted=set(paths), edits=edits, allow_unreached=allowed, stop=called is None)

    def forward(value: Any, training: bool) -> dict[str, Captured]:  # noqa: FBT001
        args, kwargs = graph.arguments(as_tensors(value, graph.inputs))
        with Failing(graph.model.name, lambda: tap.failed):
            tap.run(*args, **kwargs, training=training)
        tap.check_edits()
        if refuse:
            tap.check_values(paths)
        if called is not None and (other := sorted(called ^ tap.calls.keys())):
            message = f"Model {graph.model.name!r} calls {other} on some samples alone."
            raise NotCapturableError(message)
        return {path: Captured.of(tap.values.pop(path)) for path in paths if path in tap.values}

    return graph.root, forward
