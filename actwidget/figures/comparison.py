"""Two activations side by side, and their difference."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.axes import channels, slice_label
from actwidget.analysis.dtypes import as_floats
from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.pixels.mosaic import Mosaic, mosaic
from actwidget.figures.parts.layout import LINE, NARROW_HEIGHT, base_layout, text_above
from actwidget.figures.parts.marks import outlined
from actwidget.figures.parts.nonfinite import finite_or_nan, nonfinite_legend, nonfinite_text
from actwidget.figures.parts.palette import ColorRange
from actwidget.figures.parts.palette_png import palette_png
from actwidget.figures.parts.text import NARROW_LIMIT, between, escape, number, reduction_text
from actwidget.figures.parts.tiles import tile_cells, tile_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from actwidget.analysis.difference import Difference

GAP = 0.02
WIDTH = (1 - 2 * GAP) / 3
TOP = 52
# On a narrow page the two stand side by side and the difference below them: (x domain, y domain) of each.
NARROW = (((0.0, 0.49), (0.62, 1.0)), ((0.51, 1.0), (0.62, 1.0)), ((0.0, 1.0), (0.0, 0.55)))
PIXELS = 400_000
"""The most pixels of one grid: a third of the page shows no more, even on a fine screen."""


@dataclass(frozen=True, eq=False)
class _Grid:
    """One of the three grids: its name and values, what its colours mean, and its picture."""

    name: str
    values: NDArray[Any]
    color: ColorRange
    tiles: Mosaic
    uri: str


@ignore_float_errors
def comparison_spec(
    title: str,
    first: NDArray[Any],
    second: NDArray[Any],
    difference: Difference,
    *,
    names: tuple[str, str],
    channel_label: str = "channel",
    channel: int | None = None,
    at: tuple[int, ...] | None = None,
) -> dict[str, Any]:
    """Three grids as a dict of `data` and `layout`: both activations on one colour range, then second minus first.

    The channels that differ most come first in all three; a click on a tile carries its channel in `customdata[0]`.

    Args:
        title: The layer's path.
        first: One sample, `(height, width, channels)`, `(time, units)` or `(units,)`.
        second: The same shape.
        difference: The difference of the two.
        names: What they are called.
        channel_label: What a channel is called.
        channel: The channel that is marked.
        at: Of a volume the slice, an index for each axis before height and width; by default the middle. The numbers on
            hover are those of the whole volume.

    Returns:
        A dict of `data` and `layout`.
    """
    shared = ColorRange.over(first, second)
    bound = difference.largest or 1.0
    given: list[tuple[str, NDArray[Any], ColorRange]] = [
        (names[0], first, shared),
        (names[1], second, shared),
        ("difference", difference.values, ColorRange(-bound, bound, "balance")),
    ]
    with ThreadPoolExecutor(len(given)) as threads:  # numpy and the PNG encoder let other threads run
        grids = list(threads.map(lambda grid: _grid(*grid, order=difference.order, at=at), given))
    parts = [escape(title, NARROW_LIMIT), f"{channel_label}s that differ most first"]
    parts += [words for words in (slice_label(first.shape, at=at), reduction_text(grids[0].tiles.reduction)) if words]
    parts += _difference_texts(first, second, difference, names)
    margin = {"l": 8, "r": 8, "t": TOP, "b": 16}
    layout = base_layout(" · ".join(parts), margin=margin, meta={"narrow": {"height": NARROW_HEIGHT}})
    narrow = layout["meta"]["narrow"]
    narrow["margin.t"] = narrow.get("margin.t", TOP) + LINE  # there each name has a line of its own above the range
    traces = []
    for place, grid in enumerate(grids):
        suffix = "" if place == 0 else str(place + 1)
        axes = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
        customdata, template = _channel_hover(grid.values, difference, channel_label)
        traces += [tile_image(grid.uri, **axes), tile_cells(grid.tiles, customdata, template, **axes)]
        _place_grid(layout, grid, place, suffix)
        if channel is not None:
            layout["shapes"] += outlined(grid.tiles.box(channel), xref=f"x{suffix}", yref=f"y{suffix}")
    return {"data": traces, "layout": layout}


def _grid(
    name: str, values: NDArray[Any], color: ColorRange, *, order: NDArray[np.intp], at: tuple[int, ...] | None
) -> _Grid:
    shown = finite_or_nan(channels(values, at=at))
    tiles = mosaic(shown, low=color.low, high=color.high, order=order, aspect=0.9, max_pixels=PIXELS)
    return _Grid(name, values, color, tiles, palette_png(tiles.pixels, color.scale))


def _place_grid(layout: dict[str, Any], grid: _Grid, place: int, suffix: str) -> None:
    """Adds the axes and the caption of a grid to a layout, for a wide and for a narrow page."""
    height, width = grid.tiles.pixels.shape
    left = place * (WIDTH + GAP)
    hidden = {"visible": False, "constrain": "domain", "fixedrange": True}
    layout[f"xaxis{suffix}"] = {**hidden, "domain": [left, left + WIDTH], "range": [0, width], "anchor": f"y{suffix}"}
    layout[f"yaxis{suffix}"] = {**hidden, "domain": [0, 1], "range": [height, 0], "scaleanchor": f"x{suffix}"}
    layout[f"yaxis{suffix}"] |= {"anchor": f"x{suffix}", "constraintoward": "top"}
    across, down = NARROW[place]
    colors = between(grid.color.low, grid.color.high)
    narrow = layout["meta"]["narrow"]
    narrow[f"xaxis{suffix}.domain"], narrow[f"yaxis{suffix}.domain"] = across, down
    narrow[f"xaxis{suffix}.constraintoward"] = "left"
    narrow |= {f"annotations[{place}].x": across[0], f"annotations[{place}].y": down[1]}
    narrow[f"annotations[{place}].text"] = f"<b>{escape(grid.name, 18)}</b><br>{colors}"
    layout["annotations"].append(text_above(f"<b>{escape(grid.name, 40)}</b> {colors}", left, 1, align="left"))


def _channel_hover(values: NDArray[Any], difference: Difference, channel_label: str) -> tuple[NDArray[Any], str]:
    """What hover says of each channel, shape `(channels, 3)`, and the template that shows it."""
    with np.errstate(invalid="ignore"):  # infinity and minus infinity have no mean
        means = as_floats(values).reshape(-1, len(difference.order)).mean(axis=0)
    template = (
        f"<b>{channel_label} %{{customdata[0]:d}}</b><br>mean %{{customdata[2]:.4g}}"
        "<br>mean difference %{customdata[1]:.4g}<extra></extra>"
    )
    return np.stack([np.arange(len(means)), difference.mean_absolute, means], axis=-1), template


def _difference_texts(
    first: NDArray[Any], second: NDArray[Any], difference: Difference, names: tuple[str, str]
) -> list[str]:
    """The largest difference, and the values that have none as they are NaN or infinite."""
    pairs = zip((first, second), names, strict=True)
    nonfinite = [f"{words} in {escape(name, 40)}" for values, name in pairs if (words := nonfinite_text(values))]
    largest = f"largest {'finite ' if nonfinite else ''}difference {number(difference.largest)}"
    return [largest, nonfinite_legend("; ".join(nonfinite))] if nonfinite else [largest]
