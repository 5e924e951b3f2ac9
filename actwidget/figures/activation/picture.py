"""All channels of one sample as one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.axes import channels, kind_of, slice_label
from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.pixels.color_limits import limits
from actwidget.analysis.pixels.levels import GAP_LEVEL, levels
from actwidget.analysis.pixels.mosaic import Mosaic, Tiling, mosaic
from actwidget.analysis.pixels.pooling import magnitude_pooled
from actwidget.figures.activation.content import Picture, Scaling
from actwidget.figures.parts.palette import ColorRange
from actwidget.figures.parts.palette_png import palette_png

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from actwidget.analysis.statistics import ChannelStatistics, Statistics

ORDERS = {
    "index": "automatic",
    "number": "number",
    "mean": "mean",
    "maximum": "maximum",
    "standard_deviation": "spread",
    "zeros": "fewest zeros",
    "effect": "effect on the answer",
}
"""The orders of channels by name, and what they are called on screen. The last one needs more than statistics."""
STRONGEST = "strongest"
"""The order of channels that do not fit on one page: by the root mean square."""
GRID_ASPECT = 1.18
BARS_LIMIT = 256
"""A vector of no more units is drawn as bars."""
MAX_PIXELS = 1_000_000
"""A picture of more pixels is reduced to no more than half as many, as `mosaic` does it."""


def channel_order(statistics: Statistics, name: str) -> NDArray[np.intp]:
    """The channels in one of the orders: largest first, fewest zeros first.

    Args:
        statistics: The statistics that they are ordered by.
        name: A key of `ORDERS`, of which `"index"` and `"effect"` are by number here, or `STRONGEST`.

    Returns:
        intp `(channels,)`. Among equals the lower index comes first.
    """
    if name in {"index", "number", "effect"}:
        return np.arange(statistics.channels)
    each = statistics.per_channel
    if name == STRONGEST:
        keys = np.hypot(np.asarray(each.mean, np.float64), np.asarray(each.standard_deviation, np.float64))
    else:
        keys = np.asarray(getattr(each, name), np.float64)
    keys = np.nan_to_num(keys, nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    return np.argsort(keys if name == "zeros" else -keys, kind="stable")


def order_words(name: str, *, is_paged: bool = False) -> str:
    """An order of channels in words.

    >>> order_words("index"), order_words("index", is_paged=True), order_words("zeros")
    ('by number', 'strongest first', 'by fewest zeros')
    """
    if name == "index":
        return "strongest first" if is_paged else "by number"
    return f"by {ORDERS[name]}"


@ignore_float_errors
def picture(
    sample: NDArray[Any],
    statistics: Statistics,
    order: NDArray[np.intp],
    scaling: Scaling = "layer",
    *,
    at: tuple[int, ...] | None = None,
    tiling: Tiling | None = None,
    page: int = 0,
) -> Picture:
    """Draws all channels of one sample.

    Args:
        sample: One sample's activation, shape `(height, width, channels)`, `(time, units)`, `(units,)`, or any other.
        statistics: The sample's statistics.
        order: The channels in the order in which they are shown.
        scaling: `"layer"` for one colour range, `"robust"` for one that leaves the most extreme values out, `"channel"`
            for a range of its own for each channel.
        at: Of a volume the slice, an index for each axis before height and width; by default the middle.
        tiling: How maps are divided into pages; by default all are on one page.
        page: Which page.

    Returns:
        The picture, with the place of each channel, and what its colours mean.

    Raises:
        IndexError: There is no slice `at`.
        TypeError: `sample` holds no numbers; `values_spec` shows it.
    """
    kind = kind_of(sample.shape, sample.dtype)
    values = channels(sample, at=at)
    if scaling == "channel" and sample.size == statistics.channels:
        scaling = "layer"  # a single value has no range of its own
    where = slice_label(sample.shape, at=at) if kind == "volume" else ""
    bounded = limits(sample) if scaling == "robust" else None
    color = ColorRange.of(
        *((statistics.minimum, statistics.maximum) if bounded is None else (bounded.low, bounded.high))
    )
    low: Any = color.low
    high: Any = color.high
    if scaling == "channel":
        low, high = _channel_ranges(statistics.per_channel, color)
    if (kind == "units" and len(order) <= BARS_LIMIT) or kind == "scalar":
        return Picture("", None, values, order, color, kind, scaling, bounded, where)
    # Infinity gets the colour of NaN: in the colour of the highest value it would not be noticed.
    colored = np.where(np.isfinite(values), values, np.nan) if statistics.infinite else values
    if kind == "sequence":
        ordered = colored[order, 0, :]
        # Units that each have their own range can't be compared by magnitude.
        reduction = _sequence_reduction(*ordered.shape, units=scaling != "channel")
        if reduction != (1, 1):
            ordered = magnitude_pooled(ordered, reduction)
        if scaling == "channel":
            low, high = low[order][:, np.newaxis], high[order][:, np.newaxis]
        uri = palette_png(levels(ordered, low, high), color.scale)
        return Picture(uri, None, values, order, color, kind, scaling, bounded, where, reduction)
    constant = np.asarray(statistics.per_channel.constant) if values[0].size > 1 else None
    places, pages = (None, 1) if tiling is None else (tiling[:2], tiling.pages)
    on_page = order if tiling is None else order[page * tiling.per_page : (page + 1) * tiling.per_page]
    tiles = mosaic(colored, low=low, high=high, order=on_page, aspect=GRID_ASPECT, max_pixels=MAX_PIXELS, grid=places)
    if constant is not None:
        _clear(tiles, constant)
    uri = palette_png(tiles.pixels, color.scale)
    return Picture(
        uri, tiles, values, order, color, kind, scaling, bounded, where, page=page, pages=pages, constant=constant
    )


def _clear(tiles: Mosaic, constant: NDArray[np.bool_]) -> None:
    """Makes the tiles of constant channels transparent."""
    for channel in tiles.order[constant[tiles.order]].tolist():
        x0, y0, x1, y1 = tiles.box(channel)
        tiles.pixels[y0:y1, x0:x1] = GAP_LEVEL


def _channel_ranges(each: ChannelStatistics, color: ColorRange) -> tuple[NDArray[Any], NDArray[Any]]:
    """The lower and the upper end of each channel's own range of colours."""
    ranges = [ColorRange.of(*extremes) for extremes in zip(each.minimum, each.maximum, strict=True)]
    low, high = np.array([own.low for own in ranges]), np.array([own.high for own in ranges])
    if color.scale != "balance":
        return low, high
    # A picture has one scale. A channel of one sign takes the half of that sign, from its least to its largest
    # magnitude: with zero in the middle a channel from 14.1 to 14.2 would look as if it had no variation.
    return np.where(low >= 0, 2 * low - high, low), np.where(high <= 0, 2 * high - low, high)


def _sequence_reduction(rows: int, columns: int, *, units: bool) -> tuple[int, int]:
    """How many units (where `units` allows it) and steps of a sequence become one pixel."""
    down = across = 1
    if rows * columns <= MAX_PIXELS:
        return down, across
    while -(-rows // down) * -(-columns // across) > MAX_PIXELS // 2 and (units or across < columns):
        if units and rows * across > columns * down:
            down += 1
        else:
            across += 1
    return down, across
