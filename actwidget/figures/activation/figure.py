"""The figure itself: its three panels, and the title that says what they show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.nonfinite import nonfinite_counts
from actwidget.figures.activation.closeup import closeup, closeup_color, closeup_reduction
from actwidget.figures.activation.distribution import distribution, strip
from actwidget.figures.activation.grid import constant_texts, grid
from actwidget.figures.activation.layout import Panels, panel_layout
from actwidget.figures.activation.picture import order_words
from actwidget.figures.activation.source import crosshair, source_panel
from actwidget.figures.activation.units import top_units
from actwidget.figures.parts.heatmap import dark_axis
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

    Its panels are the grid of all channels (a click on a tile carries the channel's index in `customdata[0]`), the
    chosen channel close up with its values and the input picture beside it, and the histogram, whose axis is a strip of
    the close-up's colours. Exact zeros are counted separately.

    Args:
        content: What it shows.

    Returns:
        A dict of `data` and `layout`.
    """
    kind = content.picture.kind
    is_vector, is_map = kind in {"units", "scalar"}, kind in {"maps", "volume"}
    color = closeup_color(content) if is_map else None
    panels = Panels(
        grid=grid(content),
        closeup=top_units(content) if is_vector else closeup(content),
        distribution=distribution(content, over_strip=is_map),
        strip=None if color is None else strip(content, color),
        source=source_panel(content.source) if is_map and content.source is not None else None,
        are_named=is_vector,
    )
    more = {}
    if color is not None:
        more["dark"] = dark_axis(color)
        more["crosshair"] = crosshair(content, trace=len(panels.grid.traces), with_source=panels.source is not None)
    return {
        "data": [trace for panel in panels.all for trace in panel.traces] + constant_texts(content),
        "layout": panel_layout(_title(content), panels, **more),
    }


def _title(content: ActivationContent) -> str:
    drawn, statistics = content.picture, content.statistics
    count = len(drawn.order)
    channels = f"{count:,} {content.channel_label}{'s' * (count != 1)}"
    if drawn.pages > 1 and drawn.tiles is not None:
        first = drawn.page * drawn.tiles.rows * drawn.tiles.columns
        channels = f"{first + 1:,} to {first + len(drawn.tiles.order):,} of {channels}"
    words = order_words(content.order_name, is_paged=drawn.pages > 1)
    parts = [escape(content.title, NARROW_LIMIT), f"{channels}, {words}"]
    if nonfinite := nonfinite_counts(statistics.nan, statistics.infinite):
        parts.append(nonfinite_legend(", ".join(nonfinite)))
    if content.mask is not None and not content.mask.all():
        parts.append(f"{np.count_nonzero(~content.mask)} of {content.mask.size} steps masked")
    parts += [words for words in (drawn.slice_label, _reduction_text(drawn)) if words]
    if (factor := closeup_reduction(content)) > 1:
        parts.append(f"close-up {reduction_text(factor)}")
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
    """The grid's range of colours, and how many values lie outside of it; the strip is that of the close-up."""
    drawn = content.picture
    if not drawn.uri or drawn.scaling == "channel":
        return []
    text = f"colours {between(drawn.color.low, drawn.color.high)}"
    if drawn.limits is not None and drawn.limits.clipped:
        low, high = drawn.limits.percentiles
        sides = [(drawn.limits.below, "below"), (drawn.limits.above, "above")]
        clipped = ", ".join(f"{percent(share)} {side}" for share, side in sides if share)
        text += f" ({low:g} to {high:g} % of the values; {clipped})"
    return [text]
