"""The units of a vector that differ most, as bars of both sides, and their differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.figures.boxes import Box, Panel
from actwidget.figures.comparison.content import COLORS
from actwidget.figures.parts.bars import bar_lengths, nonfinite_marker
from actwidget.figures.parts.layout import NUMBER_LABELS
from actwidget.figures.parts.nonfinite import precise
from actwidget.figures.parts.palette import ACCENT, MUTED
from actwidget.figures.parts.text import colored, distinct_names, escape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from actwidget.figures.comparison.content import ComparisonContent

MOST = 10
"""How many units are shown by name."""
FEWEST = 4
"""The bars of fewer units are no thicker than those of so many."""
NAME_LIMIT = 20
WIDE = (Box(0.16, 0.64, 66, 416), Box(0.7, 1.0, 66, 416))
NARROW = (Box(0.3, 1.0, 66, 316), Box(0.3, 1.0, 352, 492))


def units_shown(content: ComparisonContent) -> list[int]:
    """The units that differ most; the last of them gives way to the selected one."""
    order = content.difference.order.tolist()
    top: list[int] = order[:MOST]
    return top if content.channel is None or content.channel in top else [*top[: MOST - 1], content.channel]


def bar_panels(content: ComparisonContent) -> list[Panel]:
    """Both sides, and the difference."""
    units = units_shown(content)
    first, second = (side.values.reshape(-1).astype(np.float64)[units] for side in content.sides)
    apart = content.difference.values.reshape(-1).astype(np.float64)[units]
    texts = [
        _hover(content, *each) for each in zip(units, first.tolist(), second.tolist(), apart.tolist(), strict=True)
    ]

    def bars(values: NDArray[np.float64], color: str) -> dict[str, Any]:
        marker = nonfinite_marker({"color": [color] * len(units), "line": {"width": 0}}, np.isfinite(values))
        return {
            "type": "bar",
            "orientation": "h",
            "x": bar_lengths(values),
            "y": list(range(len(units))),
            "marker": marker,
            "customdata": [[unit] for unit in units],
            "hovertext": texts,
            "hovertemplate": "%{hovertext}<extra></extra>",
        }

    written = {
        "type": "scatter",
        "mode": "text",
        "x": np.maximum(bar_lengths(apart), 0).tolist(),
        "y": list(range(len(units))),
        "text": [f"\u00a0{content.in_words(value)}" for value in apart.tolist()],
        "textposition": "middle right",
        "hoverinfo": "skip",
        "cliponaxis": False,
    }
    places: dict[str, Any] = {
        "range": [max(len(units), FEWEST) - 0.4, -0.6],
        "tickmode": "array",
        "tickvals": list(range(len(units))),
        "showgrid": False,
        "zeroline": False,
    }
    named = places | {"ticktext": _names(content, units, NAME_LIMIT), "tickfont": {"size": 12}}
    numbers = {"nticks": 5, **NUMBER_LABELS} | ({"tickformat": ".0%"} if content.is_share else {})
    lengths = bar_lengths(apart)
    low, high = float(lengths.min(initial=0)), float(lengths.max(initial=0))
    both = [bars(first, COLORS[0]), bars(second, COLORS[1])]
    room = 0.45 * (high - low) or 1.0
    return [
        Panel(
            both,
            WIDE[0],
            NARROW[0],
            numbers,
            named,
            "   ".join(content.legend),
        ),
        Panel(
            [bars(apart, MUTED), written],
            WIDE[1],
            NARROW[1],
            {**numbers, "range": [1.05 * low, high + room]},
            {**places, "showticklabels": False},
        ),
    ]


def _names(content: ComparisonContent, units: list[int], limit: int) -> list[str]:
    names = distinct_names([content.name_of(unit) for unit in units], limit)
    return [colored(name, ACCENT) if unit == content.channel else name for name, unit in zip(names, units, strict=True)]


def _hover(content: ComparisonContent, unit: int, first: float, second: float, apart: float) -> str:
    names = [escape(side.name, 40) for side in content.sides]
    return (
        f"<b>{escape(content.name_of(unit), 60)}</b><br>{names[0]}: {precise(first)}<br>{names[1]}: {precise(second)}"
        f"<br>difference: {precise(apart)}"
    )
