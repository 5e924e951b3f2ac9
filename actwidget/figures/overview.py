"""The whole network in one figure: a row for each layer."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.figures.parts.layout import FONT, PAPER
from actwidget.figures.parts.palette import ACCENT, MUTED, WARNING
from actwidget.figures.parts.text import between, distinct_names, escape, number, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actwidget.analysis.summary import Summary

# In pixels: the height of a row, the least height of the figure, and the height of what is above and below the rows.
ROW, LEAST, MARGINS = 18, 360, 110
# How many characters of a name fit beside a row.
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
    return {"data": _traces(rows, selected), "layout": _layout([row.path for row in rows], title)}


def _traces(rows: Sequence[Summary], selected: str) -> list[dict[str, Any]]:
    y = np.arange(len(rows))
    scale = [max(abs(row.minimum), abs(row.maximum)) or 1.0 for row in rows]
    quantiles = np.array([row.quantiles for row in rows], np.float64).reshape(len(rows), -1)
    relative = quantiles / np.array(scale).reshape(-1, 1)
    hover = {
        "customdata": [[row.path] for row in rows],
        "hovertext": [_hover_text(row) for row in rows],
        "hoverinfo": "text",
    }
    colors = [ACCENT if row.path == selected else WARNING if row.warnings else MUTED for row in rows]
    medians = {
        "type": "scatter",
        "mode": "markers",
        "x": relative[:, 2],
        "y": y,
        "marker": {"color": colors, "size": 8},
        **hover,
    }
    return [
        _lines(relative[:, 0], relative[:, 4], y, 1, MUTED),
        _lines(relative[:, 1], relative[:, 3], y, 6, MUTED),
        medians,
        {**_shares([row.zeros for row in rows], y, {"color": MUTED, "opacity": 0.6}, 0.7), **hover},
        {**_shares([row.dead for row in rows], y, {"color": WARNING}, 0.35), **hover},
    ]


def _hover_text(row: Summary) -> str:
    text = f"<b>{escape(row.path)}</b><br>{between(row.minimum, row.maximum)}"
    if isfinite(row.quantiles[2]) and row.meaning in {"activations", "data"}:  # flags and names have no median
        text += f", median {number(row.quantiles[2])}"
    text += f"<br>zeros {percent(row.zeros)}"
    if row.meaning == "activations":
        text += f", dead {percent(row.dead)}"
    return text + "".join(f"<br>{escape(warning)}" for warning in row.warnings)


def _lines(low: Any, high: Any, y: Any, width: int, color: str) -> dict[str, Any]:
    """A horizontal line for each row, all in one trace."""
    gaps = np.full(len(y), np.nan)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.stack([low, high, gaps], axis=1).ravel(),
        "y": np.stack([y, y, gaps], axis=1).ravel(),
        "line": {"color": color, "width": width},
        "hoverinfo": "skip",
    }


def _shares(shares: list[float], y: Any, marker: dict[str, Any], width: float) -> dict[str, Any]:
    """A horizontal bar for each row, on the axis on the right."""
    return {"type": "bar", "orientation": "h", "x": shares, "y": y, "marker": marker, "xaxis": "x2", "width": width}


def _layout(paths: list[str], title: str) -> dict[str, Any]:
    names = {"tickmode": "array", "tickvals": list(range(len(paths))), "ticktext": distinct_names(paths, NAME)}
    shared = {"showgrid": True, "zeroline": True, "fixedrange": True, "side": "top"}
    return {
        "title": {"text": escape(title), "font": {"size": 12}, "x": 0, "xref": "paper", "pad": {"b": 6}},
        "height": max(LEAST, ROW * len(paths) + MARGINS),
        "margin": {"l": 210, "r": 16, "t": 76, "b": 16},
        "font": {"family": FONT, "size": 11},
        **PAPER,
        "barmode": "overlay",
        "showlegend": False,
        "hovermode": "closest",
        "xaxis": {**shared, "domain": [0, 0.68], "title": {"text": "value / largest magnitude", "standoff": 2}},
        "xaxis2": {
            **shared,
            "domain": [0.72, 1],
            "range": [0, 1],
            "tickformat": ".0%",
            "nticks": 3,
            "anchor": "y",
            "title": {"text": "zeros, dead", "standoff": 2},
        },
        "yaxis": {**names, "range": [len(paths) - 0.4, -0.6], "fixedrange": True, "showgrid": False},
        "meta": {
            "narrow": {
                "margin.l": 150,
                "yaxis.ticktext": distinct_names(paths, NARROW_NAME),
                # The last number of one axis must not touch the first of the next.
                "xaxis.domain": [0, 0.62],
                "xaxis2.domain": [0.74, 1],
                "xaxis.title.text": "value / largest",
                "xaxis.nticks": 4,
                "xaxis2.nticks": 2,
                "title.xref": "container",
                "title.pad.l": 8,
            }
        },
    }
