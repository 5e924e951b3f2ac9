"""The whole network in one figure: a row for each layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.figures.parts.layout import FONT, PAPER
from actwidget.figures.parts.palette import ACCENT, MUTED, WARNING
from actwidget.figures.parts.text import between, escape, number, percent, told_apart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actwidget.analysis.summary import Summary

ROW = 18
LEAST = 360
MARGINS = 110
# So many characters of a name fit beside a row.
NAME, NARROW_NAME = 32, 22


@ignore_float_errors
def overview_spec(rows: Sequence[Summary], title: str = "", selected: str = "") -> dict[str, Any]:
    """The figure of a whole network as a dict of `data` and `layout`, first layer on top.

    On the left the quantiles of each layer's values (1 to 99 % thin, 25 to 75 % thick, the median a dot), each divided
    by the layer's largest magnitude so that one axis serves all; on the right the shares of zeros and of dead channels.
    Each point's `customdata[0]` is the layer's path.

    Args:
        rows: The layers in order of execution.
        title: Above the figure.
        selected: The path of the layer that is marked.

    Returns:
        A dict of `data` and `layout`.
    """
    paths = [row.path for row in rows]
    y = np.arange(len(rows))
    scale = [max(abs(row.minimum), abs(row.maximum)) or 1.0 for row in rows]
    quantiles = np.array([row.quantiles for row in rows], np.float64).reshape(len(rows), -1)
    relative = quantiles / np.array(scale).reshape(-1, 1)
    told = [
        f"<b>{escape(row.path)}</b><br>{between(row.minimum, row.maximum)}"
        + (f", median {number(row.quantiles[2])}" if np.isfinite(row.quantiles[2]) and _is_measured(row) else "")
        + f"<br>zeros {percent(row.zeros)}"
        + (f", dead {percent(row.dead)}" if row.meaning == "activations" else "")
        + "".join(f"<br>{escape(w)}" for w in row.warnings)
        for row in rows
    ]
    own = {"customdata": [[path] for path in paths], "hovertext": told, "hoverinfo": "text"}
    colors = [ACCENT if row.path == selected else WARNING if row.warnings else MUTED for row in rows]
    traces = [
        _spans(relative[:, 0], relative[:, 4], y, 1, MUTED),
        _spans(relative[:, 1], relative[:, 3], y, 6, MUTED),
        {
            "type": "scatter",
            "mode": "markers",
            "x": relative[:, 2],
            "y": y,
            "marker": {"color": colors, "size": 8},
            **own,
        },
        {
            "type": "bar",
            "orientation": "h",
            "x": [row.zeros for row in rows],
            "y": y,
            "marker": {"color": MUTED, "opacity": 0.6},
            "xaxis": "x2",
            "width": 0.7,
            **own,
        },
        {
            "type": "bar",
            "orientation": "h",
            "x": [row.dead for row in rows],
            "y": y,
            "marker": {"color": WARNING},
            "xaxis": "x2",
            "width": 0.35,
            **own,
        },
    ]
    ticks = {"tickmode": "array", "tickvals": y.tolist(), "ticktext": told_apart(paths, NAME)}
    plain = {"showgrid": True, "zeroline": True, "fixedrange": True, "side": "top"}
    return {
        "data": traces,
        "layout": {
            "title": {"text": escape(title), "font": {"size": 12}, "x": 0, "xref": "paper", "pad": {"b": 6}},
            "height": max(LEAST, ROW * len(rows) + MARGINS),
            "margin": {"l": 210, "r": 16, "t": 76, "b": 16},
            "font": {"family": FONT, "size": 11},
            **PAPER,
            "barmode": "overlay",
            "showlegend": False,
            "hovermode": "closest",
            "xaxis": {**plain, "domain": [0, 0.68], "title": {"text": "value / largest magnitude", "standoff": 2}},
            "xaxis2": {
                **plain,
                "domain": [0.72, 1],
                "range": [0, 1],
                "tickformat": ".0%",
                "nticks": 3,
                "anchor": "y",
                "title": {"text": "zeros, dead", "standoff": 2},
            },
            "yaxis": {**ticks, "range": [len(rows) - 0.4, -0.6], "fixedrange": True, "showgrid": False},
            "meta": {
                "narrow": {
                    "margin.l": 150,
                    "yaxis.ticktext": told_apart(paths, NARROW_NAME),
                    # The last number of one axis and the first of the next stand apart.
                    "xaxis.domain": [0, 0.62],
                    "xaxis2.domain": [0.74, 1],
                    "xaxis.title.text": "value / largest",
                    "xaxis.nticks": 4,
                    "xaxis2.nticks": 2,
                    "title.xref": "container",
                    "title.pad.l": 8,
                }
            },
        },
    }


def _is_measured(row: Summary) -> bool:
    """Whether a middle value means anything."""
    return row.meaning in {"activations", "data"}


def _spans(low: Any, high: Any, y: Any, width: int, color: str) -> dict[str, Any]:
    """A horizontal line a row, all in one trace."""
    gaps = np.full(len(y), np.nan)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.stack([low, high, gaps], axis=1).ravel(),
        "y": np.stack([y, y, gaps], axis=1).ravel(),
        "line": {"color": color, "width": width},
        "hoverinfo": "skip",
    }
