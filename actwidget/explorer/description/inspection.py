"""`Inspection`: what the inspector says of the selected channel, and what it offers to do with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.nonfinite import nonfinite_counts
from actwidget.explorer.description.facts import Fact
from actwidget.figures.parts.text import number, percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actwidget.analysis.statistics import Statistics
    from actwidget.explorer.layer_data import LayerData


@dataclass(frozen=True)
class Action:
    """A button of the inspector.

    Attributes:
        label: Its text.
        changes: From each field of the selection that it changes to the new value.
        tip: Its tooltip.
    """

    label: str
    changes: Mapping[str, Any]
    tip: str = ""


@dataclass(frozen=True)
class Inspection:
    """What the inspector shows beside or below the figure.

    Attributes:
        title: What is inspected: "Channel 17".
        facts: The numbers of the channel.
        actions: The buttons.
    """

    title: str
    facts: tuple[Fact, ...] = field(default=())
    actions: tuple[Action, ...] = field(default=())


def inspection(data: LayerData, channel: int | None, actions: tuple[Action, ...] = ()) -> Inspection:
    """What the inspector shows of the selected channel, or of the mean over all, for the sample on screen.

    Args:
        data: The selected layer, whose values are numbers.
        channel: The selected channel; `None` for the mean over all.
        actions: What it offers to do with the channel.
    """
    statistics, label = data.sample_statistics, data.channel_label
    count = statistics.channels
    if channel is None:
        facts = _facts_of_layer(statistics)
        title = f"Mean of {count:,} {label}s" if count > 1 else f"{label.capitalize()} 0"
    else:
        facts = _facts_of_channel(statistics, channel)
        title = f"{label.capitalize()} {channel}"
    if (pixels := _pixels(data)) is not None:
        facts.append(pixels)
    return Inspection(title, tuple(facts), actions)


def _facts_of_layer(statistics: Statistics) -> list[Fact]:
    facts = [Fact("mean", number(statistics.mean) if isfinite(statistics.mean) else "none")]
    facts.append(Fact("zero", percent(statistics.zeros)))
    if statistics.saturated is not None and statistics.bound is not None and statistics.bound[1] is not None:
        facts.append(Fact("at the ceiling", percent(statistics.saturated)))
    return facts


def _facts_of_channel(statistics: Statistics, channel: int) -> list[Fact]:
    each = statistics.per_channel
    mean = float(each.mean[channel])
    rank = int(np.count_nonzero(np.asarray(each.mean) > mean)) + 1
    place = f", rank {rank:,} of {statistics.channels:,}" if statistics.channels > 1 else ""
    if statistics.count == statistics.channels and isfinite(mean):
        return [Fact("value", f"{number(mean)}{place}")]
    facts = [Fact("mean", f"{number(mean)}{place}" if isfinite(mean) else "none")]
    own = percent(float(each.zeros[channel]))
    facts.append(Fact("zero", f"{own} (layer: {percent(statistics.zeros)})", bool(each.dead[channel])))
    if each.saturated is not None and statistics.saturated is not None and statistics.bound is not None:
        upper = statistics.bound[1]
        share, whole = float(each.saturated[channel]), statistics.saturated
        if upper is not None and isfinite(share):
            text = f"{percent(share)} (layer: {percent(whole)})"
            facts.append(Fact("at the ceiling", text))
    if words := ", ".join(nonfinite_counts(int(each.nan[channel]), int(each.infinite[channel]))):
        facts.append(Fact("NaN or infinite", words, warns=True))
    return facts


def _pixels(data: LayerData) -> Fact | None:
    """How much of the input picture one value depends on."""
    picture, found = data.picture, data.middle_field
    if picture is None or found is None:
        return None
    height, width = (stop - start for start, stop in found.spans)
    if (height, width) == picture.pixels.shape[:2]:
        return Fact("depends on", f"all of {picture.name}")
    of = "input pixels" if picture.name == "the input" else f"pixels of {picture.name}"
    return Fact("depends on", f"{height} × {width} {of}")
