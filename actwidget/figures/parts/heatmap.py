"""Heatmaps of values: how far large maps are reduced, and the axis of their colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.figures.parts.palette import colorscale as colorscale_of
from actwidget.figures.parts.palette import dark_colorscale
from actwidget.figures.parts.text import number

if TYPE_CHECKING:
    from actwidget.figures.parts.palette import ColorRange

MAP_LIMIT = 256
"""Longer maps are reduced: more cells would each take less than a pixel."""


def reduction_factor(shape: tuple[int, ...], limit: int = MAP_LIMIT) -> int:
    """By which whole factor a map has to be reduced so that neither side is longer than `limit`.

    >>> reduction_factor((600, 500)), reduction_factor((8, 8))
    (3, 1)
    """
    return -(-max(shape) // limit)


def cell_positions(factor: int) -> dict[str, float]:
    """Where the cells of a reduced map lie, so that the axes still count rows and columns of the whole map."""
    if factor <= 1:
        return {}
    return {"x0": (factor - 1) / 2, "y0": (factor - 1) / 2, "dx": factor, "dy": factor}


def color_axis(color: ColorRange, colorscale: Any = None) -> dict[str, Any]:
    """A colour axis of the layout without a colour bar of Plotly: `color_strip` shows its colours.

    Args:
        color: The range of the colours.
        colorscale: Other colours than those of the range's scale, as plotly.js takes them.
    """
    high = color.high if color.high > color.low else color.low + 1
    return {
        "cmin": color.low,
        "cmax": high,
        "colorscale": colorscale or colorscale_of(color.scale),
        "showscale": False,
    }


def dark_axis(color: ColorRange, name: str = "coloraxis") -> dict[str, Any]:
    """What changes in a colour axis on a dark page, for `layout.meta["dark"]`; empty where nothing does."""
    scale = dark_colorscale(color.scale)
    return {} if scale is None else {f"{name}.colorscale": scale}


def value_ticks(low: float, high: float, count: int) -> dict[str, Any]:
    """The ticks of an axis of colours, evenly from its lower to its upper end."""
    values = np.linspace(low, high, count).tolist()
    return {"tickmode": "array", "tickvals": values, "ticktext": [number(value) for value in values]}
