"""The panel of the histogram: the values of the layer and of the chosen channel, over the colours of the close-up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actwidget.figures.panels import Panel
from actwidget.figures.parts.color_strip import color_strip
from actwidget.figures.parts.histogram import histogram_traces
from actwidget.figures.parts.palette import ACCENT, MUTED, ColorRange
from actwidget.figures.parts.text import colored, percent

if TYPE_CHECKING:
    from actwidget.figures.activation.content import ActivationContent


def distribution(content: ActivationContent, *, over_strip: bool) -> Panel:
    """The histogram of the values; exact zeros and a spike at the upper bound are left out.

    Args:
        content: What the figure shows.
        over_strip: Whether the strip of colours below it is its axis.
    """
    histogram = content.histogram
    total = max(histogram.size, 1)  # NaN and infinity included, as in the statistics below the figure
    channel_heights, hover = None, "%{x:.4g}: %{z:.2%} of the layer"
    left_out = [name for name, count in (("zeros", histogram.zeros), ("ceiling", histogram.at_upper)) if count]
    without = f"no {' or '.join(left_out)}" if left_out else ""
    legend = f"{colored('■', MUTED)} layer"
    if histogram.channel_counts is not None and content.picture.values[0].size > 1:
        channel_heights = histogram.channel_counts / max(histogram.channel_size, 1)
        hover += f"<br>%{{customdata[0]:.2%}} of the {content.channel_label}"
        legend = f"{colored('━', ACCENT)} {content.channel_label} {legend}"
    outside = percent(histogram.outside / total) if histogram.outside else ""
    lines = [f"{legend}, {without}" if without else legend, f"{outside} of the layer outside" if outside else ""]
    narrow = [legend, without, f"{outside} outside" if outside else ""]
    traces, y_range = histogram_traces(
        histogram.edges, histogram.counts / total, hover, channel_heights, xaxis="x3", yaxis="y3"
    )
    axes: dict[str, dict[str, Any]] = {
        "xaxis3": {
            "showgrid": False,
            "zeroline": False,
            "nticks": 4,
            "range": [float(histogram.edges[0]), float(histogram.edges[-1])],
        },
        # How high a bin is is said on hover.
        "yaxis3": {"range": y_range, "showticklabels": False, "showgrid": False, "ticks": ""},
    }
    if over_strip:
        axes["xaxis3"]["anchor"] = "y4"
    return Panel(traces, axes, tuple(filter(None, lines)), tuple(filter(None, narrow)))


def strip(content: ActivationContent, color: ColorRange) -> Panel:
    """The colours of the close-up as the axis of the histogram, beyond their ends too.

    Args:
        content: What the figure shows.
        color: The range of the close-up's colours.
    """
    low, high = (float(content.histogram.edges[end]) for end in (0, -1))
    shown = ColorRange(low, high, color.scale)
    return Panel(
        [color_strip(shown, xaxis="x3", yaxis="y4")],
        {"yaxis4": {"visible": False, "range": [0, 1], "anchor": "x3"}},
    )
