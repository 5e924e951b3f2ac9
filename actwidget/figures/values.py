"""Values that are read rather than seen: texts, flags and labels, and one number a sample."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.categories import categories, text_of
from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.figures.activation.panels import MAP_LIMIT, bar_marker, broken_bars, largest
from actwidget.figures.parts.layout import HEIGHT, LINE_LIMIT, plain
from actwidget.figures.parts.nonfinite import in_their_colour
from actwidget.figures.parts.palette import ACCENT, MUTED
from actwidget.figures.parts.text import NARROW_LIMIT, between, escape, number, percent, stacked
from actwidget.figures.parts.tiles import outline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Okabe and Ito's colours, which people with any kind of colour vision tell apart; a violet is in place of their black,
# which would vanish on a dark page.
CATEGORY_COLORS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#8c6bb1")
ROWS = 200
COLUMNS = 12
LINE = 24
GAP = " &nbsp; "
LEGEND_LINE = 16


@ignore_float_errors
def values_spec(
    title: str, sample: NDArray[Any], *, number_of: int | None = None, channel: int | None = None
) -> dict[str, Any]:
    """The figure of a sample that names things, as a dict of `data` and `layout`.

    A picture of few distinct integers, booleans or texts is drawn in a colour for each, with a legend in words;
    anything else is a table of its values.

    Args:
        title: The layer's path.
        sample: One sample, of any shape and dtype.
        number_of: The number of the sample, for the title; `None` where there is only one.
        channel: Which channel of a picture with several is drawn and counted, by default the first; of a sequence,
            shape `(steps, units)`, which column is outlined.

    Returns:
        A dict of `data` and `layout`.
    """
    sample = np.asarray(sample)
    found = categories(sample)
    parts = [escape(title, NARROW_LIMIT)]
    if number_of is not None:
        parts.append(f"sample {number_of}")
    if found is not None and sample.ndim in {2, 3} and min(sample.shape[:2]) > 1 and sample.size > COLUMNS:
        index = found.index
        if sample.ndim == 3:
            index = index[..., channel or 0]
            if (count := sample.shape[-1]) > 1:
                parts.append(
                    f"the first of {count:,} channels" if channel is None else f"channel {channel} of {count:,}"
                )
        height = index.shape[0]
        marks = (
            [outline((channel - 0.5, -0.5, channel + 0.5, height - 0.5))]
            if sample.ndim == 2 and channel is not None
            else []
        )
        return _categorical(parts, found.names, index, marks)
    return _table(parts, sample)


@ignore_float_errors
def scalar_spec(
    title: str,
    values: NDArray[Any],
    *,
    sample: int | None = None,
    names: Sequence[str] | None = None,
    meaning: str = "activation",
) -> dict[str, Any]:
    """One number a sample over the whole batch, as a dict of `data` and `layout`: bars, or a line for very many.

    Each point's `customdata` is `["sample", index]`.

    Args:
        title: The layer's path.
        values: The numbers, shape `(samples,)` or `(samples, 1)`.
        sample: The sample that is marked.
        names: What the samples are called.
        meaning: What the numbers are.

    Returns:
        A dict of `data` and `layout`.
    """
    line = np.asarray(values).reshape(-1).astype(np.float32)
    many = line.size > ROWS
    finite = line[np.isfinite(line)]
    parts = [escape(title, NARROW_LIMIT), f"{line.size:,} sample{'s' * (line.size != 1)}"]
    if finite.size:
        parts.append(between(float(finite.min()), float(finite.max())))
    if finite.size < line.size:
        parts.append(in_their_colour(f"{line.size - finite.size:,} NaN or infinite"))
    if sample is not None:
        parts.append(f'<span style="color:{ACCENT}">sample {sample}: {number(float(line[sample]))}</span>')
    shown = (
        [escape(str(name), 24) for name in names] if names is not None else [f"sample {i}" for i in range(line.size)]
    )
    trace: dict[str, Any] = {
        "x": np.arange(line.size, dtype=np.int32),
        "y": line,
        "customdata": [["sample", index] for index in range(line.size)],
        "hovertext": [f"<b>{name}</b><br>{value:.5g}" for name, value in zip(shown, line.tolist(), strict=True)],
        "hoverinfo": "text",
    }
    if many:
        trace |= {"type": "scatter", "mode": "lines", "line": {"color": MUTED, "width": 1}}
    else:
        marker = bar_marker([index == sample for index in range(line.size)])
        trace |= {"type": "bar", "marker": {**marker, "line": {"width": 0}}}
        if finite.size < line.size:
            trace |= {**broken_bars(line, marker), "hovertext": trace["hovertext"]}
    traces = [trace]
    if many and sample is not None:
        dot = {"type": "scatter", "mode": "markers", "x": [sample], "y": line[sample : sample + 1]}
        traces.append({**dot, "marker": {"color": ACCENT, "size": 9}, "hoverinfo": "skip"})
    x_axis: dict[str, Any] = {"title": {"text": "sample", "standoff": 4}, "showgrid": False, "zeroline": False}
    x_axis |= {"fixedrange": True, "range": [-0.6, max(line.size, 1) - 0.4]}
    if line.size <= 32:
        ticks = shown if names is not None else [str(index) for index in range(line.size)]
        x_axis |= {"tickmode": "array", "tickvals": list(range(line.size)), "ticktext": ticks}
    y_axis = {"title": {"text": escape(meaning, 40), "standoff": 4}, "fixedrange": True}
    margin = {"l": 56, "r": 16, "t": 30, "b": 56 if names is not None else 36}
    return {"data": traces, "layout": plain(" · ".join(parts), margin=margin, xaxis=x_axis, yaxis=y_axis, bargap=0.1)}


def _categorical(
    parts: list[str], names: Sequence[str], index: NDArray[np.intp], marks: list[dict[str, Any]]
) -> dict[str, Any]:
    count = len(names)
    counts = np.bincount(index.ravel(), minlength=count)
    colors = CATEGORY_COLORS[:count]
    edges = np.linspace(0, 1, count + 1).tolist()
    scale = [[edge, color] for color, ends in zip(colors, pairwise(edges), strict=True) for edge in ends]
    words = [
        # A page's text can be see-through; the cells are not.
        f'<span style="color:{color};fill-opacity:1">■</span> {escape(name, 24)}: {percent(float(n) / index.size)}'
        for color, name, n in zip(colors, names, counts.tolist(), strict=True)
    ]
    height, width = index.shape
    distinct = int(np.count_nonzero(counts))
    parts = [parts[0], f"{distinct} distinct value{'s' * (distinct != 1)}", *parts[1:]]
    place: dict[str, float] = {}
    if (factor := -(-max(index.shape) // MAP_LIMIT)) > 1:
        rarest_last = np.argsort(-counts, kind="stable")
        rank = np.argsort(rarest_last).astype(np.float32)
        index = rarest_last[largest(rank[index], factor).astype(np.intp)]  # a lone value is not to be lost
        place = {"x0": (factor - 1) / 2, "y0": (factor - 1) / 2, "dx": factor, "dy": factor}
        parts.append(f"reduced {factor}× to the rarest value")
    trace = {
        "type": "heatmap",
        "z": index.astype(np.int32),
        "zmin": -0.5,
        "zmax": count - 0.5,
        "colorscale": scale,
        "showscale": False,
        "text": [[escape(names[cell], 40) for cell in row] for row in index.tolist()],
        "hovertemplate": "row %{y}, column %{x}<br>%{text}<extra></extra>",
        **place,
    }
    hidden = {"visible": False, "constrain": "domain", "fixedrange": True}
    axes: dict[str, Any] = {
        "xaxis": {**hidden, "range": [-0.5, width - 0.5]},
        "yaxis": {**hidden, "range": [height - 0.5, -0.5], "scaleanchor": "x"},
    }
    # The legend stands in lines of its own: on a narrow page the title would cut it.
    lines, stack = (
        [line.replace(" · ", GAP) for line in stacked(" · ".join(words), most)] for most in (LINE_LIMIT, NARROW_LIMIT)
    )
    legend = {"text": "<br>".join(lines), "x": 0, "y": 0, "xref": "paper", "yref": "paper", "xanchor": "left"}
    legend |= {"yanchor": "top", "yshift": -6, "showarrow": False, "align": "left", "font": {"size": 12}}
    more, narrow_more = (LEGEND_LINE * (len(each) - 1) for each in (lines, stack))
    narrow = {"annotations[0].text": "<br>".join(stack), "margin.b": 36 + narrow_more, "height": HEIGHT + narrow_more}
    look: dict[str, Any] = {
        "height": HEIGHT + more,
        "margin": {"l": 8, "r": 8, "t": 30, "b": 36 + more},
        "meta": {"narrow": narrow},
    }
    return {"data": [trace], "layout": plain(" · ".join(parts), annotations=[legend], shapes=marks, **look, **axes)}


def _table(parts: list[str], sample: NDArray[Any]) -> dict[str, Any]:
    """All values of a short sample; of a long one the first rows and columns, which the title says."""
    rows = sample.reshape(-1, 1) if sample.ndim < 2 else sample.reshape(-1, sample.shape[-1])
    shown = rows[:ROWS, :COLUMNS]
    if shown.shape != rows.shape:
        cut = [f"{got:,} of {whole:,} {noun}" for got, whole, noun in _cuts(shown.shape, rows.shape) if got != whole]
        parts.append("the first " + ", ".join(cut))
    shape = " × ".join(map(str, sample.shape)) or "scalar"
    parts.insert(1, f"{shape} of {_dtype(sample)}")
    if sample.ndim < 2:
        index = [str(row) for row in range(len(shown))]
    else:
        index = [" ".join(map(str, np.unravel_index(row, sample.shape[:-1]))) for row in range(len(shown))]
    cells = [index, *([escape(text_of(item), 60) for item in column] for column in shown.T)]
    heads = ["", *(["value"] if sample.ndim < 2 else [str(column) for column in range(shown.shape[1])])]
    line = {"color": MUTED, "width": 0.5}
    look = {"align": "left", "fill": {"color": "rgba(0,0,0,0)"}, "line": line, "height": LINE}
    trace = {
        "type": "table",
        "header": {"values": [f"<b>{head}</b>" for head in heads], **look},
        "cells": {"values": cells, **look},
        "columnwidth": [1, *([3] * shown.shape[1])],
    }
    tall = LINE * (len(shown) + 1) + 60
    return {"data": [trace], "layout": plain(" · ".join(parts), height=int(min(max(tall, HEIGHT // 2), HEIGHT)))}


def _cuts(shown: tuple[int, ...], whole: tuple[int, ...]) -> list[tuple[int, int, str]]:
    return [(shown[0], whole[0], "rows"), (shown[1], whole[1], "columns")]


def _dtype(sample: NDArray[Any]) -> str:
    return "text" if sample.dtype.kind in "USOT" else sample.dtype.name
