"""The distribution of one layer's values over time: as a heatmap, or as a ridge for each of some moments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.rebinning import rebinned
from actwidget.figures.boxes import Panel
from actwidget.figures.parts.heatmap import color_axis
from actwidget.figures.parts.layout import NUMBER_LABELS
from actwidget.figures.parts.marks import HALO
from actwidget.figures.parts.palette import ACCENT, MUTED, ColorRange
from actwidget.figures.parts.text import escape
from actwidget.figures.training.places import NARROW_SPREAD, SPREAD, cell_edges, moment_mark, step_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actwidget.analysis.dtypes import FloatArray
    from actwidget.figures.training.content import TrainingContent

BINS = 60
RIDGES = 12
"""So many moments have a ridge, evenly chosen."""
OVERLAP = 2.2
"""How high the highest point of a ridge is, in distances between ridges."""


@ignore_float_errors
def spread_panel(content: TrainingContent) -> Panel:
    """The panel in the form that is chosen."""
    layer = content.layer
    known = [place for place, each in enumerate(layer.histograms) if each is not None and each.total]
    name = escape(layer.path, 32)
    if not known:
        empty = {"type": "scatter", "x": [None], "y": [None], "hoverinfo": "skip"}
        return Panel([empty], SPREAD, NARROW_SPREAD, {}, {}, f"<b>{name}</b> has no finite values")
    low, high = _range(layer.quantiles[known])
    edges = np.linspace(low, high, BINS + 1)
    shares = rebinned([each for each in layer.histograms if each is not None and each.total], edges)
    if content.form == "ridge":
        return _ridges(content, name, known, edges, shares)
    return _heatmap(content, name, known, edges, shares)


def _range(quantiles: FloatArray) -> tuple[float, float]:
    """From the least 1 % to the greatest 99 % quantile, with a little room, and with zero if it is near."""
    low, high = float(np.nanmin(quantiles)), float(np.nanmax(quantiles))
    room = (high - low) * 0.05 or max(abs(low) * 0.1, 0.5)
    return low - room, high + room


def _heatmap(content: TrainingContent, name: str, known: Sequence[int], edges: FloatArray, shares: FloatArray) -> Panel:
    z = np.full((BINS, len(content.steps)), np.nan)
    # Zeros can be most of the values: by the square root the rest is seen too.
    z[:, known] = np.sqrt(shares).T
    heatmap = {
        "type": "heatmap",
        "z": z.astype(np.float32),
        "x": cell_edges(content.steps),
        "y": edges,
        "coloraxis": "coloraxis2",
        "customdata": _told(content, z),
        "hovertemplate": "after step %{customdata[2]:,d}: %{customdata[3]:.2%} near %{y:.4g}<extra></extra>",
        "hoverongaps": False,
    }
    lines = [_quantile(content, place, width) for place, width in ((1, 1), (2, 2), (3, 1))]
    return Panel(
        [heatmap, *lines],
        SPREAD,
        NARROW_SPREAD,
        step_axis(content.steps),
        {"range": [float(edges[0]), float(edges[-1])], "nticks": 6, "showgrid": False, "zeroline": False}
        | NUMBER_LABELS,
        f"<b>{name}</b> · values over time · lines: 25, 50, 75 %",
        marks=moment_mark(content.steps, content.moment),
    )


def _told(content: TrainingContent, z: FloatArray) -> Any:
    """For each cell -1, the place of its moment, the step, and the share of values."""
    column = np.indices(z.shape)[1]
    steps = np.broadcast_to(content.steps, z.shape)
    return np.stack([np.full(z.shape, -1), column, steps, z**2], axis=-1).astype(np.float32)


def _quantile(content: TrainingContent, place: int, width: int) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": content.steps,
        "y": content.layer.quantiles[:, place],
        "line": {"color": HALO, "width": width},
        "hoverinfo": "skip",
    }


def _ridges(content: TrainingContent, name: str, known: Sequence[int], edges: FloatArray, shares: FloatArray) -> Panel:
    """One below the other, the first moment at the top; a ridge's height is scaled to its own highest point."""
    rows = chosen_ridges(known, content.moment)
    centres = (edges[1:] + edges[:-1]) / 2
    traces: list[dict[str, Any]] = []
    for row, place in enumerate(rows):
        line = shares[known.index(place)]
        height = OVERLAP * np.sqrt(line / (line.max() or 1.0))
        is_chosen = place == content.moment
        color = ACCENT if is_chosen else MUTED
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": np.concatenate([[edges[0]], centres, [edges[-1]]]),
                "y": np.concatenate([[row], row - height, [row]]),
                "line": {"color": color, "width": 2 if is_chosen else 1},
                "fill": "toself",
                "fillcolor": _translucent(color),
                "customdata": np.tile([-1.0, place], (BINS + 2, 1)).astype(np.float32),
                "hoveron": "points",
                "hovertemplate": f"after step {int(content.steps[place]):,}: %{{x:.4g}}<extra></extra>",
            }
        )
    names = [f"{int(content.steps[place]):,}" for place in rows]
    return Panel(
        traces,
        SPREAD,
        NARROW_SPREAD,
        {"range": [float(edges[0]), float(edges[-1])], "nticks": 8, "zeroline": True, "showgrid": False}
        | NUMBER_LABELS,
        {
            "range": [len(rows) - 0.7, -OVERLAP],
            "tickvals": list(range(len(rows))),
            "ticktext": [
                f"<b>{text}</b>" if place == content.moment else text for text, place in zip(names, rows, strict=True)
            ],
            "showgrid": False,
            "zeroline": False,
        },
        f"<b>{name}</b> · values after so many steps",
    )


def chosen_ridges(known: Sequence[int], moment: int) -> list[int]:
    """The moments that have a ridge: the first, the latest, the chosen one, and others evenly between them.

    >>> chosen_ridges(range(5), 2), len(chosen_ridges(range(100), 41)), 41 in chosen_ridges(range(100), 41)
    ([0, 1, 2, 3, 4], 12, True)
    """
    if len(known) <= RIDGES:
        return list(known)
    places = [known[round(place)] for place in np.linspace(0, len(known) - 1, RIDGES)]
    if moment in known and moment not in places:
        inner = min(range(1, RIDGES - 1), key=lambda place: abs(places[place] - moment))
        places[inner] = moment
    return places


def _translucent(color: str) -> str:
    red, green, blue = (int(color[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.35)"


def spread_colors(panel: Panel) -> dict[str, Any]:
    """The colour axis of the heatmap: from no values in a bin to the most that there are in any; empty for ridges."""
    z = panel.traces[0].get("z")
    return {} if z is None else {"coloraxis2": color_axis(ColorRange(0.0, float(np.nanmax(z, initial=0.0)), "viridis"))}
