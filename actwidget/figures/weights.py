"""A layer's weights: kernels as a grid of pictures, vectors as bars, and the distribution of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.dtypes import as_floats
from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.nonfinite import finite_values, nonfinite_counts
from actwidget.analysis.pixels.mosaic import Mosaic, mosaic
from actwidget.figures.parts.bars import bar_marker, nonfinite_bars
from actwidget.figures.parts.histogram import histogram_traces
from actwidget.figures.parts.layout import HEIGHT, NUMBER_LABELS, base_layout, text_above
from actwidget.figures.parts.marks import outlined
from actwidget.figures.parts.nonfinite import finite_or_nan, nonfinite_legend
from actwidget.figures.parts.palette import MUTED, ColorRange
from actwidget.figures.parts.palette_png import palette_png
from actwidget.figures.parts.text import NARROW_LIMIT, between, escape, reduction_text, wrapped
from actwidget.figures.parts.tiles import tile_image

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from numpy.typing import NDArray

MOST = 6
"""How many weights are drawn."""
BINS = 48
TOP = 34
# On a narrow page, in pixels: the height of a picture, of bars, of a histogram, of a line of text, and of the labels
# below an axis; and the width of all.
GRID, BARS, LOW, LINE, TICKS, WIDTH = 230, 80, 70, 15, 30, 500
# Values treated at a time: they stay in a core's cache.
_BLOCK = 262_144


@dataclass(frozen=True, eq=False)
class DrawnWeight:
    """One weight drawn: everything of it that does not depend on which channel is marked.

    Attributes:
        caption: Its name and shape, the range of its colours, and NaN and infinities.
        words: The range of its values, as `weight_words` gives it.
        tiles: Where each of its pictures is; `None` for the one picture of a matrix, and for bars.
        bars: Its values where they are drawn as bars, else `None`.
        trace: The trace of its pictures; empty for bars.
        size: The height and width of that picture in pixels.
        counts: How many values lie in each bin of the histogram.
        edges: Those of the bins.
    """

    caption: str
    words: str
    tiles: Mosaic | None
    bars: NDArray[Any] | None
    trace: dict[str, Any]
    size: tuple[int, int]
    counts: NDArray[Any]
    edges: NDArray[Any]

    @property
    def nbytes(self) -> int:
        """About how many bytes it takes."""
        pixels = 0 if self.tiles is None else self.tiles.pixels.nbytes
        return len(self.trace.get("source", "")) + pixels + (0 if self.bars is None else self.bars.nbytes)


@ignore_float_errors
def draw_weight(name: str, array: NDArray[Any], picture: NDArray[Any] | None = None, words: str = "") -> DrawnWeight:
    """Draws one weight. Only small parts of a large one are copied at a time.

    Args:
        name: What it is called.
        array: Its values, in any shape.
        picture: Its pictures, shape `(height, width, pictures)`, or the matrix as which it is shown; without them a
            matrix is shown as it is, anything else as bars.
        words: What the caption says of it after its shape.
    """
    found = _value_range(array)
    caption = [f"<b>{escape(name, 40)}</b> {' × '.join(map(str, array.shape))}"]
    if words:
        caption[0] += f", {escape(words)}"
    tiles, bars, size = None, None, (0, 0)
    trace: dict[str, Any] = {}
    if picture is not None or array.ndim == 2:
        trace, tiles, texts = _grid(array if picture is None else picture)
        size = len(tiles.pixels), tiles.pixels[0].size
        caption += texts
        tiles = None if picture is None or picture.ndim == 2 else tiles
    else:
        bars = np.asarray(array, np.float32).ravel()
    if found.nonfinite:
        caption.append(nonfinite_legend(found.nonfinite))
    return DrawnWeight(" · ".join(caption), found.text, tiles, bars, trace, size, *_histogram(array, found))


@ignore_float_errors
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
        words: What the caption of a weight says after its shape.

    Returns:
        A dict of `data` and `layout`.
    """
    drawn = {
        name: draw_weight(name, np.asarray(array), pictures.get(name), (words or {}).get(name, ""))
        for name, array in list(weights.items())[:MOST]
    }
    return drawn_weights_spec(title, drawn, marks, more=len(weights) - len(drawn))


