"""One activation as a figure: all channels, one of them close up, and the distribution of the values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import plotly.graph_objects as go

from actwidget.analysis.axes import Kind, channels, kind_of, slice_label
from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.pixels.color_limits import Limits, limits
from actwidget.analysis.pixels.levels import levels
from actwidget.analysis.pixels.mosaic import Mosaic, mosaic
from actwidget.figures.activation.panels import (
    bars,
    closeup,
    distribution,
    largest,
    masked_steps,
    step_ticks,
    top_units,
)
from actwidget.figures.parts.layout import layout
from actwidget.figures.parts.nonfinite import in_their_colour
from actwidget.figures.parts.palette import ColorRange
from actwidget.figures.parts.palette_png import palette_png
from actwidget.figures.parts.text import NARROW_LIMIT, between, escape, percent
from actwidget.figures.parts.tiles import outline, tile_cells, tile_image, unseen_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from actwidget.analysis.histogram import Histogram
    from actwidget.analysis.statistics import Statistics

Scaling = Literal["layer", "robust", "channel"]
ORDERS = {
    "index": "index",
    "mean": "mean",
    "maximum": "maximum",
    "standard_deviation": "spread",
    "zeros": "fewest zeros",
}
"""The orders of channels by name, and what they are called on screen."""
GRID_ASPECT = 1.32
BARS_LIMIT = 256
MAX_PIXELS = 1_000_000
"""A picture of more pixels is reduced to no more than half as many, as `mosaic` does it."""


@dataclass(frozen=True)
class Picture:
    """All channels of one sample as one picture.

    Attributes:
        uri: The palette PNG as a data URI, `""` where the units are drawn as bars.
        tiles: Which channel is where, or `None` for bars and sequences.
        values: The channels, shape `(channels, height, width)`.
        order: The channels in the order in which they are shown.
        color: The range of the colours over the whole layer.
        kind: What the axes of the sample mean.
        scaling: What the range of the colours is taken from.
        limits: Where `color` leaves extreme values out, what it does; else `None`.
        where: The slice of a volume, in words; else empty.
        reduced: Of a sequence, how many units and how many steps one pixel stands for.
    """

    uri: str
    tiles: Mosaic | None
    values: NDArray[Any]
    order: NDArray[np.intp]
    color: ColorRange
    kind: Kind
    scaling: Scaling
    limits: Limits | None = None
    where: str = ""
    reduced: tuple[int, int] = (1, 1)


@dataclass(frozen=True)
class View:
    """What a figure of one activation shows.

    Attributes:
        title: The layer's path.
        picture: All its channels.
        numbers: The statistics of the sample.
        histogram: The distribution of the sample's values, with the chosen channel's.
        channel: The channel close up, or `None` for the mean over all of them.
        order_name: A key of `ORDERS`.
        sample: The number of the sample, for the title; `None` where there is only one.
        class_names: Names of the units, for a classifier's last layer; of a binary one those of both classes.
        noun: What a channel is called: `"channel"`, `"unit"`, `"head"`.
        tokens: The texts of the steps of a sequence.
        mask: Which of its steps count, shape `(steps,)`; `None` where all do.
        label: The unit of the true class, for a classifier's last layer; of a binary one 0 or 1.
        binary: Whether its one unit is the probability of the second of two classes.
    """

    title: str
    picture: Picture
    numbers: Statistics
    histogram: Histogram
    channel: int | None = None
    order_name: str = "index"
    sample: int | None = None
    class_names: Sequence[str] | None = None
    noun: str = "channel"
    tokens: Sequence[str] | None = None
    mask: NDArray[np.bool_] | None = None
    label: int | None = None
    binary: bool = False


def channel_order(numbers: Statistics, name: str) -> NDArray[np.intp]:
    """The channels in one of the orders: largest first, fewest zeros first.

    Args:
        numbers: The statistics that they are put in order by.
        name: A key of `ORDERS`.

    Returns:
        intp `(channels,)`. Among equals the lower index comes first.
    """
    if name == "index":
        return np.arange(numbers.channels)
    keys = np.asarray(getattr(numbers.per_channel, name), np.float64)
    keys = np.nan_to_num(keys, nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    return np.argsort(keys if name == "zeros" else -keys, kind="stable")


@ignore_float_errors
def picture(
    sample: NDArray[Any],
    numbers: Statistics,
    order: NDArray[np.intp],
    scaling: Scaling = "layer",
    *,
    at: tuple[int, ...] | None = None,
) -> Picture:
    """Draws all channels of one sample.

    Args:
        sample: One sample's activation, shape `(height, width, channels)`, `(time, units)`, `(units,)`, or any other.
        numbers: The sample's statistics.
        order: The channels in the order in which they are shown.
        scaling: `"layer"` for one colour range, `"robust"` for one that leaves the most extreme values out, `"channel"`
            for one each.
        at: Of a volume the slice, an index for each axis before height and width; by default the middle.

    Returns:
        The picture, with which channel is where, and what its colours mean.

    Raises:
        IndexError: There is no slice `at`.
        TypeError: `sample` holds no numbers; `values_spec` shows it.
    """
    kind = kind_of(sample.shape, sample.dtype)
    values = channels(sample, at=at)
    if scaling == "channel" and sample.size == numbers.channels:
        scaling = "layer"  # a value has no range of its own
    where = slice_label(sample.shape, at=at) if kind == "volume" else ""
    bounded = limits(sample) if scaling == "robust" else None
    color = ColorRange.of(*((numbers.minimum, numbers.maximum) if bounded is None else (bounded.low, bounded.high)))
    low: Any = color.low
    high: Any = color.high
    if scaling == "channel":
        per_channel = numbers.per_channel
        ranges = [ColorRange.of(*ends) for ends in zip(per_channel.minimum, per_channel.maximum, strict=True)]
        if color.scale == "balance":  # one scale in one picture: zero stays in its slice_label for every channel
            bounds = np.array([max(abs(each.low), abs(each.high)) for each in ranges])
            low, high = -bounds, bounds
        else:
            low, high = np.array([each.low for each in ranges]), np.array([each.high for each in ranges])
    if (kind == "units" and len(order) <= BARS_LIMIT) or kind == "scalar":
        return Picture("", None, values, order, color, kind, scaling, bounded, where)
    # Infinity gets the colour of NaN: that of the highest value would hide it.
    colored = np.where(np.isfinite(values), values, np.nan) if numbers.infinite else values
    if kind == "sequence":
        ordered = colored[order, 0, :]
        # Units that have a range of their own each are not to be compared by magnitude.
        reduced = _reduction(*ordered.shape, units=scaling != "channel")
        if reduced != (1, 1):
            ordered = largest(ordered, reduced)
        if scaling == "channel":
            low, high = low[order][:, np.newaxis], high[order][:, np.newaxis]
        uri = palette_png(levels(ordered, low, high), color.scale)
        return Picture(uri, None, values, order, color, kind, scaling, bounded, where, reduced)
    tiles = mosaic(colored, low=low, high=high, order=order, aspect=GRID_ASPECT)
    uri = palette_png(tiles.pixels, color.scale)
    return Picture(uri, tiles, values, order, color, kind, scaling, bounded, where)


def _reduction(rows: int, columns: int, *, units: bool) -> tuple[int, int]:
    """How many units (if those may) and steps of a sequence become one pixel, as a grid of maps is reduced."""
    down = across = 1
    if rows * columns <= MAX_PIXELS:
        return down, across
    while -(-rows // down) * -(-columns // across) > MAX_PIXELS // 2 and (units or across < columns):
        if units and rows * across > columns * down:
            down += 1
        else:
            across += 1
    return down, across


@ignore_float_errors
def activation_figure(view: View) -> go.Figure:
    """The figure of one activation: all channels, one of them close up, and the distribution of the values.

    Args:
        view: What it shows.

    Returns:
        The `plotly.graph_objects.Figure` of what `activation_spec` gives.
    """
    return go.Figure(activation_spec(view))


@ignore_float_errors
def activation_spec(view: View) -> dict[str, Any]:
    """The figure of one activation as a dict of `data` and `layout`, which Plotly has not checked.

    Its three panels are the grid of all channels (a click on a tile carries the channel's index in `customdata[0]`),
    the chosen channel close up with its values, and the histogram with exact zeros counted apart.

    Args:
        view: What it shows.

    Returns:
        A dict of `data` and `layout`.
    """
    drawn = view.picture
    grid, shapes, axes = _grid(view)
    units = drawn.kind in {"units", "scalar"}
    near, near_axes, near_title = top_units(view) if units else closeup(view)
    low, low_axes, low_title = distribution(view)
    count = len(drawn.order)
    name = escape(view.title, NARROW_LIMIT)
    parts = [name, f"{count:,} {view.noun}{'s' * (count != 1)}, by {ORDERS[view.order_name]}", *_broken(view)]
    if view.mask is not None and not view.mask.all():
        parts.append(f"{np.count_nonzero(~view.mask)} of {view.mask.size} steps masked")
    if drawn.where:
        parts.append(drawn.where)
    if words := _reduced(drawn):
        parts.append(f"{words} by largest magnitude")
    parts += _colors(view)
    if view.sample is not None:
        parts.append(f"sample {view.sample}")
    return {
        "data": [*grid, *near, *low],
        "layout": layout(
            title=" · ".join(parts),
            titles=(near_title, low_title),
            axes=[axes, near_axes, low_axes],
            shapes=shapes,
            labelled=units,
        ),
    }


def _reduced(drawn: Picture) -> str:
    """How many values along each axis one pixel stands for; empty where it is one."""
    if drawn.tiles is not None:
        return f"reduced {drawn.tiles.reduction}×" if drawn.tiles.reduction > 1 else ""
    factors = zip(("units", "steps"), drawn.reduced, strict=True)
    words = [f"{name} reduced {factor}×" for name, factor in factors if factor > 1]
    return ", ".join(words)


def _colors(view: View) -> list[str]:
    """The grid's range of colours where no colour bar says it, and what lies outside of it."""
    drawn = view.picture
    if not drawn.uri:
        return []
    words = []
    # The bar belongs to the close-up, whose range is the grid's where it is one channel's map.
    alike = drawn.kind in {"maps", "volume"} and view.channel is not None
    if drawn.scaling == "channel":
        words.append(f"colours for each {view.noun}")
    elif not alike:
        words.append(f"colours {between(drawn.color.low, drawn.color.high)}")
    if drawn.limits is not None and drawn.limits.clipped:
        low, high = drawn.limits.percentiles
        sides = [(drawn.limits.below, "below"), (drawn.limits.above, "above")]
        clipped = ", ".join(f"{percent(share)} {side}" for share, side in sides if share)
        words.append(f"colours for {low:g} to {high:g} % of the values, {clipped}")
    return words


def _broken(view: View) -> list[str]:
    """How many values are no numbers, beside their colour."""
    counts = [(view.numbers.nan, "NaN"), (view.numbers.infinite, "infinite")]
    words = ", ".join(f"{count:,} {name}" for count, name in counts if count)
    return [in_their_colour(words)] if words else []


def _grid(view: View) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, Any]]:
    """The panel of all channels: its traces, the mark on the chosen channel, and its axes."""
    drawn = view.picture
    if not drawn.uri:
        return bars(view)
    hidden = {"visible": False, "constrain": "domain"}
    if drawn.tiles is None:
        return _sequence(view)
    tiles = drawn.tiles
    height, width = tiles.pixels.shape
    over = tile_cells(tiles, *_told(view))
    axes = {
        "xaxis": {**hidden, "range": [0, width]},
        "yaxis": {**hidden, "range": [height, 0], "scaleanchor": "x"},
    }
    shapes = [outline(tiles.box(view.channel))] if view.channel is not None else []
    return [tile_image(drawn.uri), over], shapes, axes


