"""The panels of a figure of attributions that are pictures or run over steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.pixels.levels import levels
from actwidget.analysis.pixels.pooling import magnitude_pooled
from actwidget.figures.attribution.area import HIDDEN, PLAIN_AXIS, Area, Panel, axes_of
from actwidget.figures.attribution.bars import bars_panel
from actwidget.figures.attribution.scale import signed_pixels
from actwidget.figures.attribution.words import text_panel
from actwidget.figures.overlay import Placement
from actwidget.figures.parts.heatmap import reduction_factor
from actwidget.figures.parts.input_image import input_picture
from actwidget.figures.parts.nonfinite import finite_or_nan, nonfinite_cells
from actwidget.figures.parts.palette import MUTED
from actwidget.figures.parts.palette_png import palette_png, rgba_png

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from actwidget.figures.attribution.content import Part
    from actwidget.figures.parts.palette import ColorRange


def panel_of(part: Part, area: Area, color: ColorRange, *, is_signed: bool) -> Panel:
    """A part drawn into an area.

    Args:
        part: What is drawn.
        area: Where.
        color: The range of the colours.
        is_signed: Whether values can be negative.
    """
    match part.kind:
        case "picture":
            return _picture(part, area, color)
        case "text":
            return text_panel(part, area)
        case "bars":
            return bars_panel(part, area, is_signed=is_signed)
        case "steps":
            return _steps(part, area)
        case "signal":
            return _signal(part, area)


def _picture(part: Part, area: Area, color: ColorRange) -> Panel:
    """Values over a picture, or by themselves."""
    values = np.asarray(part.values, np.float32)
    background = None if part.pixels is None else input_picture(_grey(part.pixels, color))
    if part.pixels is None or background is None:
        return _alone(values, area, color)
    height, width = part.pixels.shape[:2]
    uri, drawn = background
    dx, dy = width / drawn[1], height / drawn[0]
    picture = {"type": "image", "source": uri, "dx": dx, "dy": dy, "hoverinfo": "skip", **area.axes}
    picture |= {"x0": (dx - 1) / 2, "y0": (dy - 1) / 2}
    factor = reduction_factor(values.shape)
    shown = magnitude_pooled(values, (factor, factor)) if factor > 1 else values
    place = part.place or Placement.stretched(values.shape, (height, width))
    lies = {
        "x0": place.left + place.across * (factor - 1) / 2,
        "dx": place.across * factor,
        "y0": place.top + place.down * (factor - 1) / 2,
        "dy": place.down * factor,
        **area.axes,
    }
    hover = "row %{y:.0f}, column %{x:.0f}<br>%{z:.4g}<extra></extra>"
    cells = {"type": "heatmap", "z": finite_or_nan(shown), "coloraxis": "coloraxis", "hovertemplate": hover, **lies}
    axes = axes_of(area, *_square(area, (height, width)))
    return Panel([picture, cells, *nonfinite_cells(shown, hoverinfo="skip", **lies)], *axes)


def _square(area: Area, size: tuple[int, int]) -> tuple[dict[str, Any], dict[str, Any]]:
    height, width = size
    across = {**HIDDEN, "constrain": "domain", "constraintoward": "left", "range": [-0.5, width - 0.5]}
    down = {**HIDDEN, "constrain": "domain", "constraintoward": "top", "range": [height - 0.5, -0.5]}
    return across, {**down, "scaleanchor": f"x{area.suffix}"}


def _alone(values: NDArray[np.float32], area: Area, color: ColorRange) -> Panel:
    """A map by itself, one pixel for each value."""
    if color.scale == "balance":
        image = rgba_png(signed_pixels(values, color))
    else:
        image = palette_png(levels(values, color.low, color.high), color.scale)
    picture = {"type": "image", "source": image, "x0": 0, "y0": 0, "dx": 1, "dy": 1, "hoverinfo": "skip", **area.axes}
    return Panel([picture], *axes_of(area, *_square(area, (values.shape[0], values.shape[1]))))


def _grey(pixels: NDArray[Any], color: ColorRange) -> NDArray[Any]:
    """A picture below diverging colours, which could not be told from its own: its brightness alone."""
    if color.scale != "balance" or pixels.shape[-1] == 1:
        return pixels
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    return (pixels.astype(np.float32) @ weights)[..., np.newaxis]


def _steps(part: Part, area: Area) -> Panel:
    """The values of each step and feature: the steps across, the features down."""
    cells = {
        "type": "heatmap",
        "z": np.asarray(part.values, np.float32).T,
        "coloraxis": "coloraxis",
        "hovertemplate": "step %{x}, feature %{y}<br>%{z:.4g}<extra></extra>",
        **area.axes,
    }
    steps, features = part.values.shape
    across = {"title": {"text": "step", "standoff": 2}, **PLAIN_AXIS}
    down = {"title": {"text": "feature", "standoff": 2}, **PLAIN_AXIS}
    across |= {"range": [-0.5, steps - 0.5], "nticks": 8, "tickangle": 0}
    down |= {"range": [features - 0.5, -0.5], "nticks": 6}
    return _labelled(Panel([cells], *axes_of(area, across, down)), area)


def _signal(part: Part, area: Area) -> Panel:
    """The values of each step as colours, below the line of the input where that is one."""
    values = np.asarray(part.values, np.float32)
    line = part.given if part.given is not None and part.given.dtype.kind in "fiu" else None
    low, high = (0.0, 1.0) if line is None else (float(np.nanmin(line)), float(np.nanmax(line)))
    high = high if high > low else low + 1
    pad = 0.06 * (high - low)
    cells = {
        "type": "heatmap",
        "z": values[np.newaxis],
        "y": [low - pad, high + pad],
        "x0": 0,
        "dx": 1,
        "coloraxis": "coloraxis",
        "hovertemplate": "step %{x}<br>%{z:.4g}<extra></extra>",
        **area.axes,
    }
    traces: list[dict[str, Any]] = [cells]
    if line is not None:
        drawn = {"type": "scatter", "mode": "lines", "y": line.astype(np.float32), "line": {"color": MUTED, "width": 2}}
        traces.append({**drawn, "hoverinfo": "skip", **area.axes})
    across = {"title": {"text": "step", "standoff": 2}, **PLAIN_AXIS}
    across |= {"range": [-0.5, len(values) - 0.5], "nticks": 8, "tickangle": 0}
    down = {**PLAIN_AXIS, "range": [low - pad, high + pad]}
    down |= {"nticks": 5} if line is not None else {"showticklabels": False}
    return _labelled(Panel(traces, *axes_of(area, across, down)), area)


def _labelled(panel: Panel, area: Area) -> Panel:
    """The panel with room for the labels of its axes."""
    x, y = f"xaxis{area.suffix}", f"yaxis{area.suffix}"
    panel.layout[x]["domain"] = (area.x[0] + 0.05, area.x[1])
    panel.layout[y]["domain"] = (area.y[0] + 0.09, area.y[1])
    panel.narrow[f"{x}.domain"] = (area.narrow_x[0] + 0.12, area.narrow_x[1])
    panel.narrow[f"{y}.domain"] = (area.narrow_y[0] + 0.07, area.narrow_y[1])
    return panel
