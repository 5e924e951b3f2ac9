"""A layer's weights: kernels as a grid of pictures, vectors as bars, and the distribution of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.axes import floats
from actwidget.analysis.errstate import any_errstate
from actwidget.analysis.mosaic import mosaic
from actwidget.figures.histogram import histogram_traces
from actwidget.figures.layout import HEIGHT, NUMBERED, plain
from actwidget.figures.palette import MUTED, ColorRange
from actwidget.figures.panels import bar_marker, broken_bars
from actwidget.figures.picture import palette_png
from actwidget.figures.text import NARROW_LIMIT, between, escape, stacked
from actwidget.figures.tiles import outline, tile_image
from actwidget.figures.title import broken, finite_or_nan, in_their_colour, reduced

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

MOST = 6
BINS = 48
TOP = 34
# On a narrow page, in pixels: the height of a picture, of bars, of a histogram, of a line of text, and of the labels
# below an axis; and the width of all.
GRID, BARS, LOW, LINE, TICKS, WIDTH = 230, 80, 70, 15, 30, 500


@any_errstate
def weights_spec(
    title: str,
    weights: Mapping[str, NDArray[Any]],
    pictures: Mapping[str, NDArray[Any]],
    marks: Mapping[str, Collection[int]] | None = None,
    words: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A figure of weights as a dict of `data` and `layout`: one row each, its values left and their histogram right.

    Args:
        title: The layer's path.
        weights: The weights by name, in any shape.
        pictures: For a weight that is shown as a grid its pictures, shape `(height, width, pictures)`, and for one that
            is shown as a matrix that. Of the others a matrix is shown as it is, anything else as bars.
        marks: Which pictures, or which bars, of a weight are marked. Of a matrix none is.
        words: What is said of a weight beside its shape.

    Returns:
        A dict of `data` and `layout`.
    """
    shown = dict(list(weights.items())[:MOST])
    left = f", {len(weights) - MOST} more not shown" if len(weights) > MOST else ""
    heights = np.array([3.0 if name in pictures or array.ndim == 2 else 1.0 for name, array in shown.items()])
    edges = np.concatenate([[0.0], np.cumsum(heights) / heights.sum()])
    heading = f"{escape(title, NARROW_LIMIT)} · weights{left}"
    traces: list[dict[str, Any]] = []
    layout: dict[str, Any] = {"annotations": [], "shapes": []}
    captions, narrow_heights = [], []
    for place, (name, array) in enumerate(shown.items()):
        top, bottom = 1 - edges[place], 1 - edges[place + 1]
        domain = [bottom + 0.06 * (place < len(shown) - 1), top - 0.05]
        a, b = (str(2 * place + extra + 1) if 2 * place + extra else "" for extra in (0, 1))
        values = np.asarray(array, np.float32)
        marked = marks.get(name, ()) if marks else ()
        caption = [f"<b>{escape(name, 40)}</b> {' × '.join(map(str, array.shape))}"]
        if words and name in words:
            caption[0] += f", {escape(words[name])}"
        if name in pictures or values.ndim == 2:
            trace, told = _grid(pictures.get(name, values), layout, a, marked)
            traces.append(trace)
            caption += told
            shape = layout[f"yaxis{a}"]["range"][0] / layout[f"xaxis{a}"]["range"][1]
            narrow_heights.append(min(GRID, max(BARS, round(WIDTH * shape))))
        else:
            traces.append(_bars(values.ravel(), layout, a, marked))
            narrow_heights.append(BARS)
        if counted := broken(values):
            caption.append(in_their_colour(counted))
        traces += _histogram(values, layout, b)
        layout[f"xaxis{a}"] |= {"domain": [0, 0.66], "anchor": f"y{a}", "fixedrange": True}
        layout[f"yaxis{a}"] |= {"domain": domain, "anchor": f"x{a}", "fixedrange": True}
        layout[f"xaxis{b}"] = {"domain": [0.72, 1], "anchor": f"y{b}", "fixedrange": True, "showgrid": False}
        layout[f"yaxis{b}"] |= {"domain": domain, "anchor": f"x{b}", "fixedrange": True, "nticks": 3}
        for axis in (f"xaxis{a}", f"yaxis{a}", f"xaxis{b}", f"yaxis{b}"):
            layout[axis] |= NUMBERED
        captions.append(" · ".join(caption))
        layout["annotations"].append(
            {
                "text": captions[-1],
                "x": 0,
                "y": domain[1],
                "xref": "paper",
                "yref": "paper",
                "xanchor": "left",
                "yanchor": "bottom",
                "showarrow": False,
            }
        )
    layout |= {"height": max(HEIGHT, int(90 * heights.sum())), "margin": {"l": 48, "r": 16, "t": TOP, "b": 36}}
    return {"data": traces, "layout": plain(heading, meta={"narrow": _narrow(captions, narrow_heights)}, **layout)}


