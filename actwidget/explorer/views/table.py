"""The statistics of all channels as a table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.errors import short
from actwidget.explorer.drawing import Drawing, Table
from actwidget.explorer.registry import View, register
from actwidget.explorer.views.channels import Channels
from actwidget.explorer.what_if.effects import effects_of

if TYPE_CHECKING:
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.selection import Selection


@register
class StatisticsTable(View):
    """A row for each channel, counted over the whole batch, or over a scan."""

    name = "table"
    label = "Table"
    question = "What are the statistics of each channel?"
    place = 50
    controls = ("channel", "basis")

    def draw(self, data: LayerData, selection: Selection) -> Drawing:
        """The table in place of the layer's figure, which stays the figure that code reads."""
        drawing = replace(Channels().draw(data, selection), controls=None, inspection=None)
        if (columns := columns_of(data)) is None:
            return drawing
        over = data.sources.numbers.samples_in_words(data.path)
        label = f"Numbers of each {data.channel_label} of {short(data.path)}{over and f' over {over}'}"
        return replace(drawing, table=Table(label, columns))


def columns_of(data: LayerData) -> dict[str, Any] | None:
    """The statistics of each channel over the batch or a scan, by name; `None` where the values are no numbers."""
    if (statistics := data.statistics) is None:
        return None
    each, meaning = statistics.per_channel, data.meaning
    found: dict[str, Any] = {data.channel_label: np.arange(statistics.channels)}
    if meaning == "flags":
        return found | {"true %": 100 * (1 - np.asarray(each.zeros))}
    found |= {"minimum": each.minimum, "mean": each.mean, "maximum": each.maximum, "std": each.standard_deviation}
    found["zeros %"] = 100 * np.asarray(each.zeros)
    if meaning == "names":
        return {name: column for name, column in found.items() if name not in {"mean", "std"}}
    if each.saturated is not None:
        found["saturated %"] = 100 * np.asarray(each.saturated)
    dead = {"dead?": each.dead} if meaning == "activations" else {}
    if (effects := effects_of(data)) is not None and len(effects) == statistics.channels:
        found["effect"] = effects
    rare = {**dead, "constant?": each.constant, "NaN": each.nan, "infinite": each.infinite}
    return found | {name: values for name, values in rare.items() if np.any(values)}
