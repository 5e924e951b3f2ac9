"""The figure of a training: its panels, and its alt text."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from actwidget.figures.boxes import assembled
from actwidget.figures.parts.palette import WARNING
from actwidget.figures.parts.text import colored, escape
from actwidget.figures.training.channels import channel_panels
from actwidget.figures.training.content import QUANTITIES, TrainingContent
from actwidget.figures.training.curves import curve_panels
from actwidget.figures.training.layers import layers_panel
from actwidget.figures.training.places import HEIGHTS
from actwidget.figures.training.spread import spread_colors, spread_panel


def training_figure(content: TrainingContent) -> go.Figure:
    """The figure of a training as Plotly's own object."""
    return go.Figure(training_spec(content))


def training_spec(content: TrainingContent) -> dict[str, Any]:
    """The figure of a training as a dict of `data` and `layout`, which Plotly has not checked.

    Its panels are all layers over time (a click on a cell carries the places of its layer and of its moment in
    `customdata`), the loss and the metrics, the distribution of one layer over time (a click carries -1 and the
    moment), and the channels of that layer at the chosen moment and now.

    Args:
        content: What it shows.

    Returns:
        A dict of `data` and `layout`.
    """
    layers, axis, dark = layers_panel(content)
    spread = spread_panel(content)
    panels = [layers, *curve_panels(content), spread]
    panels += channel_panels(content.layer, first=len(panels))
    title = colored(escape(content.fault, 160), WARNING) if content.fault else ""
    axes = {"coloraxis": axis, **spread_colors(spread)}
    return assembled(title, panels, [], dark, heights=HEIGHTS, **axes)


def training_alt(content: TrainingContent) -> str:
    """What the figure shows, in words, for those who don't see it."""
    quantity, layer = QUANTITIES[content.quantity], content.layer
    row = content.numbers[content.layers.index(layer.path)]
    first, last = quantity.text(float(row[0])), quantity.text(float(row[-1]))
    losses = ", ".join(f"{name} {values[-1]:.4g}" for name, values in content.curves.items())
    return (
        f"Training after {int(content.steps[-1]):,} steps, {len(content.steps)} moments. {quantity.words} of "
        f"{len(content.layers)} layers over time; {layer.path}: {first} at first, {last} now. {losses}"
    ).rstrip(" .") + "."
