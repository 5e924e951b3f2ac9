"""Where the panels of a training stand, and what they share: the axis of steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.figures.boxes import Box
from actwidget.figures.parts.layout import NUMBER_LABELS
from actwidget.figures.parts.marks import double_stroke

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from actwidget.analysis.dtypes import FloatArray

HEIGHTS = (620, 984)
"""The height of the figure in pixels, and on a narrow page, where its panels stand below each other."""
# On a wide page: layers over time, losses above metrics; below them one layer over time, its channels then and now.
LAYERS, CURVES = Box(0.13, 0.64, 20, 236), (Box(0.72, 1.0, 20, 108), Box(0.72, 1.0, 148, 236))
SPREAD = Box(0.13, 0.64, 312, 548)
THEN, NOW = Box(0.69, 0.835, 312, 548), Box(0.855, 1.0, 312, 548)
NARROW_LAYERS, NARROW_CURVES = Box(0.27, 1.0, 4, 204), (Box(0.1, 0.48, 276, 400), Box(0.6, 1.0, 276, 400))
NARROW_SPREAD = Box(0.13, 1.0, 476, 640)
NARROW_THEN, NARROW_NOW = Box(0.0, 0.48, 708, 872), Box(0.52, 1.0, 708, 872)


def cell_edges(steps: NDArray[np.int64]) -> FloatArray:
    """The edges of cells around some steps: halfway to the steps beside each one.

    >>> cell_edges(np.array([0, 10, 30])).tolist(), cell_edges(np.array([5])).tolist()
    ([-5.0, 5.0, 20.0, 40.0], [4.5, 5.5])
    """
    centres = np.asarray(steps, np.float64)
    if centres.size == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    inner = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[2 * centres[0] - inner[0]], inner, [2 * centres[-1] - inner[-1]]])


def step_axis(steps: NDArray[np.int64], *, named: bool = True) -> dict[str, Any]:
    """The axis of steps."""
    edges = cell_edges(steps)
    title = {"title": {"text": "step", "standoff": 2, "font": {"size": 11}}} if named else {}
    return {
        "range": [float(edges[0]), float(edges[-1])],
        "nticks": 6,
        "tickformat": ",d",
        "showgrid": False,
        "zeroline": False,
        **NUMBER_LABELS,
        **title,
    }


def moment_mark(steps: NDArray[np.int64], moment: int) -> list[dict[str, Any]]:
    """A line at the chosen moment, over the whole height of a panel."""
    step = int(steps[moment])
    line = {"type": "line", "x0": step, "x1": step, "y0": 0, "y1": 1, "yref": "domain"}
    return double_stroke(line, width=1.5)
