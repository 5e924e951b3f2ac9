"""All layers over time: a heatmap with a row for each layer and a column for each moment."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.figures.boxes import Panel
from actwidget.figures.parts.heatmap import color_axis, dark_axis
from actwidget.figures.parts.palette import ACCENT, ColorRange
from actwidget.figures.parts.text import distinct_names, escape
from actwidget.figures.training.content import QUANTITIES
from actwidget.figures.training.places import LAYERS, NARROW_LAYERS, cell_edges, moment_mark, step_axis

if TYPE_CHECKING:
    from actwidget.analysis.dtypes import FloatArray
    from actwidget.figures.training.content import Quantity, TrainingContent

MOST_NAMES = 16
"""So many names of layers fit beside the rows."""
NAME = 20


@ignore_float_errors
def layers_panel(content: TrainingContent) -> tuple[Panel, dict[str, Any], dict[str, Any]]:
    """The panel, the colour axis, and what changes in that on a dark page.

    A cell's `customdata` is the place of its layer, that of its moment, the step and the number.
    """
    quantity = QUANTITIES[content.quantity]
    shown = _on_scale(content.numbers, quantity)
    color = _colors(content.numbers, shown, quantity)
    count = len(content.layers)
    row, column = np.indices(content.numbers.shape)
    told = np.stack([row, column, np.broadcast_to(content.steps, row.shape), content.numbers], axis=-1)
    heatmap = {
        "type": "heatmap",
        "z": shown.astype(np.float32),
        "x": cell_edges(content.steps),
        "y": [escape(path, 60) for path in content.layers],
        "coloraxis": "coloraxis",
        "customdata": told.astype(np.float32),
        "hovertemplate": _hover(quantity),
        "hoverongaps": False,
    }
    selected = content.layers.index(content.layer.path)
    band = {"type": "rect", "x0": 0, "x1": 1, "y0": selected - 0.5, "y1": selected + 0.5}
    low, high = _ends(content.numbers)
    ends = f" · {quantity.text(low)} to {quantity.text(high)}" if math.isfinite(low) else " · not recorded"
    return (
        Panel(
            [heatmap],
            LAYERS,
            NARROW_LAYERS,
            step_axis(content.steps),
            {"type": "category", "range": [count - 0.5, -0.5], "showgrid": False, "ticks": "", **_names(content)},
            f"<b>all layers</b> · {quantity.words}{ends}",
            marks=[
                *moment_mark(content.steps, content.moment),
                {**band, "xref": "domain", "line": {"color": ACCENT, "width": 1.5}},
            ],
        ),
        color_axis(color),
        dark_axis(color),
    )


def _on_scale(numbers: FloatArray, quantity: Quantity) -> FloatArray:
    """What is coloured: the logarithm of what can be of any magnitude."""
    if quantity.scale != "positive":
        return np.where(np.isfinite(numbers), numbers, np.nan)
    return np.where(np.isfinite(numbers) & (numbers > 0), np.log10(np.maximum(numbers, 1e-300)), np.nan)


def _colors(numbers: FloatArray, shown: FloatArray, quantity: Quantity) -> ColorRange:
    if quantity.scale == "share":
        high = np.nanmax(numbers, initial=0.0)
        return ColorRange.of(0.0, float(high) or 1.0)
    return ColorRange.over(shown)


def _ends(numbers: FloatArray) -> tuple[float, float]:
    finite = numbers[np.isfinite(numbers)]
    return (float(finite.min()), float(finite.max())) if finite.size else (np.nan, np.nan)


def _hover(quantity: Quantity) -> str:
    number = "%{customdata[3]:.1%}" if quantity.scale == "share" else "%{customdata[3]:.4g}"
    return f"<b>%{{y}}</b><br>after step %{{customdata[2]:,d}}: {quantity.label} {number}<extra></extra>"


def _names(content: TrainingContent) -> dict[str, Any]:
    """The labels of the rows: of many layers some, evenly, the chosen one among them."""
    names = distinct_names(list(content.layers), NAME)
    selected = content.layers.index(content.layer.path)
    names[selected] = f"<b>{names[selected]}</b>"
    stride = -(-len(names) // MOST_NAMES)
    rows = [row for row in range(0, len(names), stride) if row == selected or abs(row - selected) >= stride]
    rows = sorted({*rows, selected})
    return {"tickvals": rows, "ticktext": [names[row] for row in rows]}
