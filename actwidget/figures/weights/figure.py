"""The figure of one weight: all kernels, one of them close up, and the histogram over its colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.figures.panels import Panel
from actwidget.figures.parts.color_strip import color_strip
from actwidget.figures.parts.heatmap import color_axis, dark_axis
from actwidget.figures.parts.histogram import histogram_traces
from actwidget.figures.parts.palette import ACCENT, MUTED, ColorRange
from actwidget.figures.parts.text import NARROW_LIMIT, colored, escape
from actwidget.figures.weights.closeup import GREYS, closeup, closeup_color
from actwidget.figures.weights.draw import counted
from actwidget.figures.weights.grid import grid
from actwidget.figures.weights.layout import Panels, weight_layout

if TYPE_CHECKING:
    from actwidget.figures.weights.content import WeightContent


@ignore_float_errors
def weights_spec(content: WeightContent) -> dict[str, Any]:
    """The figure of one weight as a dict of `data` and `layout`, which Plotly has not checked.

    Its panels are all kernels (a click on one carries its channel in `customdata[0]`), one kernel close up with its
    values, and the histogram, whose axis is a strip of the close-up's colours.

    Args:
        content: What it shows.

    Returns:
        A dict of `data` and `layout`.
    """
    drawn = content.drawn
    color = closeup_color(content)
    has_strip = drawn.kind != "vector"
    panels = Panels(
        grid=grid(content),
        closeup=None if content.closeup is None else closeup(content, color),
        distribution=_distribution(content, over_strip=has_strip),
        strip=_strip(content, color) if has_strip else None,
    )
    title = f"{escape(content.title, NARROW_LIMIT)} · <b>{escape(drawn.name, 40)}</b> {drawn.words}"
    dark = dark_axis(color) if has_strip and drawn.kind != "colours" else {}
    traces = [trace for panel in panels.all for trace in panel.traces]
    return {"data": traces, "layout": weight_layout(title, panels, dark)}


def _distribution(content: WeightContent, *, over_strip: bool) -> Panel:
    """How the values are distributed: all of them, and those of the kernel close up."""
    drawn, shown = content.drawn, content.closeup
    total = max(int(drawn.counts.sum()), 1)
    part, hover = None, "%{x:.4g}: %{z:.2%} of all"
    legend = f"{colored('■', MUTED)} all"
    if shown is not None and shown.own.size > 1:
        own = np.asarray(shown.own)
        counts = counted(own[own != 0] if drawn.without_zeros else own, drawn.edges)
        part = counts / max(int(counts.sum()), 1)
        hover += f"<br>%{{customdata[0]:.2%}} of {escape(shown.label, 40)}"
        legend = f"{colored('━', ACCENT)} {escape(shown.label, 24)} {legend}"
    caption = (f"{legend}, without zeros" if drawn.without_zeros else legend,)
    traces, y_range = histogram_traces(drawn.edges, drawn.counts / total, hover, part, xaxis="x3", yaxis="y3")
    across: dict[str, Any] = {
        "showgrid": False,
        "zeroline": False,
        "nticks": 5,
        "range": [float(drawn.edges[0]), float(drawn.edges[-1])],
        "title": {"text": "value of a weight"},
        "anchor": "y4" if over_strip else "y3",
    }
    down = {"range": y_range, "showticklabels": False, "ticks": "", "showgrid": False, "zeroline": False}
    return Panel(traces, {"xaxis3": across, "yaxis3": down}, caption)


def _strip(content: WeightContent, color: ColorRange) -> Panel:
    """The colours of the close-up as the axis of the histogram, beyond their ends too."""
    low, high = (float(content.drawn.edges[end]) for end in (0, -1))
    scale = GREYS if content.drawn.kind == "colours" else None
    return Panel(
        [color_strip(ColorRange(low, high, color.scale), xaxis="x3", yaxis="y4")],
        {
            "yaxis4": {"visible": False, "range": [0, 1], "anchor": "x3"},
            "coloraxis": color_axis(color, scale),
        },
    )
