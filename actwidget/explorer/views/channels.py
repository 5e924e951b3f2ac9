"""All channels of a layer, one of them close up, and the distribution of the values."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, cast

import numpy as np

from actwidget.explorer.description.facts import Fact, facts_of
from actwidget.explorer.drawing import Drawing
from actwidget.explorer.navigation import Grid
from actwidget.explorer.registry import View, register
from actwidget.figures import (
    ActivationContent,
    Picture,
    activation_spec,
    channel_order,
    picture,
    scalar_spec,
    values_spec,
)
from actwidget.figures.parts.text import between, number, percent

if TYPE_CHECKING:
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.selection import Selection
    from actwidget.figures.activation.content import Scaling

DRAWING, PICTURE = "drawing", "picture"
"""The kinds of what is kept of this view."""
_BESIDE = ThreadPoolExecutor(1, "actwidget")  # numpy and the PNG encoder let another thread run: a second core helps


@register
class Channels(View):
    """The values that a layer computes, channel by channel."""

    name = "activation"
    label = "Channels"
    question = "What does this layer see?"
    place = 10
    controls = ("channel", "sort", "scaling", "slice", "reading")

    def draw(self, data: LayerData, selection: Selection) -> Drawing:
        """The grid of all channels with a close-up and a histogram; values that can't be seen as a list to read."""
        depends_on = selection.only("channel", "sample", "scaling", "sort", "slice")
        drawing = data.remember(DRAWING, depends_on, lambda: _drawn(data, selection), lambda made: made.nbytes)
        return cast("Drawing", drawing)


def facts_on(data: LayerData) -> list[Fact]:
    """What is said of a layer below its figure, counted over the whole batch."""
    statistics = data.statistics
    return [] if statistics is None else facts_of(statistics, data.channel_label, data.meaning)


def _drawn(data: LayerData, selection: Selection) -> Drawing:
    if data.is_read:
        return _to_read(data, selection)
    channel = selection.channel
    counting = _BESIDE.submit(data.histogram, channel)
    statistics = data.sample_statistics
    drawn = _picture(data, selection)
    content = ActivationContent(
        title=data.path,
        picture=drawn,
        statistics=statistics,
        histogram=counting.result(),
        channel=channel,
        order_name=selection.sort,
        sample=data.own_sample if data.samples > 1 else None,
        class_names=data.class_names,
        binary=data.is_binary,
        channel_label=data.channel_label,
        tokens=data.tokens,
        label=data.label,
        mask=data.row.mask if data.row is not None and drawn.kind == "sequence" else None,
    )
    grid = Grid(drawn.order, 1 if drawn.tiles is None else drawn.tiles.columns)
    return Drawing.of(activation_spec(content), _alt(content), tell=lambda: facts_on(data), grid=grid)


def _picture(data: LayerData, selection: Selection) -> Picture:
    """All channels as one picture: it is the same whichever of them is close up."""

    def draw() -> Picture:
        order = channel_order(data.sample_statistics, selection.sort)
        scaling = cast("Scaling", selection.scaling)
        return picture(data.value, data.sample_statistics, order, scaling, at=data.slice_at(selection.slice))

    depends_on = data.own_sample, selection.scaling, selection.sort, selection.slice
    return cast("Picture", data.remember(PICTURE, depends_on, draw, _nbytes))


def _nbytes(drawn: Picture) -> int:
    pixels = 0 if drawn.tiles is None else drawn.tiles.pixels.nbytes
    own = 0 if drawn.values.base is not None else drawn.values.nbytes
    return len(drawn.uri) + drawn.order.nbytes + pixels + own


def _to_read(data: LayerData, selection: Selection) -> Drawing:
    """What is read rather than seen: texts, flags, names of things, one number a sample."""
    value, is_numeric = data.value, data.is_numeric
    # Another choice of axis has to stay in reach, to be taken back.
    more = () if selection.reading == "auto" else ("reading",)
    shown = ", ".join(repr(item) for item in np.ravel(value)[:20].tolist())
    if value.ndim == 0 and data.samples > 1 and is_numeric:
        every = data.batch_values
        meaning = ""
        if data.is_binary:
            meaning = f"probability of {data.class_names[1] if data.class_names else 'class 1'}"
        figure = scalar_spec(data.path, every, sample=data.own_sample, meaning=meaning or "activation")
        alt = f"{data.path}: one number a sample{meaning and f', the {meaning}'}, {shown} for sample {data.own_sample}"
        grid = Grid(np.arange(len(every)), of="sample")
        return Drawing.of(figure, alt, tell=lambda: facts_on(data), controls=more, grid=grid)
    sample_number = data.own_sample if data.samples > 1 else None
    figure = values_spec(data.path, value, sample_number=sample_number, channel=selection.channel)
    is_drawn = value.ndim > 1 and figure["data"][0]["type"] != "table"
    controls = ("channel",) if is_drawn and value.ndim == 3 and value.shape[-1] > 1 else ()
    # Of the channels of a picture one is drawn, of a sequence all, as columns.
    only = Grid(np.arange(value.shape[-1])) if is_drawn else None
    alt = f"{data.path}: {shown}"
    return Drawing.of(
        figure, alt, tell=lambda: facts_on(data) if is_numeric else "", controls=(*controls, *more), grid=only
    )


def _alt(content: ActivationContent) -> str:
    statistics = content.statistics
    mean = f", mean {number(statistics.mean)}" if math.isfinite(statistics.mean) else ""
    values = f"values {between(statistics.minimum, statistics.maximum)}{mean}, {percent(statistics.zeros)} zeros"
    text = f"{content.title}: {statistics.channels} {content.channel_label}s, {values}"
    return text if content.channel is None else f"{text}; {content.channel_label} {content.channel} close up"
