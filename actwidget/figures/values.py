"""Values that name things: labels, flags and texts, as a picture with a colour for each or as a table."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.categories import categories, text_of
from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.pixels.pooling import magnitude_pooled
from actwidget.figures.parts.heatmap import cell_positions, reduction_factor
from actwidget.figures.parts.layout import HEIGHT, LINE, LINE_LIMIT, base_layout
from actwidget.figures.parts.marks import outlined
from actwidget.figures.parts.palette import MUTED
from actwidget.figures.parts.text import NARROW_LIMIT, escape, percent, reduction_text, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Okabe and Ito's colours, distinct for people with any kind of colour vision; violet replaces black, which would not be
# visible on a dark page.
CATEGORY_COLORS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#8c6bb1")
ROWS, COLUMNS = 200, 12
"""How many rows and columns of a table are shown."""
ROW = 24
"""The height of a row of a table, in pixels."""
GAP = " &nbsp; "


@ignore_float_errors
def values_spec(
    title: str, sample: NDArray[Any], *, sample_number: int | None = None, channel: int | None = None
) -> dict[str, Any]:
    """The figure of a sample that names things, as a dict of `data` and `layout`.

    A picture of few distinct integers, booleans or texts is drawn in a colour for each, with a legend in words;
    anything else is a table of its values.

    Args:
        title: The layer's path.
        sample: One sample, of any shape and dtype.
        sample_number: The number of the sample, for the title; `None` where there is only one.
        channel: Which channel of a picture with several is drawn and counted, by default the first; of a sequence,
            shape `(steps, units)`, which column is outlined.

    Returns:
        A dict of `data` and `layout`.
    """
    sample = np.asarray(sample)
    found = categories(sample)
    parts = [escape(title, NARROW_LIMIT)]
    if sample_number is not None:
        parts.append(f"sample {sample_number}")
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
            outlined((channel - 0.5, -0.5, channel + 0.5, height - 0.5))
            if sample.ndim == 2 and channel is not None
            else []
        )
        return _categorical(parts, found.names, index, marks)
    return _table(parts, sample)


def _categorical(
    parts: list[str], names: Sequence[str], index: NDArray[np.intp], marks: list[dict[str, Any]]
) -> dict[str, Any]:
    count = len(names)
    counts = np.bincount(index.ravel(), minlength=count)
    colors = CATEGORY_COLORS[:count]
    edges = np.linspace(0, 1, count + 1).tolist()
    scale = [[edge, color] for color, ends in zip(colors, pairwise(edges), strict=True) for edge in ends]
    words = [
        # The text of a page can be translucent; the cells are not.
        f'<span style="color:{color};fill-opacity:1">■</span> {escape(name, 24)}: {percent(float(n) / index.size)}'
        for color, name, n in zip(colors, names, counts.tolist(), strict=True)
    ]
    height, width = index.shape
    distinct = int(np.count_nonzero(counts))
    parts = [parts[0], f"{distinct} distinct value{'s' * (distinct != 1)}", *parts[1:]]
    factor = reduction_factor(index.shape)
    if factor > 1:
        rarest_last = np.argsort(-counts, kind="stable")
        rank = np.argsort(rarest_last).astype(np.float32)
        index = rarest_last[
            magnitude_pooled(rank[index], (factor, factor)).astype(np.intp)
        ]  # keeps single cells visible
        parts.append(reduction_text(factor, kept="rarest"))
    texts = [escape(name, 40) for name in names]
    trace = {
        "type": "heatmap",
        "z": index.astype(np.int32),
        "zmin": -0.5,
        "zmax": count - 0.5,
        "colorscale": scale,
        "showscale": False,
        "text": [[texts[cell] for cell in row] for row in index.tolist()],
        "hovertemplate": "row %{y}, column %{x}<br>%{text}<extra></extra>",
        **cell_positions(factor),
    }
    hidden = {"visible": False, "constrain": "domain", "fixedrange": True}
    axes: dict[str, Any] = {
        "xaxis": {**hidden, "range": [-0.5, width - 0.5]},
        "yaxis": {**hidden, "range": [height - 0.5, -0.5], "scaleanchor": "x"},
    }
    # The legend has its own lines: as a part of the title it would be cut on a narrow page.
    lines, narrow_lines = (
        [line.replace(" · ", GAP) for line in wrapped(" · ".join(words), most)] for most in (LINE_LIMIT, NARROW_LIMIT)
    )
    legend = {"text": "<br>".join(lines), "x": 0, "y": 0, "xref": "paper", "yref": "paper", "xanchor": "left"}
    legend |= {"yanchor": "top", "yshift": -6, "showarrow": False, "align": "left", "font": {"size": 12}}
    extra, narrow_extra = (LINE * (len(each) - 1) for each in (lines, narrow_lines))
    narrow = {
        "annotations[0].text": "<br>".join(narrow_lines),
        "margin.b": 36 + narrow_extra,
        "height": HEIGHT + narrow_extra,
    }
    look: dict[str, Any] = {
        "height": HEIGHT + extra,
        "margin": {"l": 8, "r": 8, "t": 30, "b": 36 + extra},
        "meta": {"narrow": narrow},
    }
    return {
        "data": [trace],
        "layout": base_layout(" · ".join(parts), annotations=[legend], shapes=marks, **look, **axes),
    }


def _table(parts: list[str], sample: NDArray[Any]) -> dict[str, Any]:
    """All values of a short sample; of a long one the first rows and columns, which the title says."""
    rows = sample.reshape(-1, 1) if sample.ndim < 2 else sample.reshape(-1, sample.shape[-1])
    shown = rows[:ROWS, :COLUMNS]
    if shown.shape != rows.shape:
        cut = [f"{got:,} of {whole:,} {axis}" for got, whole, axis in _cuts(shown.shape, rows.shape) if got != whole]
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
    look = {"align": "left", "fill": {"color": "rgba(0,0,0,0)"}, "line": line, "height": ROW}
    trace = {
        "type": "table",
        "header": {"values": [f"<b>{head}</b>" for head in heads], **look},
        "cells": {"values": cells, **look},
        "columnwidth": [1, *([3] * shown.shape[1])],
    }
    tall = ROW * (len(shown) + 1) + 60
    return {"data": [trace], "layout": base_layout(" · ".join(parts), height=int(min(max(tall, HEIGHT // 2), HEIGHT)))}


def _cuts(shown: tuple[int, ...], whole: tuple[int, ...]) -> list[tuple[int, int, str]]:
    return [(shown[0], whole[0], "rows"), (shown[1], whole[1], "columns")]


def _dtype(sample: NDArray[Any]) -> str:
    return "text" if sample.dtype.kind in "USOT" else sample.dtype.name
