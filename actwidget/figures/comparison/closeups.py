"""One channel large on both sides, and the difference: maps in colour, or lines over the steps of a sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.axes import channels
from actwidget.analysis.pixels.pooling import magnitude_pooled
from actwidget.figures.boxes import Box, Panel, axis_of, hidden_axes
from actwidget.figures.comparison.content import COLORS
from actwidget.figures.parts.color_strip import color_strip
from actwidget.figures.parts.heatmap import cell_positions, color_axis, dark_axis, reduction_factor, value_ticks
from actwidget.figures.parts.layout import NUMBER_LABELS
from actwidget.figures.parts.nonfinite import finite_or_nan, nonfinite_cells, nonfinite_names
from actwidget.figures.parts.palette import ACCENT, MUTED, ColorRange
from actwidget.figures.parts.text import colored, escape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from actwidget.figures.comparison.content import ComparisonContent

LIMIT = 160
"""Longer maps are reduced: three of them would take long to send, for cells below a pixel."""
# On a wide page the three stand in the columns of the grids below them; on a narrow one the difference is below.
WIDE = tuple(Box(left, right, 52, 264) for left, right in ((0.0, 0.32), (0.34, 0.66), (0.68, 1.0)))
NARROW = (Box(0.0, 0.49, 52, 198), Box(0.51, 1.0, 52, 198), Box(0.0, 0.49, 246, 376))
# The strips of colours leave room for the numbers below their ends.
STRIPS = (Box(0.02, 0.64, 268, 276), Box(0.7, 0.98, 268, 276))
NARROW_STRIPS = (Box(0.04, 0.96, 202, 210), Box(0.04, 0.45, 380, 388))
# Lines of both sides share a panel.
LINES = (Box(0.06, 0.63, 66, 272), Box(0.7, 1.0, 66, 272))
NARROW_LINES = (Box(0.1, 1.0, 66, 206), Box(0.1, 0.49, 246, 388))


def closeup_panels(content: ComparisonContent, *, first: int) -> list[Panel]:
    """The panels of the channel that is large.

    Args:
        content: What the figure shows.
        first: The number of the first of them.
    """
    return _lines(content) if content.sides[0].values.ndim == 2 else _maps(content, first)


def closeup_reduction(content: ComparisonContent) -> int:
    """By which factor the maps of the channel are reduced."""
    shape = content.sides[0].values.shape
    return reduction_factor(shape[-3:-1], LIMIT) if len(shape) > 2 else 1


def color_axes(content: ComparisonContent) -> tuple[dict[str, Any], dict[str, Any]]:
    """The colour axes of the layout, one for both sides and one for the difference, and their changes on dark pages."""
    colors = dict(zip(("coloraxis", "coloraxis2"), _colors(_values(content)), strict=True))
    dark: dict[str, Any] = {}
    for name, color in colors.items():
        dark |= dark_axis(color, name)
    return {name: color_axis(color) for name, color in colors.items()}, dark


def _values(content: ComparisonContent) -> list[NDArray[Any]]:
    """The channel on both sides and its difference, each of shape `(height, width)`."""
    arrays = (*(side.values for side in content.sides), content.difference.values)
    return [channels(array, at=content.at)[content.large] for array in arrays]


def _colors(values: list[NDArray[Any]]) -> tuple[ColorRange, ColorRange]:
    own = ColorRange.over(values[2])
    bound = max(abs(own.low), abs(own.high)) if np.isfinite(values[2]).any() else 1.0
    return ColorRange.over(*values[:2]), ColorRange(-(bound or 1.0), bound or 1.0, "balance")


def _caption(content: ComparisonContent) -> str:
    name = escape(content.name_of(content.large), 40)
    return colored(name, ACCENT) if content.channel is not None else f"{name}, which differs most"


def _maps(content: ComparisonContent, first: int) -> list[Panel]:
    """Three feature maps, and below them what their colours mean."""
    values = _values(content)
    factor = closeup_reduction(content)
    positions = cell_positions(factor)
    panels = []
    for place, array in enumerate(values):
        own = array.astype(np.float32)
        shown = own if factor == 1 else magnitude_pooled(own, (factor, factor))
        x, y = hidden_axes(array.shape[1], array.shape[0], f"x{axis_of(first + place)}", origin=-0.5)
        axis = {"coloraxis": "coloraxis2" if place == 2 else "coloraxis"}
        hover = "row %{y}, column %{x}<br>%{z:.5g}<extra></extra>"
        cells = {"type": "heatmap", "z": finite_or_nan(shown), "hovertemplate": hover, **axis, **positions}
        names = np.where(np.isfinite(shown), "", nonfinite_names(shown)).tolist()
        broken = nonfinite_cells(
            shown, text=names, hovertemplate="row %{y}, column %{x}<br>%{text}<extra></extra>", **positions
        )
        panels.append(Panel([cells, *broken], WIDE[place], NARROW[place], x, y))
    for place, color in enumerate(_colors(values)):
        suffix = axis_of(first + len(panels))
        strip = color_strip(
            color, xaxis=f"x{suffix}", yaxis=f"y{suffix}", coloraxis="coloraxis2" if place else "coloraxis"
        )
        numbers = {
            "showgrid": False,
            "zeroline": False,
            "ticks": "",
            **value_ticks(color.low, color.high, 3),
            **NUMBER_LABELS,
        }
        bare = {"visible": False, "range": [0, 1]}
        panels.append(Panel([strip], STRIPS[place], NARROW_STRIPS[place], numbers, bare))
    return panels


def _lines(content: ComparisonContent) -> list[Panel]:
    """Both sides as lines over the steps, and the difference as another one."""
    first, second, apart = (finite_or_nan(array[0].astype(np.float32)) for array in _values(content))
    hover = "step %{x}: %{y:.4g}<extra></extra>"

    def line(values: NDArray[np.float32], color: str, dash: str = "solid") -> dict[str, Any]:
        style = {"color": color, "width": 2, "shape": "hvh", "dash": dash}
        mode = "lines" if values.size > 1 else "markers"
        return {"type": "scatter", "mode": mode, "y": values, "line": style, "hovertemplate": hover}

    steps = {"range": [-0.5, first.size - 0.5], "nticks": 6, **NUMBER_LABELS}
    numbers = {"nticks": 5, **NUMBER_LABELS}
    caption = f"{_caption(content)}: {content.legend[0]}, {content.legend[1]} (dotted)"
    both = [line(first, COLORS[0]), line(second, COLORS[1], "dot")]
    return [
        Panel(both, LINES[0], NARROW_LINES[0], steps, numbers, caption),
        Panel([line(apart, MUTED)], LINES[1], NARROW_LINES[1], steps, numbers),
    ]
