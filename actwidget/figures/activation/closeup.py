"""The panel of one channel close up with its values: a map, or a line over the steps of a sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.pixels.pooling import magnitude_pooled
from actwidget.figures.activation.steps import step_ticks
from actwidget.figures.panels import Panel
from actwidget.figures.parts.heatmap import cell_positions, color_axis, reduction_factor
from actwidget.figures.parts.nonfinite import nonfinite_cells, nonfinite_names
from actwidget.figures.parts.palette import ACCENT, NAN_CSS, ColorRange
from actwidget.figures.parts.text import colored, plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from actwidget.figures.activation.content import ActivationContent

CLOSEUP_LIMIT = 192
"""Longer maps are reduced: sending more values would take longer than everything else, for cells below a pixel."""
HEAD_TOKENS = 8
"""How many tokens have room beside and below the scores of an attention head."""
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
        if drawn.constant is not None and drawn.constant[content.channel]:
            caption += f", {plain(float(content.statistics.per_channel.minimum[content.channel]))} everywhere"
    if drawn.kind == "sequence":
        return _line(content, values[0], f"{caption} over the steps")
    return _map(content, values, caption)


def closeup_reduction(content: ActivationContent) -> int:
    """By which factor the close-up's map is reduced."""
    if content.picture.kind in {"units", "scalar", "sequence"}:
        return 1
    return reduction_factor(content.picture.values.shape[1:], CLOSEUP_LIMIT)


def closeup_color(content: ActivationContent) -> ColorRange:
    """The range of the close-up's colours: that of the channel's values or, of the mean, of what is drawn."""
    if content.channel is None:
        return ColorRange.over(content.picture.values.mean(axis=0, dtype=np.float32))
    each = content.statistics.per_channel
    return ColorRange.of(each.minimum[content.channel], each.maximum[content.channel])


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
    return Panel([line, _outer_half_steps(line), *_nonfinite_steps(values)], axes, (caption,))


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
    color = closeup_color(content)
    factor = closeup_reduction(content)
    if factor > 1:
        values = magnitude_pooled(values, (factor, factor))
    height, width = values.shape
    positions = cell_positions(factor)
    is_head = content.channel_label == "head"
    hover = "query %{y}, key %{x}" if is_head else "row %{y}, column %{x}"
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
    axes: dict[str, dict[str, Any]] = {
        "xaxis2": {**hidden, "range": (-0.5, factor * width - 0.5), "constraintoward": "left"},
        "yaxis2": {**hidden, "range": (factor * height - 0.5, -0.5), "scaleanchor": "x2"},
        "coloraxis": color_axis(color),
    }
    if is_head:
        caption = f"{caption}, query ↓ key →"
        if factor == 1:
            for name, ticks in _token_axes(content, values).items():
                axes[name] |= ticks
    return Panel([heatmap, *_nonfinite_map(values, positions)], axes, (caption,))


def _token_axes(content: ActivationContent, scores: NDArray[Any]) -> dict[str, dict[str, Any]]:
    """The axes of attention scores named by tokens, targets down and sources across, where there are tokens."""
    ticks = {"xaxis2": step_ticks(content, scores.shape[1], in_closeup=True, most=HEAD_TOKENS)}
    if (down := step_ticks(content, scores.shape[0], in_closeup=True, most=HEAD_TOKENS)) is not None:
        ticks["yaxis2"] = {**down, "tickangle": 0}
    shown = {"visible": True, "showgrid": False, "zeroline": False}
    return {name: {**axis, **shown} for name, axis in ticks.items() if axis is not None}


def _nonfinite_map(values: NDArray[np.float32], positions: dict[str, float]) -> list[dict[str, Any]]:
    """NaN and infinity in their colour and by name, over a map that leaves them empty."""
    finite = np.isfinite(values)
    if finite.all():
        return []
    names = np.where(finite, "", nonfinite_names(values)).tolist()
    hover = "row %{y}, column %{x}<br>%{text}<extra></extra>"
    return nonfinite_cells(values, text=names, **AXES, hovertemplate=hover, **positions)
