"""The panels of a vector: its units as bars, and the strongest of them by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.figures.panels import Panel
from actwidget.figures.parts.bars import bar_lengths, bar_marker, nonfinite_bars, nonfinite_marker
from actwidget.figures.parts.nonfinite import nonfinite_name, precise
from actwidget.figures.parts.palette import ACCENT, MUTED
from actwidget.figures.parts.text import colored, distinct_names, number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from actwidget.figures.activation.content import ActivationContent

MOST_LABELS = 32
"""Up to so many bars each have a label."""
TOP = 8
"""How many of the strongest units are shown."""
TEXT_ROOM = 0.8
"""The room for a number to the right of zero on a small panel, as a share of the longest bar below zero."""


def unit_bars(content: ActivationContent) -> Panel:
    """A vector's units as bars in their order."""
    drawn = content.picture
    units = drawn.order.tolist()
    values = drawn.values[:, 0, 0].astype(np.float32)[drawn.order]
    marker = bar_marker([unit == content.channel for unit in units])
    bar: dict[str, Any] = {
        "type": "bar",
        "x": np.arange(len(values)),
        "y": values,
        "customdata": [[unit] for unit in units],
        "marker": marker,
        "hovertemplate": "<b>unit %{customdata[0]}</b><br>%{y:.5g}<extra></extra>",
    }
    if not np.isfinite(values).all():
        bar |= nonfinite_bars(values, marker)
        bar |= {"hovertemplate": "<b>unit %{customdata[0]}</b><br>%{hovertext}<extra></extra>"}
    few = len(values) <= MOST_LABELS
    labels = {
        "tickmode": "array",
        "tickvals": list(range(len(values))),
        "ticktext": _highlighted([str(unit) for unit in units], units, content.channel),
    }
    # In another order than that of the units, Plotly's own labels would count places.
    by_number = content.order_name in {"index", "number"}
    numbers = {"showticklabels": by_number}
    axes = {
        "xaxis": {
            "title": {"text": "unit" if by_number or few else "units, in order"},
            "showgrid": False,
            "range": [-0.6, len(values) - 0.4],
            **(labels if few else numbers),
        },
        "yaxis": {"title": {"text": "activation"}, "scaleanchor": False},
    }
    return Panel([bar], axes)


def top_units(content: ActivationContent) -> Panel:
    """The units of a vector with the largest values, by name where there are names; of a binary output both classes."""
    values = content.picture.values[:, 0, 0].astype(np.float64)
    if content.binary:
        return _ranked(content, np.concatenate([1 - values, values]), "class")
    return _ranked(content, values, "unit")


def _ranked(content: ActivationContent, values: NDArray[np.float64], label: str) -> Panel:
    """The largest of some values as bars with their names."""
    chosen = None if content.binary else content.channel  # of two classes neither is a unit
    units = _top(values, content.label, chosen)
    shown = values[units]
    lengths = bar_lengths(shown)
    names = _unit_names(content, units.tolist(), label)
    texts = [number(value) if np.isfinite(value) else nonfinite_name(value) for value in shown.tolist()]
    colors = [ACCENT if unit == chosen else MUTED for unit in units.tolist()]
    bar = {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(units))),
        "x": lengths.tolist(),
        "text": ["" if length <= 0 else text for length, text in zip(lengths.tolist(), texts, strict=True)],
        "textposition": "auto",
        "customdata": [[0 if content.binary else unit] for unit in units.tolist()],
        # The outline shows where a bar of length zero is.
        "marker": nonfinite_marker({"color": colors, "line": {"width": 1, "color": colors}}, np.isfinite(shown)),
        "xaxis": "x2",
        "yaxis": "y2",
        "hovertext": [precise(value) for value in shown.tolist()],
        "hovertemplate": f"{'%{y}' if content.binary else 'unit %{customdata[0]}'}<br>%{{hovertext}}<extra></extra>",
        "cliponaxis": False,
    }
    axes = {
        "xaxis2": {"showgrid": False, "zeroline": False, "showticklabels": False, "range": _with_text_room(lengths)},
        "yaxis2": {
            "range": [len(units) - 0.4, -0.6],
            "tickmode": "array",
            "tickvals": list(range(len(units))),
            "ticktext": _highlighted(names, units.tolist(), chosen),
            "showgrid": False,
            "scaleanchor": False,
        },
    }
    caption = "top classes" if content.class_names is not None or content.binary else "strongest units"
    if content.label is not None:
        caption += ", ✓ the true one"
    return Panel([bar, *_texts_beside(lengths, texts)], axes, (caption,))


def _top(values: NDArray[np.float64], label: int | None, chosen: int | None) -> NDArray[np.intp]:
    """The units with the largest values; the last of them give way to the true class and to the chosen unit."""
    units = np.argsort(-np.where(np.isnan(values), -np.inf, values), kind="stable")[:TOP]
    wanted = [unit for unit in (label, chosen) if unit is not None and unit not in units]
    return np.append(units[: TOP - len(set(wanted))], list(dict.fromkeys(wanted))).astype(np.intp)


def _unit_names(content: ActivationContent, units: list[int], label: str) -> list[str]:
    names = [f"{label} {unit}" for unit in units]
    if content.class_names is not None:
        names = distinct_names([content.class_names[unit] for unit in units], 20)
    return [f"✓ {name}" if unit == content.label else name for unit, name in zip(units, names, strict=True)]


def _texts_beside(lengths: NDArray[Any], texts: list[str]) -> list[dict[str, Any]]:
    """The numbers of bars that are not above zero, written to the right of zero.

    Plotly itself writes nothing at a bar of length zero, and to the left of one below zero it would cover the names.
    """
    rows = np.flatnonzero(lengths <= 0)
    if not rows.size:
        return []
    written: dict[str, Any] = {
        "type": "scatter",
        "mode": "text",
        "x": [0.0] * len(rows),
        "y": rows.tolist(),
        "hoverinfo": "skip",
        "text": [f"\u00a0{texts[row]}" for row in rows],
        "textposition": "middle right",
        "cliponaxis": False,
        "xaxis": "x2",
        "yaxis": "y2",
    }
    return [written]


def _with_text_room(lengths: NDArray[Any]) -> list[float]:
    """The range of bars, with room for the numbers that are written to the right of zero."""
    low, high = float(lengths.min(initial=0)), float(lengths.max(initial=0))
    needed = TEXT_ROOM * -low
    return [low, (high if high >= needed else high + needed) or 1.0]


def _highlighted(texts: list[str], units: list[int], channel: int | None) -> list[str]:
    """The names of units, that of the chosen one in the accent colour."""
    return [colored(text, ACCENT) if unit == channel else text for text, unit in zip(texts, units, strict=True)]
