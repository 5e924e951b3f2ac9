"""The panels beside the grid: one channel close up, the strongest units, the histogram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.figures.parts.histogram import histogram_traces
from actwidget.figures.parts.layout import UPRIGHT, needs_upright
from actwidget.figures.parts.palette import ACCENT, MUTED, NAN_CSS, ColorRange, colorscale
from actwidget.figures.parts.text import escape, number, percent, told_apart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from actwidget.analysis.pixels.color_limits import Limits
    from actwidget.figures.activation.figure import View

Panel = tuple[list[dict[str, Any]], dict[str, Any], str]
MAP_LIMIT, CLOSEUP_LIMIT = 256, 192
"""Longer maps are reduced. The values of one close up would take longer than all else, at less than a pixel each."""
TOKENS_LIMIT, CLOSE_TOKENS = 40, 16
"""Of so many steps each is named beside all units; close up so many names have room, of more every second or third."""
TOP = 8
ROOM = 0.8
"""How much of the length of the longest bar below zero a number to the right of it takes where the panel is small."""


def closeup(view: View) -> Panel:
    """The chosen channel (or the mean over all of them) with its values: a map, or a line over time."""
    drawn = view.picture
    noun = view.noun
    if view.channel is None:
        values = drawn.values.mean(axis=0, dtype=np.float32)
        title = f"mean of all {noun}s"
    else:
        values = drawn.values[view.channel].astype(np.float32)
        title = f'<span style="color:{ACCENT}">{noun} {view.channel}</span>'
    if drawn.kind == "sequence":
        line = {
            "type": "scatter",
            "mode": "lines" if values.size > 1 else "markers",
            "y": values[0],
            "line": {"color": ACCENT, "width": 2, "shape": "hvh"},
            "xaxis": "x2",
            "yaxis": "y2",
            "hovertemplate": "step %{x}: %{y:.4g}<extra></extra>",
        }
        steps = {"range": [-0.5, values.size - 0.5], **(step_ticks(view, values.size, close=True) or {})}
        axes: dict[str, dict[str, Any]] = {"xaxis2": steps, "yaxis2": {"scaleanchor": False}}
        return [line, _ends(line), *_broken_steps(values[0])], axes, f"{title} over the steps"
    color = _closeup_color(view, values)
    factor = -(-max(values.shape) // CLOSEUP_LIMIT)
    if factor > 1:
        values, title = largest(values, factor), f"{title}, reduced {factor}× by largest magnitude"
    height, width = values.shape
    heatmap = {
        "type": "heatmap",
        "z": values,
        "coloraxis": "coloraxis",
        "xaxis": "x2",
        "yaxis": "y2",
        "hovertemplate": "row %{y}, column %{x}<br>%{z:.5g}<extra></extra>",
        "meta": "cells",
    }
    place = {"x0": (factor - 1) / 2, "y0": (factor - 1) / 2, "dx": factor, "dy": factor} if factor > 1 else {}
    heatmap |= place
    ends = (-0.5, factor * width - 0.5), (factor * height - 0.5, -0.5)
    hidden = {"visible": False, "constrain": "domain"}
    axes = {
        "xaxis2": {**hidden, "range": ends[0]},
        "yaxis2": {**hidden, "range": ends[1], "scaleanchor": "x2"},
        # An axis of the layout, not the trace's own bar, so that it can move along with its panel.
        "coloraxis": {
            "cmin": color.low,
            "cmax": color.high if color.high > color.low else color.low + 1,
            "colorscale": colorscale(color.scale),
            "colorbar": {"thickness": 8, "x": 1, "xpad": 4, "yanchor": "top", "ypad": 0, "outlinewidth": 0},
        },
    }
    if noun == "head":
        title = f"{title}: target by source"
        heatmap["hovertemplate"] = "target %{y}, source %{x}<br>%{z:.5g}<extra></extra>"
        if factor == 1:
            for name, ticks in _head_ticks(view, values).items():
                axes[name] |= ticks
    if drawn.limits is not None and color is drawn.color:
        axes["coloraxis"]["colorbar"] |= clip_ticks(drawn.limits)
    return [heatmap, *_broken_cells(values, place)], axes, title


def _closeup_color(view: View, values: NDArray[np.float32]) -> ColorRange:
    """The range of the grid's colours, or where those are each channel's own that of the chosen one's tile."""
    drawn = view.picture
    if drawn.scaling != "channel" and view.channel is not None:
        return drawn.color
    color = drawn.color
    if view.channel is not None:
        each = view.numbers.per_channel
        color = ColorRange.of(each.minimum[view.channel], each.maximum[view.channel])
    elif np.isfinite(values).any():
        color = ColorRange.over(values)
    if drawn.color.scale != "balance":
        return color
    bound = max(abs(color.low), abs(color.high))
    return ColorRange(-bound, bound, "balance")


