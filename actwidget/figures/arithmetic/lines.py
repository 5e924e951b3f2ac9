"""The sum, line by line: what each term is, its product written out, and a bar for it."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.figures.panels import Panel
from actwidget.figures.parts.bars import bar_lengths, bar_marker, nonfinite_marker
from actwidget.figures.parts.nonfinite import nonfinite_name
from actwidget.figures.parts.palette import ACCENT, MUTED
from actwidget.figures.parts.text import colored, distinct_names, escape, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actwidget.figures.arithmetic.content import Row

FEWEST_SLOTS = 12
"""Fewer lines are no further apart than so many."""
LABEL_LIMIT, STEP_LIMIT = 16, 38
"""How many characters of a label have room before a product that is written out, and where there is none."""
DETAIL, VALUE = 0.72, 1.0
"""Where the products and what they give end, as shares of the width of the text."""
ADDED = {"term", "rest", "bias"}
"""The kinds of lines that are added up: these have bars."""


def in_words(value: float) -> str:
    """A value in a few digits, or by its name if it is not finite; zero has no sign.

    >>> in_words(0.5), in_words(-0.0), in_words(float("nan"))
    ('0.50', '0.00', 'NaN')
    """
    return number(value + 0.0) if isfinite(value) else nonfinite_name(value)


def lines(rows: Sequence[Row], caption: str) -> Panel:
    """The lines of a sum.

    Args:
        rows: From top to bottom.
        caption: What stands above them.

    Returns:
        The panel: texts on the axis `x`, bars beside them on `x2`, both over `y`.
    """
    places = list(range(len(rows)))
    given = ["" if row.value is None else in_words(row.value) for row in rows]
    traces = [
        _clickable(rows),
        _texts(0.0, _labels(rows), "middle right"),
        _texts(DETAIL, [row.detail for row in rows], "middle left"),
        _texts(VALUE, [_sign(row, end) for row, end in zip(rows, given, strict=True)], "middle left"),
    ]
    added = [place for place in places if rows[place].kind in ADDED and rows[place].value is not None]
    values = np.array([rows[place].value for place in added], np.float64)
    hidden = {"visible": False}
    axes: dict[str, dict[str, Any]] = {
        "xaxis": {**hidden, "range": (0, 1)},
        "yaxis": {**hidden, "range": (max(len(rows), FEWEST_SLOTS) - 0.5, -0.5)},
    }
    zero: dict[str, Any] = {}
    if added:
        traces.append(_bars([rows[place] for place in added], added, values))
        lengths = bar_lengths(values)
        low, high = min(float(lengths.min()), 0.0), max(float(lengths.max()), 0.0)
        room = 0.03 * ((high - low) or 1.0)
        axes["xaxis2"] = {**hidden, "range": (low - room, high + room), "anchor": "y"}
        ends = {"x0": 0, "x1": 0, "y0": added[0] - 0.5, "y1": added[-1] + 0.5}
        zero = {"type": "line", "xref": "x2", "yref": "y", **ends, "line": {"color": MUTED, "width": 1}}
    return Panel(traces, axes, (caption,), shapes=[zero] if added else [])


def _labels(rows: Sequence[Row]) -> list[str]:
    terms = [row.label for row in rows if row.detail]
    short = iter(distinct_names(terms, LABEL_LIMIT))
    texts = [next(short) if row.detail else escape(row.label, STEP_LIMIT) for row in rows]
    marked = [colored(text, ACCENT) if row.is_marked else text for row, text in zip(rows, texts, strict=True)]
    return [f"<b>{text}</b>" if row.is_result else text for row, text in zip(rows, marked, strict=True)]


def _sign(row: Row, text: str) -> str:
    shown = f"= {text}" if row.kind == "sum" or row.detail else f"→ {text}" if row.kind == "step" else text
    return f"<b>{shown}</b>" if row.is_result else shown


def _texts(x: float, texts: Sequence[str], position: str) -> dict[str, Any]:
    shown = [place for place, text in enumerate(texts) if text]
    return {
        "type": "scatter",
        "mode": "text",
        "x": [x] * len(shown),
        "y": shown,
        "text": [texts[place] for place in shown],
        "textposition": position,
        "textfont": {"size": 11},
        "cliponaxis": False,
        "hoverinfo": "skip",
        "meta": "bins",  # the bars below the texts answer clicks
    }


def _hover(row: Row) -> str:
    return "<br>".join(escape(line, 120) for line in (row.label, *row.hover))


def _clickable(rows: Sequence[Row]) -> dict[str, Any]:
    """A bar behind the text of each line, which answers hover and click; that of the chosen term is tinted."""
    return {
        "type": "bar",
        "orientation": "h",
        "x": [1.0] * len(rows),
        "y": list(range(len(rows))),
        "width": 0.96,
        "marker": {
            "color": ["rgba(26,111,232,0.12)" if row.is_marked else "rgba(0,0,0,0)" for row in rows],
            "line": {"width": 0},
        },
        "customdata": [None if row.target is None else list(row.target) for row in rows],
        "hovertext": [_hover(row) for row in rows],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def _bars(rows: Sequence[Row], places: Sequence[int], values: np.ndarray[Any, Any]) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "x": bar_lengths(values).tolist(),
        "y": list(places),
        "width": 0.7,
        "marker": nonfinite_marker(bar_marker([row.is_marked for row in rows]), np.isfinite(values)),
        "customdata": [None if row.target is None else list(row.target) for row in rows],
        "hovertext": [_hover(row) for row in rows],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "xaxis": "x2",
        "yaxis": "y",
    }
