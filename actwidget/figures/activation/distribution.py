"""The panel of the histogram: the values of the layer and of the chosen channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actwidget.figures.activation.layout import Panel
from actwidget.figures.parts.histogram import histogram_traces
from actwidget.figures.parts.text import percent

if TYPE_CHECKING:
    from actwidget.figures.activation.content import ActivationContent


def distribution(content: ActivationContent) -> Panel:
    """The histogram of the values; exact zeros and a spike at the upper bound are left out, and are in the caption."""
    histogram = content.histogram
    total = max(histogram.size, 1)  # NaN and infinity included, as in the statistics below the figure
    channel_heights, hover = None, "%{x:.4g}: %{z:.2%} of the layer"
    zeros = f"zeros {percent(histogram.zeros / total)} of the layer"
    upper = f"at the bound {percent(histogram.at_upper / total)}" if histogram.at_upper else ""
    if histogram.channel_counts is not None and content.picture.values[0].size > 1:
        count = max(histogram.channel_size, 1)
        channel_heights = histogram.channel_counts / count
        hover += "<br>%{customdata[0]:.2%} of the channel"
        # In one line it would be cut on a small page.
        zeros += f",<br>{percent(histogram.channel_zeros / count)} of the channel"
        if upper or histogram.channel_at_upper:
            upper = f"at the bound {percent(histogram.at_upper / total)}, {percent(histogram.channel_at_upper / count)}"
    traces, y_range = histogram_traces(
        histogram.edges, histogram.counts / total, hover, channel_heights, xaxis="x3", yaxis="y3"
    )
    axes = {
        "xaxis3": {
            "title": {"text": "activation, no zeros" if histogram.zeros else "activation"},
            "showgrid": False,
        },
        "yaxis3": {"tickformat": "~%", "range": y_range, "nticks": 4},
    }
    return Panel(traces, axes, f"{zeros}<br>{upper}" if upper else zeros)
