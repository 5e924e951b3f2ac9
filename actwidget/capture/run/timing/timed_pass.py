"""How long a model, and each call inside it, takes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import keras

from actwidget.capture.run.conversion import as_tensors
from actwidget.capture.run.failures import Failing
from actwidget.capture.run.restore import unchanged
from actwidget.capture.run.timing.timed_tap import TimedCall, TimedTap
from actwidget.keras_internals.backend import backend

if TYPE_CHECKING:
    from actwidget.capture.run.inputs import Batch
    from actwidget.capture.structure.model_graph import ModelGraph

TIMES = 2
"""How often a model runs: backends prepare some operations at their first call."""


@dataclass(frozen=True, eq=False)
class TimedPass:
    """How long the calls of a forward pass take.

    Attributes:
        calls: The calls by path, that of the model itself as `""`.
        seconds: The time of a pass in which no call is observed.
        samples: How many samples went through the model.
    """

    calls: Mapping[str, TimedCall]
    seconds: float
    samples: int

    @property
    def layer_seconds(self) -> float:
        """The time of all calls that the model itself makes, together; nested models hold that of what is inside."""
        return sum(call.seconds for path, call in self.calls.items() if path and "/" not in path)


def timed_pass(graph: ModelGraph, batch: Batch, *, batch_size: int) -> TimedPass:
    """Measures a forward pass and each call inside it, and leaves the model unchanged.

    The passes are eager and at inference. The model runs twice with each call observed: the clock runs around a call,
    from its arguments to its finished outputs, so on a GPU and on JAX each call is waited for. Then it runs twice with
    nothing observed, for the time of the whole pass. The shorter of two times counts.

    Observing a call takes time, too. So the observed time of the model is longer than that of the whole pass, and a
    layer with calls inside it has a longer time than without them. A compiled model, as in `predict`, may be faster,
    since operations are fused. The times of layers tell where time goes, not how long a deployed model takes.

    Args:
        graph: The model's graph.
        batch: The inputs.
        batch_size: How many of the samples go through the model, at most.

    Returns:
        The times. The whole pass of an edited model is an observed one, since its edits are made by observing it.

    Raises:
        CaptureError: Something in the forward pass raised.
    """
    size = min(batch.size, batch_size)
    value = batch.fed if size == batch.size else batch.rows(0, size)
    tap = TimedTap(graph.root, edits=graph.edits, allow_unreached=graph.allow_unreached)
    args, kwargs = graph.arguments(as_tensors(value, graph.inputs))
    passes: list[Mapping[str, TimedCall]] = []
    seconds: list[float] = []
    with Failing(graph.model.name, lambda: tap.failed):
        for _ in range(TIMES):
            tap.timed = {}
            with unchanged(graph.root, name=graph.model.name):
                tap.run(*args, **kwargs, training=False)
            passes.append(tap.timed)
        for _ in range(0 if graph.edits else TIMES):
            with unchanged(graph.root, name=graph.model.name):
                seconds.append(_seconds(graph.root, args, kwargs))
    calls = {
        path: replace(call, seconds=min(each[path].seconds for each in passes))
        for path, call in passes[0].items()
        if all(path in each for each in passes)
    }
    return TimedPass(calls, min(seconds, default=calls[""].seconds), size)


def _seconds(model: keras.Model, args: Any, kwargs: Any) -> float:
    start = time.perf_counter()
    outputs = model(*args, **kwargs, training=False)
    backend.wait_for([leaf for leaf in keras.tree.flatten(outputs) if keras.ops.is_tensor(leaf)])
    return time.perf_counter() - start
