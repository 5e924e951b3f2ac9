"""A colour bar as a trace: a row of cells from the lowest to the highest colour, on axes of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from actwidget.figures.parts.palette import ColorRange

CELLS = 65
"""An odd number, so that one cell has the colour in the middle of the scale."""


def color_strip(color: ColorRange, *, xaxis: str, yaxis: str, coloraxis: str = "coloraxis") -> dict[str, Any]:
    """A horizontal strip of a scale's colours; its x axis has the values, its y axis goes from 0 to 1.

    Plotly's own colour bars take longer to draw than all the rest of a figure, and one that lay upright leaves its
    labels behind when the next one does not.

    Args:
        color: The range of the colours.
        xaxis: The axis of the values, `"x3"`; a histogram can share it.
        yaxis: An axis of the strip alone, `"y4"`.
        coloraxis: The figure's colour axis.
    """
    high = color.high if color.high > color.low else color.low + 1
    width = (high - color.low) / CELLS
    return {
        "type": "heatmap",
        "z": np.linspace(color.low, high, CELLS, dtype=np.float32)[np.newaxis],
        "x0": color.low + width / 2,
        "dx": width,
        "y": [0, 1],  # with one row Plotly needs the edges to know its height
        "coloraxis": coloraxis,
        "xaxis": xaxis,
        "yaxis": yaxis,
        "hoverinfo": "skip",
    }
