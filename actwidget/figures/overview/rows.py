"""The traces of the overview: what is drawn in each row."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.figures.parts.palette import MUTED, WARNING
from actwidget.figures.parts.text import between, colored, escape, number, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actwidget.analysis.summary import Summary

NAME, WORDS = 23, 27
"""How many characters of a layer's name, and of a warning, fit into their columns."""


@dataclass(frozen=True)
class Column:
    """One more quantity of each layer, as a column of bars.

    Attributes:
        heading: The lines above the column, of at most nine characters each. The largest share stands below them.
        shares: For each layer its share of the whole network, 0 to 1; `None` where it is not known.
        color: Of the bars.
    """

    heading: str
    shares: Sequence[float | None]
    color: str = MUTED


@dataclass(frozen=True)
class Pictures:
    """A picture of each layer, one below the other.

    Attributes:
        source: All of them as one PNG, a data URI, as large as it is on screen.
    """

    source: str


NAMES = {"type": "scatter", "x": [None], "y": [None], "hoverinfo": "skip", "xaxis": "x3", "yaxis": "y"}
"""Nothing, on the axis whose labels are the names: Plotly draws no axis without a trace."""


def statistics(rows: Sequence[Summary]) -> list[dict[str, Any]]:
    """The quantiles of each row, and its shares of zeros and of dead channels."""
    y = np.arange(len(rows))
    scale = np.array([max(abs(row.minimum), abs(row.maximum)) or 1.0 for row in rows]).reshape(-1, 1)
    quantiles = np.array([row.quantiles for row in rows], np.float64).reshape(len(rows), -1) / scale
    medians = {
        "type": "scatter",
        "mode": "markers",
        "x": quantiles[:, 2],
        "y": y,
        "marker": {"color": [WARNING if row.warnings else MUTED for row in rows], "size": 8},
        "hoverinfo": "skip",
        "yaxis": "y4",
    }
    start = np.zeros(len(rows))
    return [
        _lines(quantiles[:, 0], quantiles[:, 4], y, 1, MUTED),
        _lines(quantiles[:, 1], quantiles[:, 3], y, 6, MUTED),
        medians,
        _lines(start, np.array([row.zeros for row in rows]), y, 10, MUTED, xaxis="x2"),
        _lines(start, np.array([row.dead for row in rows]), y, 5, WARNING, xaxis="x2"),
    ]


def _lines(low: Any, high: Any, y: Any, width: int, color: str, **axes: str) -> dict[str, Any]:
    """A horizontal line for each row, all in one trace: a bar for each would be an element each."""
    gaps = np.full(len(y), np.nan)
    drawn = np.where(low == high, np.nan, high) if width > 1 else high  # nothing where there is nothing
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.stack([low, drawn, gaps], axis=1).ravel(),
        "y": np.stack([y, y, gaps], axis=1).ravel(),
        "line": {"color": color, "width": width},
        "hoverinfo": "skip",
        "yaxis": "y4",
        **axes,
    }


def warnings(rows: Sequence[Summary]) -> dict[str, Any]:
    """The first warning of each row that has one, in words."""
    unwell = [(place, row) for place, row in enumerate(rows) if row.warnings]
    return {
        "type": "scatter",
        "mode": "text",
        "x": np.zeros(len(unwell)),
        "y": np.array([place for place, _ in unwell]),
        "text": [warning_text(row.warnings) for _, row in unwell],
        "textposition": "middle right",
        "textfont": {"size": 10},
        "hoverinfo": "skip",
        "xaxis": "x3",
        "yaxis": "y3",
    }


def warning_text(warnings: Sequence[str]) -> str:
    """The first of a layer's warnings behind a mark, and how many more there are.

    Where there is no room, it leaves out of how many channels they are.

    >>> warning_text(("3 of 32 channels dead in one sample", "1 NaN")).partition("</span> ")[2]
    '3 of 32 channels dead +1'
    >>> warning_text(("315 of 1,152 channels dead", "1 NaN")).partition("</span> ")[2]
    '315 channels dead +1'
    """
    more = f" +{len(warnings) - 1}" if len(warnings) > 1 else ""
    first = warnings[0].removesuffix(" in one sample")
    if len(first) + len(more) > WORDS:
        first = re.sub(r"^([\d,]+) of [\d,]+ ", r"\1 ", first)
    cut = first if len(first) + len(more) <= WORDS else f"{first[: WORDS - len(more) - 1]}…"
    return f"{colored('▲', WARNING)} {escape(cut)}{more}"


def bars(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """The bars of further columns, on the axes from x5 on."""
    found = []
    for place, column in enumerate(columns):
        shares = np.array([np.nan if share is None else share for share in column.shares], np.float64)
        axis = f"x{5 + place}"
        found.append(_lines(np.zeros(len(shares)), shares, np.arange(len(shares)), 10, column.color, xaxis=axis))
    return found


def answering(rows: Sequence[Summary], more: Mapping[str, str]) -> dict[str, Any]:
    """One invisible cell for each row, over its whole width."""
    texts = [f"{_hover_text(row)}{''.join(f'<br>{line}' for line in [more.get(row.path)] if line)}" for row in rows]
    return {
        "type": "heatmap",
        "x": [0.5],
        "y": list(range(len(rows))),
        "z": [[0]] * len(rows),
        "customdata": [[[row.path]] for row in rows],
        "hovertext": [[text] for text in texts],
        "hoverinfo": "text",
        "opacity": 0,
        "showscale": False,
        "xaxis": "x9",
        "yaxis": "y2",
    }


def _hover_text(row: Summary) -> str:
    text = f"<b>{escape(row.path)}</b><br>{between(row.minimum, row.maximum)}"
    if isfinite(row.quantiles[2]) and row.meaning in {"activations", "data"}:  # flags and names have no median
        text += f", median {number(row.quantiles[2])}"
    text += f"<br>zeros {percent(row.zeros)}"
    if row.meaning == "activations":
        text += f", dead {percent(row.dead)}"
    return text + "".join(f"<br>{escape(warning)}" for warning in row.warnings)
