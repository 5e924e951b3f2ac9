"""What the layers of a network cost, counted and measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras

from actwidget.capture.run.timing.timed_pass import timed_pass
from actwidget.capture.semantics.cost import costs_of, total_bytes, total_multiply_adds

if TYPE_CHECKING:
    from actwidget.capture.access.session import Session


@dataclass(frozen=True)
class LayerCost:
    """What one layer costs.

    Attributes:
        path: The layer's path.
        multiply_adds: Of one sample: how many multiplications of weights or of two tensors, each with the addition that
            follows; `None` if that is not known. A nested model has the sum of what is inside it.
        parameters: How many weights it has.
        nbytes: The bytes of its output for one sample; `None` if that is not known.
        seconds: How long its call took in an eager pass, divided by the number of samples in it, with all that is
            inside it; `None` if no call was measured. See `timed_pass` on how it is measured.
        is_model: Whether it is a nested model, whose cost is that of the layers in it, each of which has its own.
        note: What is not counted, or why it is not known; `""` if there is nothing to say.
    """

    path: str
    multiply_adds: int | None
    parameters: int
    nbytes: int | None
    seconds: float | None
    is_model: bool = False
    note: str = ""


@dataclass(frozen=True, eq=False)
class NetworkCost:
    """What a whole network costs.

    Attributes:
        layers: What each layer costs, by path.
        multiply_adds: Of one sample; nested models count once.
        is_complete: Whether the multiply-adds of all layers are known.
        parameters: How many weights the model has; a shared layer counts once.
        nbytes: The bytes of all layers' outputs for one sample.
        seconds: How long an eager pass took, divided by the number of samples; `None` without inputs.
        layer_seconds: The same for all layers together, each measured by itself: that of which a layer's time is a
            share. It is more than `seconds`, since to observe the calls takes time.
    """

    layers: Mapping[str, LayerCost]
    multiply_adds: int
    is_complete: bool
    parameters: int
    nbytes: int
    seconds: float | None
    layer_seconds: float | None


def network_cost(session: Session) -> NetworkCost:
    """Counts what a network costs, and measures the time if there are inputs.

    Raises:
        CaptureError: The forward pass failed.
    """
    graph, batch = session.graph, session.batch
    timed = None if batch is None else timed_pass(graph, batch, batch_size=session.batch_size)
    calls, samples = ({}, 1) if timed is None else (timed.calls, timed.samples)
    costs = costs_of(graph, {path: (call.inputs, call.outputs) for path, call in calls.items()})
    seconds = {path: call.seconds / samples for path, call in calls.items()}
    layers = {
        path: LayerCost(
            path,
            cost.multiply_adds,
            cost.parameters,
            cost.nbytes,
            seconds.get(path),
            is_model=isinstance(graph.operations[path], keras.Model),
            note=cost.note,
        )
        for path, cost in costs.items()
    }
    multiply_adds, is_complete = total_multiply_adds(graph, costs)
    return NetworkCost(
        layers,
        multiply_adds,
        is_complete,
        graph.tree.parameters,
        total_bytes(graph, costs),
        seconds=None if timed is None else timed.seconds / samples,
        layer_seconds=None if timed is None else timed.layer_seconds / samples,
    )
