"""How long each call inside a model takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from actwidget.capture.run.conversion import as_tensors
from actwidget.capture.run.failures import Failing
from actwidget.capture.run.restore import unchanged
from actwidget.capture.run.timing.timed_tap import TimedCall, TimedTap

if TYPE_CHECKING:
    from actwidget.capture.run.inputs import Batch
    from actwidget.capture.structure.model_graph import ModelGraph


def timed_calls(graph: ModelGraph, batch: Batch, *, batch_size: int) -> tuple[Mapping[str, TimedCall], int]:
    """Measures each call inside a model in eager passes, and leaves the model unchanged.

    The clock runs around each call, from its arguments to its finished outputs: on a GPU and in JAX each call is waited
    for, which such a pass normally does not do. A call's time holds that of the calls inside it, and what it takes to
    observe these (tens of microseconds each), so it matters for layers that take less than that. The model runs twice,
    in eager mode and at inference, and the shorter time of a call counts: backends prepare some operations at their
    first call. A compiled `predict` is faster, since operations are fused. The shares tell where the time goes, not how
    long a deployed model takes.

    Args:
        graph: The model's graph.
        batch: The inputs.
        batch_size: How many of the samples go through the model, at most.

    Returns:
        The calls by path, that of the model itself as `""`; and how many samples went through.

    Raises:
        CaptureError: Something in the forward pass raised.
    """
    size = min(batch.size, batch_size)
    value = batch.fed if size == batch.size else batch.rows(0, size)
    tap = TimedTap(graph.root, edits=graph.edits, allow_unreached=graph.allow_unreached)
    args, kwargs = graph.arguments(as_tensors(value, graph.inputs))
    passes: list[Mapping[str, TimedCall]] = []
    for _ in range(2):
        tap.timed = {}
        with unchanged(graph.root, name=graph.model.name), Failing(graph.model.name, lambda: tap.failed):
            tap.run(*args, **kwargs, training=False)
        passes.append(tap.timed)
    first, second = passes
    shorter = {
        path: replace(call, seconds=min(call.seconds, first[path].seconds))
        for path, call in second.items()
        if path in first
    }
    return shorter, size
