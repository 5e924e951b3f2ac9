"""The figure itself: its three panels, and the title that says what they show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.nonfinite import nonfinite_counts
from actwidget.figures.activation.closeup import closeup
from actwidget.figures.activation.distribution import distribution
from actwidget.figures.activation.grid import grid
from actwidget.figures.activation.layout import panel_layout
from actwidget.figures.activation.picture import ORDERS
from actwidget.figures.activation.units import top_units
from actwidget.figures.parts.nonfinite import nonfinite_legend
from actwidget.figures.parts.text import NARROW_LIMIT, between, escape, percent, reduction_text

if TYPE_CHECKING:
    from actwidget.figures.activation.content import ActivationContent, Picture


@ignore_float_errors
def activation_figure(content: ActivationContent) -> go.Figure:
    """The figure of one activation: all channels, one of them close up, and the distribution of the values.

    Args:
        content: What it shows.

    Returns:
        The `plotly.graph_objects.Figure` of what `activation_spec` gives.
    """
    return go.Figure(activation_spec(content))


@ignore_float_errors
def activation_spec(content: ActivationContent) -> dict[str, Any]:
    """The figure of one activation as a dict of `data` and `layout`, which Plotly has not checked.

    Its three panels are the grid of all channels (a click on a tile carries the channel's index in `customdata[0]`),
    the chosen channel close up with its values, and the histogram with exact zeros counted separately.

    Args:
        content: What it shows.

    Returns:
        A dict of `data` and `layout`.
    """
    is_vector = content.picture.kind in {"units", "scalar"}
    panels = (
        grid(content),
        top_units(content) if is_vector else closeup(content),
        distribution(content),
    )
    return {
        "data": [trace for panel in panels for trace in panel.traces],
        "layout": panel_layout(_title(content), *panels, labelled=is_vector),
    }


def _title(content: ActivationContent) -> str:
    drawn, statistics = content.picture, content.statistics
    count = len(drawn.order)
    channels = f"{count:,} {content.channel_label}{'s' * (count != 1)}"
    parts = [escape(content.title, NARROW_LIMIT), f"{channels}, by {ORDERS[content.order_name]}"]
    if nonfinite := nonfinite_counts(statistics.nan, statistics.infinite):
        parts.append(nonfinite_legend(", ".join(nonfinite)))
    if content.mask is not None and not content.mask.all():
        parts.append(f"{np.count_nonzero(~content.mask)} of {content.mask.size} steps masked")
    parts += [words for words in (drawn.slice_label, _reduction_text(drawn)) if words]
    parts += _color_texts(content)
    if content.sample is not None:
        parts.append(f"sample {content.sample}")
    return " · ".join(parts)


def _reduction_text(drawn: Picture) -> str:
    if drawn.tiles is not None:
        return reduction_text(drawn.tiles.reduction)
    units, steps = drawn.reduction
    return reduction_text(units=units, steps=steps)


def _color_texts(content: ActivationContent) -> list[str]:
    """The grid's range of colours where no colour bar shows it, and how many values lie outside of it."""
    drawn = content.picture
    if not drawn.uri:
        return []
    texts = []
    # The colour bar belongs to the close-up. Its range is the grid's where the close-up is one channel's map.
    has_bar = drawn.kind in {"maps", "volume"} and content.channel is not None
    if drawn.scaling == "channel":
        texts.append(f"colours for each {content.channel_label}")
    elif not has_bar:
        texts.append(f"colours {between(drawn.color.low, drawn.color.high)}")
    if drawn.limits is not None and drawn.limits.clipped:
        low, high = drawn.limits.percentiles
        sides = [(drawn.limits.below, "below"), (drawn.limits.above, "above")]
        clipped = ", ".join(f"{percent(share)} {side}" for share, side in sides if share)
        texts.append(f"colours for {low:g} to {high:g} % of the values, {clipped}")
    return texts