def _head_ticks(view: View, values: NDArray[Any]) -> dict[str, dict[str, Any]]:
    """The axes of attention scores named by tokens, targets down and sources across, where there are tokens."""
    ticks = {"xaxis2": step_ticks(view, values.shape[1], close=True)}
    if (down := step_ticks(view, values.shape[0], close=True)) is not None:
        ticks["yaxis2"] = {**down, "tickangle": 0}
    plain = {"visible": True, "showgrid": False, "zeroline": False}
    return {name: {**axis, **plain} for name, axis in ticks.items() if axis is not None}


def _ends(line: dict[str, Any]) -> dict[str, Any]:
    """The outer halves of the first and the last step, which a line from middle to middle leaves out."""
    values, last = line["y"], len(line["y"]) - 1
    ends = {"x": np.array([-0.5, 0, 0, last, last + 0.5]), "y": values[[0, 0, 0, -1, -1]].astype(np.float32)}
    ends["y"][2] = np.nan
    return {**line, "mode": "lines", "hovertemplate": None, "hoverinfo": "skip", **ends}


def _broken_steps(values: NDArray[np.float32]) -> list[dict[str, Any]]:
    """NaN and infinity in their colour, at the foot of a line that leaves them out."""
    finite = np.isfinite(values)
    if finite.all():
        return []
    marks = {
        "type": "scatter",
        "mode": "markers",
        "x": np.flatnonzero(~finite),
        "y": np.full(np.count_nonzero(~finite), values[finite].min(initial=np.inf if finite.any() else 0)),
        "hovertext": [_in_words(value) for value in values[~finite].tolist()],
        "hovertemplate": "step %{x}: %{hovertext}<extra></extra>",
        "marker": {"color": NAN_CSS, "symbol": "square", "size": 8},
        "cliponaxis": False,
        "xaxis": "x2",
        "yaxis": "y2",
    }
    return [marks]


def clip_ticks(limits: Limits) -> dict[str, Any]:
    """The ticks of a colour bar whose ends say where they stand for more than their own value."""
    if not limits.clipped:
        return {}
    values = np.linspace(limits.low, limits.high, 5)
    texts = [number(float(value)) for value in values]
    texts[0] = f"≤ {texts[0]}" if limits.below else texts[0]
    texts[-1] = f"≥ {texts[-1]}" if limits.above else texts[-1]
    return {"tickmode": "array", "tickvals": values.tolist(), "ticktext": texts}


def _broken_cells(values: NDArray[np.float32], place: dict[str, Any]) -> list[dict[str, Any]]:
    """NaN and infinity in their colour, over a close-up that would leave them empty."""
    finite = np.isfinite(values)
    if finite.all():
        return []
    names = np.where(np.isnan(values), "NaN", np.where(values > 0, "infinity", "-infinity"))
    cells = {
        "type": "heatmap",
        "z": np.where(finite, np.nan, 1).astype(np.float32),
        "text": np.where(finite, "", names).tolist(),
        "colorscale": [[0, NAN_CSS], [1, NAN_CSS]],
        "showscale": False,
        "hoverongaps": False,
        "xaxis": "x2",
        "yaxis": "y2",
        "hovertemplate": "row %{y}, column %{x}<br>%{text}<extra></extra>",
    }
    return [{**cells, **place}]