def drawn_weights_spec(
    title: str, drawn: Mapping[str, DrawnWeight], marks: Mapping[str, Collection[int]] | None = None, *, more: int = 0
) -> dict[str, Any]:
    """What `weights_spec` gives, from weights that are drawn.

    Args:
        title: As for `weights_spec`.
        drawn: The weights by name.
        marks: As for `weights_spec`.
        more: How many others the layer has.

    Returns:
        A dict of `data` and `layout`.
    """
    left = f", {more} more not shown" if more else ""
    heights = np.array([1.0 if weight.bars is not None else 3.0 for weight in drawn.values()])
    edges = np.concatenate([[0.0], np.cumsum(heights) / heights.sum()])
    heading = f"{escape(title, NARROW_LIMIT)} · weights{left}"
    traces: list[dict[str, Any]] = []
    layout: dict[str, Any] = {"annotations": [], "shapes": []}
    captions, narrow_heights = [], []
    for place, (name, weight) in enumerate(drawn.items()):
        top, bottom = 1 - edges[place], 1 - edges[place + 1]
        domain = [bottom + 0.06 * (place < len(drawn) - 1), top - 0.05]
        a, b = (str(2 * place + extra + 1) if 2 * place + extra else "" for extra in (0, 1))
        marked = marks.get(name, ()) if marks else ()
        if weight.bars is None:
            traces.append(_picture(weight, layout, a, marked))
            height, width = weight.size
            narrow_heights.append(min(GRID, max(BARS, round(WIDTH * height / width))))
        else:
            traces.append(_bars(weight.bars, layout, a, marked))
            narrow_heights.append(BARS)
        cells, tall = histogram_traces(weight.edges, weight.counts, "%{x:.4g}: %{z:,d}", xaxis=f"x{b}", yaxis=f"y{b}")
        traces += cells
        layout[f"yaxis{b}"] = {"range": tall}
        layout[f"xaxis{a}"] |= {"domain": [0, 0.66], "anchor": f"y{a}", "fixedrange": True}
        layout[f"yaxis{a}"] |= {"domain": domain, "anchor": f"x{a}", "fixedrange": True}
        layout[f"xaxis{b}"] = {"domain": [0.72, 1], "anchor": f"y{b}", "fixedrange": True, "showgrid": False}
        layout[f"yaxis{b}"] |= {"domain": domain, "anchor": f"x{b}", "fixedrange": True, "nticks": 3}
        for axis in (f"xaxis{a}", f"yaxis{a}", f"xaxis{b}", f"yaxis{b}"):
            layout[axis] |= NUMBER_LABELS
        captions.append(weight.caption)
        layout["annotations"].append(text_above(weight.caption, 0, domain[1]))
    layout |= {"height": max(HEIGHT, int(90 * heights.sum())), "margin": {"l": 48, "r": 16, "t": TOP, "b": 36}}
    return {
        "data": traces,
        "layout": base_layout(heading, meta={"narrow": _narrow(captions, narrow_heights)}, **layout),
    }


@ignore_float_errors
def weight_words(values: NDArray[Any]) -> str:
    """The range of the finite values of a weight, and how many are NaN or infinite, in words.

    >>> weight_words(np.array([0.5, -2.0, np.inf]))
    '-2.00 to 0.50, 1 infinite'
    """
    return _value_range(np.asarray(values)).text


@dataclass(frozen=True)
class _Range:
    """The range of the finite values of a weight, NaN where there are none; and how many are not finite, in words."""

    low: float
    high: float
    nonfinite: str

    @property
    def text(self) -> str:
        """The range and the values that are not finite, in words."""
        return ", ".join(filter(None, (between(self.low, self.high), self.nonfinite)))


def _blocks(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """The values of a weight, `_BLOCK` at a time."""
    line = array.ravel(order="K")  # no copy, in whatever order the values lie
    for start in range(0, line.size, _BLOCK):
        yield as_floats(line[start : start + _BLOCK])


def _value_range(array: NDArray[Any]) -> _Range:
    low, high, nan, infinite = np.inf, -np.inf, 0, 0
    for block in _blocks(array):
        finite, extremes = finite_values(block)
        if finite.size < block.size:
            nan += int(np.count_nonzero(np.isnan(block)))
            infinite += int(np.count_nonzero(np.isinf(block)))
        if extremes is not None:
            low, high = min(low, extremes[0]), max(high, extremes[1])
    words = ", ".join(nonfinite_counts(nan, infinite))
    return _Range(low, high, words) if low <= high else _Range(np.nan, np.nan, words)


def _narrow(captions: list[str], heights: list[int]) -> dict[str, Any]:
    """What changes on a narrow page: each weight's histogram stands below its values, whose heights are in pixels."""
    lines = [wrapped(caption) for caption in captions]
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


def _grid(pictures: NDArray[Any]) -> tuple[dict[str, Any], Mosaic, list[str]]:
    """The pictures of a weight, or the one of a matrix, as a trace and tiles; then their colours and size in words."""
    values = np.asarray(pictures, np.float32)
    stack = values[np.newaxis] if values.ndim == 2 else np.moveaxis(values, -1, 0)
    color = ColorRange.over(stack)
    stack = finite_or_nan(stack)
    tiles = mosaic(stack, low=color.low, high=color.high, order=np.arange(len(stack)), aspect=2.4)
    words = [f"colours {between(color.low, color.high)}", reduction_text(tiles.reduction)]
    return tile_image(palette_png(tiles.pixels, color.scale)), tiles, [each for each in words if each]


def _picture(weight: DrawnWeight, layout: dict[str, Any], suffix: str, marked: Collection[int]) -> dict[str, Any]:
    hidden, (height, width) = {"visible": False, "constrain": "domain"}, weight.size
    layout[f"xaxis{suffix}"] = {**hidden, "range": [0, width]}
    layout[f"yaxis{suffix}"] = {**hidden, "range": [height, 0]}
    if weight.tiles is not None:
        layout[f"yaxis{suffix}"]["scaleanchor"] = f"x{suffix}"
        boxes = [weight.tiles.box(picture) for picture in marked]
        layout["shapes"] += [mark for box in boxes for mark in outlined(box, xref=f"x{suffix}", yref=f"y{suffix}")]
    return {**weight.trace, "xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}


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
        bar |= nonfinite_bars(values, marker)
        bar["hovertemplate"] = "%{x}: %{hovertext}<extra></extra>"
    return bar


def _histogram(array: NDArray[Any], found: _Range) -> tuple[NDArray[Any], NDArray[Any]]:
    """How many of the finite values lie in each bin, and the edges of the bins."""
    bins = min(BINS, max(1, array.size))
    ends = (0.0, 1.0) if np.isnan(found.low) else (found.low, found.high)
    counts, edges = np.histogram(np.empty(0), bins=bins, range=ends)
    for block in _blocks(array):
        values = block[np.isfinite(block)] if found.nonfinite else block
        counts += np.histogram(values.astype(np.float64), bins=bins, range=ends)[
            0
        ]  # the range of float32 can be more than float32 holds
    return counts, edges
