"""The panel of one channel close up with its values: a map, or a line over the steps of a sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.pixels.pooling import magnitude_pooled
from actwidget.figures.activation.layout import Panel
from actwidget.figures.activation.steps import step_ticks
from actwidget.figures.parts.heatmap import cell_positions, color_axis, reduction_factor, value_ticks
from actwidget.figures.parts.nonfinite import nonfinite_cells, nonfinite_names
from actwidget.figures.parts.palette import ACCENT, NAN_CSS, ColorRange
from actwidget.figures.parts.text import colored, reduction_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from actwidget.analysis.pixels.color_limits import Limits
    from actwidget.figures.activation.content import ActivationContent

CLOSEUP_LIMIT = 192
"""Longer maps are reduced: sending more values would take longer than everything else, for cells below a pixel."""
AXES = {"xaxis": "x2", "yaxis": "y2"}


def closeup(content: ActivationContent) -> Panel:
    """The chosen channel, or the mean over all channels."""
    drawn = content.picture
    label = content.channel_label
    if content.channel is None:
        values = drawn.values.mean(axis=0, dtype=np.float32)
        caption = f"mean of all {label}s"
    else:
        values = drawn.values[content.channel].astype(np.float32)
        caption = colored(f"{label} {content.channel}", ACCENT)
    if drawn.kind == "sequence":
        return _line(content, values[0], f"{caption} over the steps")
    return _map(content, values, caption)


def _line(content: ActivationContent, values: NDArray[np.float32], caption: str) -> Panel:
    """One unit over the steps of a sequence."""
    line = {
        "type": "scatter",
        "mode": "lines" if values.size > 1 else "markers",
        "y": values,
        "line": {"color": ACCENT, "width": 2, "shape": "hvh"},
        **AXES,
        "hovertemplate": "step %{x}: %{y:.4g}<extra></extra>",
    }
    steps = {"range": [-0.5, values.size - 0.5], **(step_ticks(content, values.size, in_closeup=True) or {})}
    axes: dict[str, dict[str, Any]] = {"xaxis2": steps, "yaxis2": {"scaleanchor": False}}
    return Panel([line, _outer_half_steps(line), *_nonfinite_steps(values)], axes, caption)


def _outer_half_steps(line: dict[str, Any]) -> dict[str, Any]:
    """The outer halves of the first and the last step: the line itself goes from the middle of one to the other's."""
    values, last = line["y"], len(line["y"]) - 1
    ends = {"x": np.array([-0.5, 0, 0, last, last + 0.5]), "y": values[[0, 0, 0, -1, -1]].astype(np.float32)}
    ends["y"][2] = np.nan
    return {**line, "mode": "lines", "hovertemplate": None, "hoverinfo": "skip", **ends}


def _nonfinite_steps(values: NDArray[np.float32]) -> list[dict[str, Any]]:
    """Marks for NaN and infinity, at the lowest value of the line, which leaves them out."""
    finite = np.isfinite(values)
    if finite.all():
        return []
    marks = {
        "type": "scatter",
        "mode": "markers",
        "x": np.flatnonzero(~finite),
        "y": np.full(np.count_nonzero(~finite), values[finite].min(initial=np.inf if finite.any() else 0)),
        "hovertext": nonfinite_names(values[~finite]).tolist(),
        "hovertemplate": "step %{x}: %{hovertext}<extra></extra>",
        "marker": {"color": NAN_CSS, "symbol": "square", "size": 8},
        "cliponaxis": False,
        **AXES,
    }
    return [marks]


def _map(content: ActivationContent, values: NDArray[np.float32], caption: str) -> Panel:
    """One feature map, or the scores of one attention head."""
    drawn = content.picture
    color = _color_range(content, values)
    factor = reduction_factor(values.shape, CLOSEUP_LIMIT)
    if factor > 1:
        values, caption = magnitude_pooled(values, (factor, factor)), f"{caption}, {reduction_text(factor)}"
    height, width = values.shape
    positions = cell_positions(factor)
    is_head = content.channel_label == "head"
    hover = "target %{y}, source %{x}" if is_head else "row %{y}, column %{x}"
    heatmap = {
        "type": "heatmap",
        "z": values,
        "coloraxis": "coloraxis",
        **AXES,
        "hovertemplate": f"{hover}<br>%{{z:.5g}}<extra></extra>",
        "meta": "cells",
        **positions,
    }
    hidden = {"visible": False, "constrain": "domain"}
    bar = {"thickness": 8, "x": 1, "xpad": 4, "yanchor": "top", "ypad": 0, "outlinewidth": 0}
    axes: dict[str, dict[str, Any]] = {
        "xaxis2": {**hidden, "range": (-0.5, factor * width - 0.5)},
        "yaxis2": {**hidden, "range": (factor * height - 0.5, -0.5), "scaleanchor": "x2"},
        "coloraxis": {**color_axis(color), "showscale": True, "colorbar": bar},
    }
    if is_head:
        caption = f"{caption}: target by source"
        if factor == 1:
            for name, ticks in _token_axes(content, values).items():
                axes[name] |= ticks
    if drawn.limits is not None and color is drawn.color:
        bar |= _clipped_ticks(drawn.limits)
    return Panel([heatmap, *_nonfinite_map(values, positions)], axes, caption)


def _color_range(content: ActivationContent, values: NDArray[np.float32]) -> ColorRange:
    """The range of the grid's colours; where each channel has its own, that of the chosen channel's tile."""
    drawn = content.picture
    if drawn.scaling != "channel" and content.channel is not None:
        return drawn.color
    color = drawn.color
    if content.channel is not None:
        each = content.statistics.per_channel
        color = ColorRange.of(each.minimum[content.channel], each.maximum[content.channel])
    elif np.isfinite(values).any():
        color = ColorRange.over(values)
    if drawn.color.scale != "balance":
        return color
    bound = max(abs(color.low), abs(color.high))
    return ColorRange(-bound, bound, "balance")


def _token_axes(content: ActivationContent, scores: NDArray[Any]) -> dict[str, dict[str, Any]]:
    """The axes of attention scores named by tokens, targets down and sources across, where there are tokens."""
    ticks = {"xaxis2": step_ticks(content, scores.shape[1], in_closeup=True)}
    if (down := step_ticks(content, scores.shape[0], in_closeup=True)) is not None:
        ticks["yaxis2"] = {**down, "tickangle": 0}
    shown = {"visible": True, "showgrid": False, "zeroline": False}
    return {name: {**axis, **shown} for name, axis in ticks.items() if axis is not None}


def _clipped_ticks(limits: Limits) -> dict[str, Any]:
    """The ticks of a colour bar whose ends stand for all values beyond them too, and say so."""
    if not limits.clipped:
        return {}
    ticks = value_ticks(limits.low, limits.high, 5)
    texts = ticks["ticktext"]
    texts[0] = f"≤ {texts[0]}" if limits.below else texts[0]
    texts[-1] = f"≥ {texts[-1]}" if limits.above else texts[-1]
    return ticks


def _nonfinite_map(values: NDArray[np.float32], positions: dict[str, float]) -> list[dict[str, Any]]:
    """NaN and infinity in their colour and by name, over a map that leaves them empty."""
    finite = np.isfinite(values)
    if finite.all():
        return []
    names = np.where(finite, "", nonfinite_names(values)).tolist()
    hover = "row %{y}, column %{x}<br>%{text}<extra></extra>"
    return nonfinite_cells(values, text=names, **AXES, hovertemplate=hover, **positions)
