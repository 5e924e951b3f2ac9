"""Two activations side by side and what is between them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.axes import channels, slice_label
from actwidget.analysis.dtypes import as_floats
from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.pixels.mosaic import mosaic
from actwidget.figures.parts.layout import LINE, NARROW_HEIGHT, plain
from actwidget.figures.parts.nonfinite import broken, finite_or_nan, in_their_colour, reduced
from actwidget.figures.parts.palette import ColorRange
from actwidget.figures.parts.palette_png import palette_png
from actwidget.figures.parts.text import NARROW_LIMIT, between, escape, number
from actwidget.figures.parts.tiles import outline, tile_cells, tile_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from actwidget.analysis.difference import Difference
    from actwidget.analysis.pixels.mosaic import Mosaic

GAP = 0.02
TOP = 52
# On a narrow page the two stand side by side and the difference below them: (x domain, y domain) of each.
NARROW = (((0.0, 0.49), (0.62, 1.0)), ((0.51, 1.0), (0.62, 1.0)), ((0.0, 1.0), (0.0, 0.55)))
PIXELS = 400_000
"""Of one grid: more than a third of the page shows on a fine screen."""


@ignore_float_errors
def comparison_spec(
    title: str,
    first: NDArray[Any],
    second: NDArray[Any],
    apart: Difference,
    *,
    names: tuple[str, str],
    noun: str = "channel",
    channel: int | None = None,
    at: tuple[int, ...] | None = None,
) -> dict[str, Any]:
    """Three grids as a dict of `data` and `layout`: both activations on one colour range, then second minus first.

    The channels that differ most come first in all three; a click on a tile carries its channel in `customdata[0]`.

    Args:
        title: The layer's path.
        first: One sample, `(height, width, channels)`, `(time, units)` or `(units,)`.
        second: The same shape.
        apart: The difference of the two.
        names: What they are called.
        noun: What a channel is called.
        channel: The channel that is marked.
        at: Of a volume the slice, an index for each axis before height and width; by default the middle. What is said
            of a channel is said of the whole volume.

    Returns:
        A dict of `data` and `layout`.
    """
    shared = ColorRange.over(first, second)
    bound = apart.largest or 1.0
    grids = [
        (names[0], first, shared),
        (names[1], second, shared),
        ("difference", apart.values, ColorRange(-bound, bound, "balance")),
    ]
    width = (1 - 2 * GAP) / 3
    traces: list[dict[str, Any]] = []
    with ThreadPoolExecutor(len(grids)) as threads:  # numpy and the PNG encoder let each other run
        tiled = list(threads.map(lambda grid: _tiled(channels(grid[1], at=at), grid[2], apart), grids))
    parts = [escape(title, NARROW_LIMIT), f"{noun}s that differ most first", *_told(first, second, apart, names)]
    parts[2:2] = [words for words in (slice_label(first.shape, at=at), reduced(tiled[0][0].reduction)) if words]
    heading = " · ".join(parts)
    margin = {"l": 8, "r": 8, "t": TOP, "b": 16}
    layout = plain(heading, margin=margin, meta={"narrow": {"height": NARROW_HEIGHT}})
    narrow = layout["meta"]["narrow"]
    narrow["margin.t"] = narrow.get("margin.t", TOP) + LINE  # names stand above their ranges there
    for place, ((name, values, color), (tiles, source)) in enumerate(zip(grids, tiled, strict=True)):
        suffix = "" if place == 0 else str(place + 1)
        tall, wide = tiles.pixels.shape
        axes = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
        with np.errstate(invalid="ignore"):  # infinity and minus infinity have no mean
            means = as_floats(values).reshape(-1, len(apart.order)).mean(axis=0)
        told = np.stack([np.arange(len(means)), apart.mean_absolute, means], axis=-1)
        template = (
            f"<b>{noun} %{{customdata[0]:d}}</b><br>mean %{{customdata[2]:.4g}}"
            "<br>mean difference %{customdata[1]:.4g}<extra></extra>"
        )
        traces += [tile_image(source, **axes), tile_cells(tiles, told, template, **axes)]
        left = place * (width + GAP)
        hidden = {"visible": False, "constrain": "domain", "fixedrange": True}
        layout[f"xaxis{suffix}"] = {
            **hidden,
            "domain": [left, left + width],
            "range": [0, wide],
            "anchor": f"y{suffix}",
        }
        layout[f"yaxis{suffix}"] = {**hidden, "domain": [0, 1], "range": [tall, 0], "scaleanchor": f"x{suffix}"}
        layout[f"yaxis{suffix}"] |= {"anchor": f"x{suffix}", "constraintoward": "top"}
        across, down = NARROW[place]
        narrow[f"xaxis{suffix}.domain"], narrow[f"yaxis{suffix}.domain"] = across, down
        narrow[f"xaxis{suffix}.constraintoward"] = "left"
        ends = between(color.low, color.high)
        narrow |= {f"annotations[{place}].x": across[0], f"annotations[{place}].y": down[1]}
        narrow[f"annotations[{place}].text"] = f"<b>{escape(name, 18)}</b><br>{ends}"
        layout["annotations"].append(
            {
                "text": f"<b>{escape(name, 40)}</b> {ends}",
                "x": left,
                "y": 1,
                "xref": "paper",
                "yref": "paper",
                "xanchor": "left",
                "yanchor": "bottom",
                "align": "left",
                "showarrow": False,
            }
        )
        if channel is not None:
            layout["shapes"].append(outline(tiles.box(channel), xref=f"x{suffix}", yref=f"y{suffix}"))
    return {"data": traces, "layout": layout}


def _told(first: NDArray[Any], second: NDArray[Any], apart: Difference, names: tuple[str, str]) -> list[str]:
    """How far the two are apart at most, and what in them is no number and so is in no difference."""
    counted = [(words, name) for values, name in zip((first, second), names, strict=True) if (words := broken(values))]
    largest = f"largest {'finite ' if counted else ''}difference {number(apart.largest)}"
    if not counted:
        return [largest]
    return [largest, in_their_colour("; ".join(f"{words} in {escape(name, 40)}" for words, name in counted))]


def _tiled(values: NDArray[Any], color: ColorRange, apart: Difference) -> tuple[Mosaic, str]:
    """The channels as tiles, and these as a PNG."""
    values = finite_or_nan(values)
    tiles = mosaic(values, low=color.low, high=color.high, order=apart.order, aspect=0.9, max_pixels=PIXELS)
    return tiles, palette_png(tiles.pixels, color.scale)
