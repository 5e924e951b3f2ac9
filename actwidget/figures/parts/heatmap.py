"""Heatmaps of values: how far large maps are reduced, and the colour bar beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

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


def color_axis(color: ColorRange, colorscale: Any, colorbar: dict[str, Any]) -> dict[str, Any]:
    """A colour axis of the layout; in contrast to a trace's own colour bar it can be moved without the trace."""
    high = color.high if color.high > color.low else color.low + 1
    return {"cmin": color.low, "cmax": high, "colorscale": colorscale, "colorbar": colorbar}


def value_ticks(low: float, high: float, count: int) -> dict[str, Any]:
    """The ticks of a colour bar, evenly from its lower to its upper end."""
    values = np.linspace(low, high, count).tolist()
    return {"tickmode": "array", "tickvals": values, "ticktext": [number(value) for value in values]}