def _sequence(view: View) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, Any]]:
    drawn = view.picture
    count, _, steps = drawn.values.shape
    down, across = drawn.reduced
    place = {"x0": (across - 1) / 2, "dx": across, "y0": (down - 1) / 2, "dy": down}
    image = {"type": "image", "source": drawn.uri, **place, "hoverinfo": "skip"}
    over = unseen_cells(drawn.order[:, np.newaxis], *_told(view))
    over["y"], over["dx"] = np.arange(count), steps
    # With one column Plotly needs the edges to know how wide it is.
    over["x"] = [-0.5, steps - 0.5]
    axes = {
        "xaxis": {"range": [-0.5, steps - 0.5], "title": {"text": "step"}, "showgrid": False, "zeroline": False},
        "yaxis": {
            "range": [count - 0.5, -0.5],
            "title": {"text": "unit" if view.order_name == "index" else "units, in order"},
            "showgrid": False,
            "zeroline": False,
            "scaleanchor": False,
        },
    }
    if (ticks := step_ticks(view, steps)) is not None:
        axes["xaxis"] |= ticks
    shapes = masked_steps(view, steps)
    if view.channel is not None:
        row = int(np.flatnonzero(drawn.order == view.channel)[0])
        shapes += [outline((-0.5, row - 0.5, steps - 0.5, row + 0.5))]
    return [image, over], shapes, axes


def _told(view: View) -> tuple[NDArray[Any], str]:
    """What hover says of a channel: its numbers, and how they are put."""
    per_channel = view.numbers.per_channel
    columns = [
        np.arange(view.numbers.channels),
        per_channel.minimum,
        per_channel.maximum,
        per_channel.mean,
        100 * np.asarray(per_channel.zeros),
    ]
    template = (
        f"<b>{view.noun} %{{customdata[0]:d}}</b><br>%{{customdata[1]:.4g}} to %{{customdata[2]:.4g}}"
        "<br>mean %{customdata[3]:.4g}<br>zeros %{customdata[4]:.1f} %<extra></extra>"
    )
    return np.stack([np.asarray(column, np.float32) for column in columns], axis=-1), template