def step_ticks(view: View, steps: int, *, close: bool = False) -> dict[str, Any] | None:
    """An axis that names the steps by their tokens; `None` where those are other steps or too many to be read.

    Args:
        view: What the figure shows.
        steps: How many steps the axis has.
        close: Whether it is that of a close-up, which has room for fewer and shorter texts.
    """
    if view.tokens is None or len(view.tokens) != steps or steps > TOKENS_LIMIT:
        return None
    every = -(-steps // CLOSE_TOKENS) if close else 1
    places = list(range(0, steps, every))
    texts = [escape(view.tokens[place], 7 if close else 9) for place in places]
    upright = needs_upright(texts, 36 if close else 78)
    angle = {"tickangle": UPRIGHT if upright else 0, "ticklabeloverflow": "allow"}
    return {"tickmode": "array", "tickvals": places, "ticktext": texts, "title": {"text": ""}, **angle}


def masked_steps(view: View, steps: int) -> list[dict[str, Any]]:
    """A veil over the steps that a mask leaves out."""
    if view.mask is None or view.mask.size != steps:
        return []
    edges = np.flatnonzero(np.diff(np.concatenate([[True], view.mask, [True]]).astype(np.int8)))
    return [
        {
            "type": "rect",
            "x0": float(start) - 0.5,
            "x1": float(stop) - 0.5,
            "y0": 0,
            "y1": 1,
            "yref": "y domain",
            "fillcolor": MUTED,
            "opacity": 0.75,
            "line": {"width": 0},
        }
        for start, stop in edges.reshape(-1, 2)
    ]


def largest(values: NDArray[Any], factor: int | tuple[int, int]) -> NDArray[np.float32]:
    """A map reduced by a whole factor: each square of values to the one of largest magnitude, a NaN before all.

    Args:
        values: Shape `(rows, columns)`.
        factor: How many rows and columns become one; two numbers where they differ.
    """
    down, across = (factor, factor) if isinstance(factor, int) else factor
    pad = [(0, -values.shape[0] % down), (0, -values.shape[1] % across)]
    height, width = (length + extra for length, (_, extra) in zip(values.shape, pad, strict=True))
    squares = np.pad(values, pad).reshape(height // down, down, width // across, across).swapaxes(1, 2)
    blocks = squares.reshape(height // down, width // across, -1)
    index = np.where(np.isnan(blocks), np.inf, np.abs(blocks)).argmax(axis=-1)  # a lone NaN is not to be lost
    result: NDArray[np.float32] = np.take_along_axis(blocks, index[..., np.newaxis], axis=-1)[..., 0]
    return result


def bars(view: View) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, Any]]:
    """A vector's units as bars in their order."""
    drawn = view.picture
    units = drawn.order.tolist()
    values = drawn.values[:, 0, 0].astype(np.float32)[drawn.order]
    marker = bar_marker([unit == view.channel for unit in units])
    bar: dict[str, Any] = {
        "type": "bar",
        "x": np.arange(len(values)),
        "y": values,
        "customdata": [[unit] for unit in units],
        "marker": marker,
        "hovertemplate": "<b>unit %{customdata[0]}</b><br>%{y:.5g}<extra></extra>",
    }
    if not np.isfinite(values).all():
        bar |= broken_bars(values, marker)
        bar |= {"hovertemplate": "<b>unit %{customdata[0]}</b><br>%{hovertext}<extra></extra>"}
    few = len(values) <= 32
    ticks = {
        "tickmode": "array",
        "tickvals": list(range(len(values))),
        "ticktext": _marked([str(unit) for unit in units], units, view.channel),
    }
    hide = {"showticklabels": view.order_name == "index"}
    axes = {
        "xaxis": {
            "title": {"text": "unit" if view.order_name == "index" or few else "units, in order"},
            "showgrid": False,
            "range": [-0.6, len(values) - 0.4],
            **(ticks if few else hide),
        },
        "yaxis": {"title": {"text": "activation"}, "scaleanchor": False},
    }
    return [bar], [], axes


def bar_marker(marked: Sequence[bool]) -> dict[str, Any]:
    """The colours and outlines of bars: one that is marked is seen by its outline also where it has no length."""
    colors = [ACCENT if each else MUTED for each in marked]
    return {"color": colors, "line": {"width": [2 if each else 0 for each in marked], "color": colors}}


def broken_bars(values: NDArray[Any], marker: dict[str, Any]) -> dict[str, Any]:
    """What of a trace of bars is other where some are NaN or infinity: these are seen, in their colour and by name."""
    finite = np.isfinite(values)
    told = [f"{value:.5g}" if np.isfinite(value) else _in_words(value) for value in values.tolist()]
    return {
        "y": _bounded(values),
        "marker": _broken_marks(marker, finite),
        "hovertext": told,
        "text": ["" if good else text for text, good in zip(told, finite.tolist(), strict=True)],
        "textposition": "inside",
        "insidetextanchor": "middle",
    }


def _marked(texts: list[str], units: list[int], channel: int | None) -> list[str]:
    """The names of units, the chosen one's in the colour of what is chosen."""
    pairs = zip(texts, units, strict=True)
    return [f'<span style="color:{ACCENT}">{text}</span>' if unit == channel else text for text, unit in pairs]


def _in_words(value: float) -> str:
    """What is no finite number."""
    return "NaN" if np.isnan(value) else "infinity" if value > 0 else "-infinity"


def _bounded(values: NDArray[Any]) -> NDArray[Any]:
    """Lengths of bars: NaN and infinity are as long as the longest of the others."""
    finite = np.isfinite(values)
    longest = float(np.abs(values[finite]).max(initial=0)) or 1.0
    return np.where(finite, values, np.where(values == -np.inf, -longest, longest)).astype(values.dtype)


def _broken_marks(marker: dict[str, Any], finite: NDArray[np.bool_]) -> dict[str, Any]:
    """The colours of bars, those of NaN and infinity in theirs; the outline still marks the chosen one."""
    colors = [color if good else NAN_CSS for color, good in zip(marker["color"], finite.tolist(), strict=True)]
    return {**marker, "color": colors}


def top_units(view: View) -> Panel:
    """The units of a vector with the largest values, by name where there are names; of a binary head both classes."""
    values = view.picture.values[:, 0, 0].astype(np.float64)
    if view.binary:
        return _ranked(view, np.concatenate([1 - values, values]), "class")
    return _ranked(view, values, "unit")


def _ranked(view: View, values: NDArray[np.float64], noun: str) -> Panel:
    """The largest of some values as bars with their names."""
    units = np.argsort(-np.where(np.isnan(values), -np.inf, values), kind="stable")[:TOP]
    chosen = None if view.binary else view.channel  # of two classes neither is a unit
    wanted = [unit for unit in (view.label, chosen) if unit is not None and unit not in units]
    units = np.append(units[: TOP - len(set(wanted))], list(dict.fromkeys(wanted))).astype(np.intp)
    names = view.class_names
    labels = [f"{noun} {unit}" for unit in units.tolist()]
    if names is not None:
        labels = told_apart([names[unit] for unit in units.tolist()], 20)
    labels = [f"✓ {text}" if unit == view.label else text for unit, text in zip(units.tolist(), labels, strict=True)]
    colors = [ACCENT if unit == chosen else MUTED for unit in units.tolist()]
    shown = values[units]
    texts = [number(value) if np.isfinite(value) else _in_words(value) for value in shown.tolist()]
    lengths = _bounded(shown)
    beside = np.flatnonzero(lengths <= 0)
    bar = {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(units))),
        "x": lengths.tolist(),
        "text": ["" if length <= 0 else text for length, text in zip(lengths.tolist(), texts, strict=True)],
        "textposition": "auto",
        "customdata": [[0 if view.binary else unit] for unit in units.tolist()],
        # A value of zero is seen where its bar has an outline.
        "marker": _broken_marks({"color": colors, "line": {"width": 1, "color": colors}}, np.isfinite(shown)),
        "xaxis": "x2",
        "yaxis": "y2",
        "hovertext": [f"{value:.5g}" if np.isfinite(value) else _in_words(value) for value in shown.tolist()],
        "hovertemplate": f"{'%{y}' if view.binary else 'unit %{customdata[0]}'}<br>%{{hovertext}}<extra></extra>",
        "cliponaxis": False,
    }
    # At a bar of length zero Plotly writes nothing, and left of one below zero it would write over the names.
    written: dict[str, Any] = {
        "type": "scatter",
        "mode": "text",
        "x": [0.0] * len(beside),
        "y": beside.tolist(),
        "hoverinfo": "skip",
    }
    written |= {"text": [f"\u00a0{texts[row]}" for row in beside], "textposition": "middle right", "cliponaxis": False}
    axes = {
        "xaxis2": {"showgrid": False, "zeroline": False, "showticklabels": False, "range": _with_room(lengths)},
        "yaxis2": {
            "range": [len(units) - 0.4, -0.6],
            "tickmode": "array",
            "tickvals": list(range(len(units))),
            "ticktext": _marked(labels, units.tolist(), chosen),
            "showgrid": False,
            "scaleanchor": False,
        },
    }
    title = "top classes" if names is not None or view.binary else "strongest units"
    if view.label is not None:
        title += ", ✓ the true one"
    return [bar, {**written, "xaxis": "x2", "yaxis": "y2"}] if beside.size else [bar], axes, title