def weight_words(values: NDArray[Any]) -> str:
    """Between which values the finite ones of a weight lie, and how many are no numbers.

    >>> weight_words(np.array([0.5, -2.0, np.inf]))
    '-2.00 to 0.50, 1 infinite'
    """
    numbers = floats(np.asarray(values))
    finite = numbers[np.isfinite(numbers)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (np.nan, np.nan)
    ends = between(low, high)
    return f"{ends}, {counted}" if (counted := broken(numbers)) else ends


def _narrow(captions: list[str], heights: list[int]) -> dict[str, Any]:
    """What changes on a narrow page: each weight's histogram stands below its values, these of a height in pixels."""
    lines = [stacked(caption) for caption in captions]
    rows = [(LINE * len(text) + 4, height) for text, height in zip(lines, heights, strict=True)]
    total = max(1, sum(above + own + TICKS + LOW + TICKS for above, own in rows) - TICKS)
    changed: dict[str, Any] = {"height": total + TOP + 36}
    down = 0
    for place, (above, own) in enumerate(rows):
        a, b = (str(2 * place + extra + 1) if 2 * place + extra else "" for extra in (0, 1))
        start = down + above
        stop = start + own
        down = stop + TICKS + LOW
        for suffix, (high, low) in ((a, (start, stop)), (b, (stop + TICKS, down))):
            changed[f"xaxis{suffix}.domain"] = [0, 1]
            changed[f"yaxis{suffix}.domain"] = [1 - low / total, 1 - high / total]
        changed[f"annotations[{place}].y"] = 1 - start / total
        changed[f"annotations[{place}].text"] = "<br>".join(lines[place])
        changed[f"annotations[{place}].align"] = "left"
        down += TICKS
    return changed


def _grid(
    pictures: NDArray[Any], layout: dict[str, Any], suffix: str, marked: Collection[int]
) -> tuple[dict[str, Any], list[str]]:
    """A weight as pictures, or as the one of a matrix, and what is to be said of their colours and size."""
    values = np.asarray(pictures, np.float32)
    stack = values[np.newaxis] if values.ndim == 2 else np.moveaxis(values, -1, 0)
    color = ColorRange.over(stack)
    stack = finite_or_nan(stack)
    tiles = mosaic(stack, low=color.low, high=color.high, order=np.arange(len(stack)), aspect=2.4)
    height, width = tiles.pixels.shape
    hidden = {"visible": False, "constrain": "domain"}
    layout[f"xaxis{suffix}"] = {**hidden, "range": [0, width]}
    layout[f"yaxis{suffix}"] = {**hidden, "range": [height, 0]}
    if values.ndim == 3:
        layout[f"yaxis{suffix}"]["scaleanchor"] = f"x{suffix}"
        boxes = [tiles.box(picture) for picture in marked]
        layout["shapes"] += [outline(box, xref=f"x{suffix}", yref=f"y{suffix}") for box in boxes]
    trace = tile_image(palette_png(tiles.pixels, color.scale), xaxis=f"x{suffix}", yaxis=f"y{suffix}")
    words = [f"colours {between(color.low, color.high)}", reduced(tiles.reduction)]
    return trace, [each for each in words if each]


def _bars(values: NDArray[Any], layout: dict[str, Any], suffix: str, marked: Collection[int]) -> dict[str, Any]:
    layout[f"xaxis{suffix}"] = {"showgrid": False, "range": [-0.6, max(len(values), 1) - 0.4]}
    layout[f"yaxis{suffix}"] = {"nticks": 3}
    finite = bool(np.isfinite(values).all())
    marker = bar_marker([index in marked for index in range(len(values))])
    bar = {
        "type": "bar",
        "y": values,
        "marker": {"color": marker["color"] if marked else MUTED, "line": {"width": 0}},
        "hovertemplate": "%{x}: %{y:.5g}<extra></extra>",
        "xaxis": f"x{suffix}",
        "yaxis": f"y{suffix}",
    }
    if not finite:
        bar |= broken_bars(values, marker)
        bar["hovertemplate"] = "%{x}: %{hovertext}<extra></extra>"
    return bar


def _histogram(values: NDArray[Any], layout: dict[str, Any], suffix: str) -> list[dict[str, Any]]:
    finite = values[np.isfinite(values)].astype(np.float64)  # of float32 the ends can be too far apart
    counts, edges = np.histogram(finite, bins=min(BINS, max(1, finite.size)))
    traces, heights = histogram_traces(edges, counts, "%{x:.4g}: %{z:,d}", xaxis=f"x{suffix}", yaxis=f"y{suffix}")
    layout[f"yaxis{suffix}"] = {"range": heights}
    return traces
