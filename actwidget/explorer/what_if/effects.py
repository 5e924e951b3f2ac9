"""The effect of each channel of a layer on the answer for a sample, computed step by step when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from actwidget.capture.run.batch_parts import alone
from actwidget.capture.semantics.sample_independence import are_samples_independent
from actwidget.explain.effects import steps_on
from actwidget.explorer.what_if.drafts import refusal
from actwidget.explorer.work import Progress, Work
from actwidget.figures import channel_order

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from numpy.typing import NDArray

    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.layer_values import Array

ORDER = "effect"
"""The order of channels by their effect."""
AT_ONCE = 16
"""How many changed samples go through the model in a step."""


def effects_of(data: LayerData) -> Array | None:
    """How much the answer for the sample falls without each channel, shape `(channels,)`; `None` if it is not known.

    While it is being computed, what is still to come is NaN.
    """
    values = data.sources.results.get(_key(data))
    return cast("Array | None", values)


def _key(data: LayerData) -> Hashable:
    return "effects", data.path, data.sample


def work_of(data: LayerData) -> Work | None:
    """The computation of the effects; `None` if they are known, or the layer has no channels with an effect."""
    known = effects_of(data)
    is_complete = known is not None and not np.isnan(known).any()
    if is_complete or refusal(data) is not None or not data.is_read_as_computed or data.sources.session.batch is None:
        return None
    label = f"the effects of {data.channel_count:,} {data.channel_label}s"
    return Work(_key(data), label, lambda: _steps(data), is_wanted=True)


def _steps(data: LayerData) -> Iterator[Progress]:
    session = data.sources.session
    graph, batch = session.graph, session.batch
    if batch is None:
        return
    session.watch([graph.model])
    is_alone = bool(are_samples_independent(graph, [graph.nodes[path] for path in graph.outputs if path]))
    part, row = (alone(batch, [data.sample]), 0) if is_alone and not batch.lengths else (batch, data.sample)
    for step in steps_on(graph, part, data.path, batch_size=AT_ONCE):
        data.sources.results.put(_key(data), step.values[row])
        yield Progress(step.done, step.total)


def order_of(data: LayerData, name: str) -> NDArray[np.intp]:
    """The channels in one of the orders, for the sample. By effect those that speak most for the answer come first."""
    effects = effects_of(data) if name == ORDER else None
    if effects is None or len(effects) != data.channel_count:
        return channel_order(data.sample_statistics, "number" if name == ORDER else name)
    return np.argsort(-np.nan_to_num(effects, nan=-np.inf), kind="stable").astype(np.intp)
