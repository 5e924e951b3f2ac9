"""The largest attributions as bars with their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.figures.attribution.area import Area, Panel, axes_of
from actwidget.figures.attribution.scale import AGAINST, FOR, PLAIN
from actwidget.figures.parts.bars import bar_lengths, nonfinite_marker
from actwidget.figures.parts.nonfinite import precise
from actwidget.figures.parts.palette import ACCENT, MUTED
from actwidget.figures.parts.text import colored, distinct_names, escape, plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from actwidget.figures.attribution.content import Part

NAMES = 0.4
"""The most of a panel's width that is for the names of bars."""
SLOT = 20
"""The height of a bar with the room around it, in pixels."""
FEWEST_SLOTS = 6
"""The bars of fewer values are no thicker than those of so many."""
GAP = 0.02
"""The room between the names and the longest bar below zero, as a share of the axis."""
VALUE = 52
"""The width of a value behind its bar, in pixels."""


def bars_panel(part: Part, area: Area, *, is_signed: bool) -> Panel:
    """The largest values as bars, the largest first.

    Args:
        part: The values with their names.
        area: Where they are drawn.
        is_signed: Whether values can be negative.
    """
    values = np.asarray(part.values, np.float64)
    slots = max(3, int(area.size[1] / SLOT))
    order = np.argsort(-np.abs(np.nan_to_num(values)), kind="stable")[:slots].tolist()
    shown = values[order]
    lengths = bar_lengths(shown)
    longest = max((len(part.labels[each]) for each in order), default=0)
    for_names = min(NAMES, (7.2 * longest + 18) / area.size[0])
    names = distinct_names([part.labels[each] for each in order], max(6, int(area.size[0] * for_names / 7.2)))
    rows = list(range(len(order)))
    axes, narrow = _axes(lengths, area, for_names)
    axes[f"yaxis{area.suffix}"] |= {
        "range": [max(len(order), min(slots, FEWEST_SLOTS)) - 0.4, -0.6],
        "tickvals": rows,
        "ticktext": [
            colored(f"<b>{name}</b>", ACCENT) if each == part.marked else name
            for name, each in zip(names, order, strict=True)
        ],
    }
    panel = Panel([*_traces(part, order, lengths, area, is_signed=is_signed)], axes, narrow)
    if len(order) < len(values):
        panel.words.append(f"the strongest {len(order)} of {len(values):,}")
    return panel


def _traces(
    part: Part, order: list[int], lengths: NDArray[np.float64], area: Area, *, is_signed: bool
) -> list[dict[str, Any]]:
    """The bars, and the values behind them."""
    shown = np.asarray(part.values, np.float64)[order]
    rows = list(range(len(order)))
    colors = [(FOR if value >= 0 else AGAINST) if is_signed else PLAIN for value in shown.tolist()]
    bar = {
        "type": "bar",
        "orientation": "h",
        "x": lengths.astype(np.float32),
        "y": rows,
        "marker": nonfinite_marker({"color": colors}, np.isfinite(shown)),
        "hovertext": [_detail(part, each) for each in order],
        "hovertemplate": "%{hovertext}<extra></extra>",
        **area.axes,
    }
    if part.items is not None:
        bar["customdata"] = [[int(part.items[each])] for each in order]
    # Plotly itself would write to the left of a bar below zero, over the names.
    written = {
        "type": "scatter",
        "mode": "text",
        "x": np.maximum(lengths, 0).tolist(),
        "y": rows,
        "text": [f"\u00a0{plain(value) if np.isfinite(value) else precise(value)}" for value in shown.tolist()],
        "textposition": "middle right",
        "textfont": {"size": 11},
        "hoverinfo": "skip",
        "cliponaxis": False,
        **area.axes,
    }
    return [bar, written]


def _axes(lengths: NDArray[np.float64], area: Area, for_names: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """The axes, with room for the names before the bars and the values behind them."""
    low, high = min(float(lengths.min(initial=0)), 0.0), max(float(lengths.max(initial=0)), 0.0)
    pixels = area.size[0] * (1 - for_names)
    room = ((high - low) or 1.0) * VALUE / max(pixels - VALUE, 60)
    x, narrow_x = ((span[0] + (span[1] - span[0]) * for_names, span[1]) for span in (area.x, area.narrow_x))
    low -= GAP * (high + room - low) * (low < 0)  # a bar does not touch its name
    across = {"range": [low, high + room], "domain": x, "fixedrange": True, "showticklabels": False, "showgrid": False}
    across |= {"showline": False, "zeroline": True, "zerolinecolor": MUTED, "zerolinewidth": 1}
    down = {"tickmode": "array", "tickfont": {"size": 12}, "showline": False, "showgrid": False, "zeroline": False}
    return axes_of(area, across, {**down, "fixedrange": True}, narrow_x)


def _detail(part: Part, each: int) -> str:
    text = f"<b>{escape(part.labels[each], 60)}</b><br>{precise(float(part.values[each]))}"
    if part.given is not None and np.ndim(part.given[each]) == 0 and part.given.dtype.kind in "fiu":
        text += f"<br>its value: {precise(float(part.given[each]))}"
    return text
