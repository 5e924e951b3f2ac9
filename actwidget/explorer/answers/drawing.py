"""The figure of a layer that is an output of the model, as the answer that it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from actwidget.explorer.answers.kind import are_logits, kind_of_output, unit_names
from actwidget.explorer.drawing import Drawing
from actwidget.explorer.navigation import Grid
from actwidget.figures import Answer, answer_order, answer_spec
from actwidget.figures.answers.content import by_value
from actwidget.figures.parts.text import percent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actwidget.explorer.description.facts import Fact
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.selection import Selection


def answer_of(data: LayerData, channel: int | None) -> Answer | None:
    """What the figure of an output shows; `None` for layers that are no output, and outputs that are no answer."""
    sources = data.sources
    graph, batch = sources.session.graph, sources.session.batch
    if data.path not in graph.outputs or batch is None or not data.is_read_as_computed or data.channel_label == "head":
        return None
    value = data.value
    kind = kind_of_output(graph, data.path, value, sources.annotations, batch.samples)
    if kind is None:
        return None
    is_logits = kind == "scores" and are_logits(graph, data.path, sources.annotations)
    names = unit_names(kind, data.class_names, value, data.node.name, is_logits=is_logits)
    has_batch = kind in {"two classes", "numbers"} and data.samples > 1
    picture = data.picture if kind in {"map", "rows"} else None
    answer = Answer(
        title=data.path,
        kind=kind,
        values=value,
        names=names,
        true=data.label,
        sample=data.own_sample if data.samples > 1 else None,
        every=data.batch_values.reshape(data.samples, -1) if has_batch else None,
        picture=None if picture is None else picture.pixels,
        is_logits=is_logits,
    )
    return replace(answer, chosen=channel) if answer.has_channels else answer


def draw_answer(data: LayerData, selection: Selection, tell: Callable[[], Sequence[Fact]]) -> Drawing | None:
    """An output of the model as the answer that it is; `None` for other layers.

    Args:
        data: The selected layer.
        selection: The current selection.
        tell: Computes the statistics below the figure.
    """
    if (answer := answer_of(data, selection.channel)) is None:
        return None
    controls: tuple[str, ...] = ()
    grid = None
    if answer.has_channels:
        controls, grid = ("channel",), Grid(answer_order(answer))
    elif answer.every is not None:
        grid = Grid(np.arange(len(answer.every)), of="sample")
    if data.has_ambiguous_channels:
        controls += ("reading",)
    return Drawing.of(answer_spec(answer), _alt(answer), tell=tell, controls=controls, grid=grid)


def _alt(answer: Answer) -> str:
    """The answer in one sentence."""
    if answer.kind == "rows":
        rows, columns = answer.values.shape
        return f"{answer.title}: {rows:,} rows of {columns} numbers"
    if answer.kind == "map":
        shares = answer.pixel_shares
        most = [
            f"{answer.names[each]} {percent(float(shares[each]))}" for each in answer_order(answer)[:5] if shares[each]
        ]
        return f"{answer.title}: the likeliest class of each pixel; {', '.join(most)} of the pixels"
    units = answer.units
    order = answer_order(answer) if answer.kind != "two classes" else by_value(units)
    shown = order[:5].tolist()
    if answer.chosen is not None and answer.chosen not in shown:
        shown.append(answer.chosen)
    words = ", ".join(f"{answer.names[each]} {answer.in_words(float(units[each]))}" for each in shown)
    true = "" if answer.true is None else f"; the true class is {answer.names[answer.true]}"
    sample = "" if answer.sample is None else f", sample {answer.sample}"
    return f"{answer.title}: {words}{true}{sample}"
