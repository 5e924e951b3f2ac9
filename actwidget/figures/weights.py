"""A layer's weights: kernels as a grid of pictures, vectors as bars, and the distribution of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.mosaic import mosaic
from actwidget.figures.histogram import histogram_traces
from actwidget.figures.layout import FONT, HEIGHT, NUMBERED
from actwidget.figures.palette import ACCENT, MUTED, ColorRange
from actwidget.figures.picture import palette_png
from actwidget.figures.text import escape
from actwidget.figures.tiles import outline, tile_image

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

MOST = 6
BINS = 48


def weights_spec(
    title: str,
    weights: Mapping[str, NDArray[Any]],
    pictures: Mapping[str, NDArray[Any]],
    channel: int | None = None,
    words: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A figure of weights as a dict of `data` and `layout`: one row each, its values left and their histogram right.

    Args:
        title: The layer's path.
        weights: The weights by name, in any shape.
        pictures: For a weight that is shown as a grid its pictures, shape `(height, width, output channels)`; a matrix
            is shown as one picture, anything else as bars.
        channel: The output channel that is marked.
        words: Of the weights shown as grids what is shown of them.

    Returns:
        A dict of `data` and `layout`.
    """
    shown = dict(list(weights.items())[:MOST])
    left = f", {len(weights) - MOST} more not shown" if len(weights) > MOST else ""
    heights = np.array([3.0 if name in pictures or array.ndim == 2 else 1.0 for name, array in shown.items()])
    edges = np.concatenate([[0.0], np.cumsum(heights) / heights.sum()])
    traces: list[dict[str, Any]] = []
    layout: dict[str, Any] = {
        "title": {"text": f"{escape(title)} · weights{left}", "font": {"size": 12}, "x": 0, "xref": "paper"},
        "height": max(HEIGHT, int(90 * heights.sum())),
        "margin": {"l": 48, "r": 16, "t": 56, "b": 36},
        "font": {"family": FONT, "size": 11},
        "showlegend": False,
        "hovermode": "closest",
        "annotations": [],
        "shapes": [],
        "meta": {"narrow": {}},
    }
    for number, (name, array) in enumerate(shown.items()):
        top, bottom = 1 - edges[number], 1 - edges[number + 1]
        domain = [bottom + 0.06 * (number < len(shown) - 1), top - 0.05]
        a, b = (str(2 * number + extra + 1) if 2 * number + extra else "" for extra in (0, 1))
        values = np.asarray(array, np.float32)
        if name in pictures or values.ndim == 2:
            picture = pictures.get(name)
            traces.append(_grid(values, picture, layout, a, channel))
        else:
            traces.append(_bars(values.ravel(), layout, a, channel))
        traces += _histogram(values, layout, b)
        layout[f"xaxis{a}"] |= {"domain": [0, 0.66], "anchor": f"y{a}", "fixedrange": True}
        layout[f"yaxis{a}"] |= {"domain": domain, "anchor": f"x{a}", "fixedrange": True}
        layout[f"xaxis{b}"] = {"domain": [0.72, 1], "anchor": f"y{b}", "fixedrange": True, "showgrid": False}
        layout[f"yaxis{b}"] |= {"domain": domain, "anchor": f"x{b}", "fixedrange": True, "nticks": 3}
        for axis in (f"xaxis{a}", f"yaxis{a}", f"xaxis{b}", f"yaxis{b}"):
            layout[axis] |= NUMBERED
        shape = " × ".join(map(str, array.shape))
        average = f", {escape(words[name])}" if words and name in words else ""
        layout["annotations"].append(
            {
                "text": f"<b>{escape(name, 40)}</b> {shape}{average}",
                "x": 0,
                "y": domain[1],
                "xref": "paper",
                "yref": "paper",
                "xanchor": "left",
                "yanchor": "bottom",
                "showarrow": False,
            }
        )
    return {"data": traces, "layout": layout}


def _grid(
    values: NDArray[Any], picture: NDArray[Any] | None, layout: dict[str, Any], suffix: str, channel: int | None
) -> dict[str, Any]:
    color = ColorRange.of(float(np.nanmin(values)), float(np.nanmax(values)))
    stack = values[np.newaxis] if picture is None else np.moveaxis(np.asarray(picture, np.float32), -1, 0)
    if picture is not None:
        color = ColorRange.of(float(np.nanmin(stack)), float(np.nanmax(stack)))
    tiles = mosaic(stack, low=color.low, high=color.high, order=np.arange(len(stack)), aspect=2.4)
    height, width = tiles.pixels.shape
    hidden = {"visible": False, "constrain": "domain"}
    layout[f"xaxis{suffix}"] = {**hidden, "range": [0, width]}
    layout[f"yaxis{suffix}"] = {**hidden, "range": [height, 0]}
    if picture is not None:
        layout[f"yaxis{suffix}"]["scaleanchor"] = f"x{suffix}"
        if channel is not None and channel < len(stack):
            layout["shapes"].append(outline(tiles.box(channel), xref=f"x{suffix}", yref=f"y{suffix}"))
    return tile_image(palette_png(tiles.pixels, color.scale), xaxis=f"x{suffix}", yaxis=f"y{suffix}")


def _bars(values: NDArray[Any], layout: dict[str, Any], suffix: str, channel: int | None) -> dict[str, Any]:
    layout[f"xaxis{suffix}"] = {"showgrid": False, "range": [-0.6, max(len(values), 1) - 0.4]}
    layout[f"yaxis{suffix}"] = {"nticks": 3}
    colors: Any = MUTED
    if channel is not None and channel < len(values):
        colors = [ACCENT if index == channel else MUTED for index in range(len(values))]
    return {
        "type": "bar",
        "y": values,
        "marker": {"color": colors, "line": {"width": 0}},
        "hovertemplate": "%{x}: %{y:.5g}<extra></extra>",
        "xaxis": f"x{suffix}",
        "yaxis": f"y{suffix}",
    }


def _histogram(values: NDArray[Any], layout: dict[str, Any], suffix: str) -> list[dict[str, Any]]:
    finite = values[np.isfinite(values)]
    counts, edges = np.histogram(finite, bins=min(BINS, max(1, finite.size)))
    traces, heights = histogram_traces(edges, counts, "%{x:.4g}: %{z:,d}", xaxis=f"x{suffix}", yaxis=f"y{suffix}")
    layout[f"yaxis{suffix}"] = {"range": heights}
    return traces