def _with_room(lengths: NDArray[Any]) -> list[float]:
    """The range of bars, with room for the numbers that are written to the right of zero."""
    low, high = float(lengths.min(initial=0)), float(lengths.max(initial=0))
    needed = ROOM * -low
    return [low, (high if high >= needed else high + needed) or 1.0]


def distribution(view: View) -> Panel:
    """The histogram of the values, exact zeros (and a spike at the upper bound) counted apart and written out."""
    histogram = view.histogram
    total = max(histogram.size, 1)  # as the numbers below the figure count it
    own, told = None, "%{x:.4g}: %{z:.2%} of the layer"
    zeros = f"zeros {percent(histogram.zeros / total)} of the layer"
    upper = f"at the bound {percent(histogram.at_upper / total)}" if histogram.at_upper else ""
    if histogram.channel_counts is not None and view.picture.values[0].size > 1:
        count = max(histogram.channel_size, 1)
        own = histogram.channel_counts / count
        told += "<br>%{customdata[0]:.2%} of the channel"
        zeros += (
            f",<br>{percent(histogram.channel_zeros / count)} of the channel"  # in one line it is cut on a small page
        )
        if upper or histogram.channel_at_upper:
            upper = f"at the bound {percent(histogram.at_upper / total)}, {percent(histogram.channel_at_upper / count)}"
    title = f"{zeros}<br>{upper}" if upper else zeros
    traces, heights = histogram_traces(histogram.edges, histogram.counts / total, told, own, xaxis="x3", yaxis="y3")
    axes = {
        "xaxis3": {
            "title": {"text": "activation, no zeros" if histogram.zeros else "activation"},
            "showgrid": False,
        },
        "yaxis3": {"tickformat": "~%", "range": heights, "nticks": 4},
    }
    return traces, axes, title
