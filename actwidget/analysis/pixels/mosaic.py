"""All channels of a layer as tiles of one picture of 256 levels, and the place of each channel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from actwidget.analysis.dtypes import as_floats
from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.pixels.levels import GAP_LEVEL, Pixels, levels
from actwidget.analysis.pixels.pooling import magnitude_pooled

_GAP_SHARE = 0.04


@dataclass(frozen=True, eq=False)
class Mosaic:
    """One picture of all channels.

    Attributes:
        pixels: uint8 `(height, width)`: 0 to 253 from low to high, `NAN_LEVEL`, or `GAP_LEVEL` between the tiles.
        order: `(channels,)`, which channel is at each position; positions run along the rows.
        columns: Tiles in a row.
        rows: Rows of tiles; the last may be partly empty.
        tile_height: Of one tile, in pixels (after the reduction).
        tile_width: Of one tile, in pixels (after the reduction).
        gap: Pixels between neighbouring tiles; there are none around the whole.
        reduction: How many values of a channel, along each axis, one pixel stands for; 1 when every value is shown.
            A pixel then shows the value with the largest magnitude.
    """

    pixels: Pixels
    order: npt.NDArray[np.intp]
    columns: int
    rows: int
    tile_height: int
    tile_width: int
    gap: int
    reduction: int = 1

    def position(self, channel: int) -> tuple[int, int]:
        """Give the (row, column) of a channel's tile.

        Args:
            channel: Index of a channel that is in `order`.

        Raises:
            IndexError: No tile shows this channel.
        """
        if channel not in self._positions:
            message = f"Channel {channel} has no tile: expected one of the {len(self.order)} channels in the picture."
            raise IndexError(message)
        row, column = divmod(self._positions[channel], self.columns)
        return row, column

    def channel_at(self, row: int, column: int) -> int | None:
        """Give the channel whose tile is at a row and column, or None where there is no tile.

        Args:
            row: Of tiles, from 0 at the top.
            column: Of tiles, from 0 on the left.
        """
        position = row * self.columns + column
        if row < 0 or not 0 <= column < self.columns or position >= len(self.order):
            return None
        return int(self.order[position])

    def box(self, channel: int) -> tuple[int, int, int, int]:
        """Give (x0, y0, x1, y1) of a channel's tile: `pixels[y0:y1, x0:x1]` is the tile.

        Args:
            channel: Index of a channel that is in `order`.

        Raises:
            IndexError: No tile shows this channel.
        """
        row, column = self.position(channel)
        y0, x0 = row * (self.tile_height + self.gap), column * (self.tile_width + self.gap)
        return x0, y0, x0 + self.tile_width, y0 + self.tile_height

    @cached_property
    def _positions(self) -> dict[int, int]:
        return {int(channel): position for position, channel in enumerate(self.order)}


def columns_for(channels: int, height: int, width: int, *, aspect: float) -> int:
    """Choose the columns with which a grid of tiles fills its panel best.

    Args:
        channels: How many tiles.
        height: Of one tile, in pixels.
        width: Of one tile, in pixels.
        aspect: The panel's width divided by its height.

    Returns:
        The number of columns, at least 1, that lets the tiles be drawn largest; among equals the one that leaves
        the fewest cells empty.

    >>> columns_for(96, 112, 112, aspect=1.5)
    12
    >>> columns_for(64, 1, 100, aspect=1.3)
    1
    """
    if channels <= 1:
        return 1
    columns = np.arange(1, channels + 1)
    rows = -(-channels // columns)
    scale = np.minimum(aspect / (columns * max(width, 1)), 1.0 / (rows * max(height, 1)))
    largest = np.flatnonzero(scale >= scale.max() * (1 - 1e-9))
    return int(columns[largest[np.argmin((rows * columns)[largest])]])


class Tiling(NamedTuple):
    """How a grid of tiles is divided into pages.

    Attributes:
        rows: Rows of tiles on a page.
        columns: Tiles in a row.
        pages: How many pages there are.
    """

    rows: int
    columns: int
    pages: int = 1

    @property
    def per_page(self) -> int:
        """How many tiles a page holds."""
        return self.rows * self.columns


def tiling(
    count: int, height: int, width: int, *, room: tuple[float, float], least: float, paged: float | None = None
) -> Tiling:
    """Divide tiles into as few pages as leave each one large enough.

    Args:
        count: How many tiles.
        height: Of one tile, in cells of a map.
        width: Of one tile, in cells of a map.
        room: The width and height of the panel, in pixels of the screen.
        least: How long the longer side of a tile has to be for all to be on one page, in pixels of the screen.
        paged: The same where there are several pages; by default it is equal.

    Returns:
        One page with the largest tiles that fit, if these are large enough; otherwise pages of as many tiles as fit.

    >>> tiling(96, 112, 112, room=(520, 440), least=30)
    Tiling(rows=9, columns=11, pages=1)
    >>> tiling(512, 7, 7, room=(520, 440), least=40)
    Tiling(rows=10, columns=12, pages=5)
    """
    columns = columns_for(count, height, width, aspect=room[0] / room[1])
    rows = max(1, -(-count // columns))
    longer = max(height, width, 1)
    spaced = 1 + _GAP_SHARE  # a tile with the gap beside it
    scale = min(room[0] / (columns * spaced * max(width, 1)), room[1] / (rows * spaced * max(height, 1)))
    if scale * longer >= least:
        return Tiling(rows, columns)
    unit = (paged or least) * spaced / longer
    columns, rows = (
        max(1, int(side / (unit * max(length, 1)))) for side, length in zip(room, (width, height), strict=True)
    )
    return Tiling(rows, columns, -(-count // (rows * columns)))


@ignore_float_errors
def mosaic(
    channels: npt.NDArray[Any],
    *,
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    order: npt.ArrayLike | None = None,
    aspect: float = 1.3,
    gap: int | None = None,
    max_pixels: int = 1_000_000,
    grid: tuple[int, int] | None = None,
) -> Mosaic:
    """Tile all channels into one picture.

    Args:
        channels: `(channels, height, width)`, of any numeric dtype. A channels-first view of a channels-last array
            is as quick as a plain one.
        low: The value of level 0: a number, or `(channels,)` for a range of its own for each channel.
        high: The value of level 253, like `low`.
        order: Which channels to show, in which order, without repeats; all of them as they come by default.
        aspect: Width by height of the panel that the picture should fill.
        gap: Pixels between tiles; by default about 4 % of a tile, at least 1, and none between single cells.
        max_pixels: A picture of more pixels is reduced by the least whole factor that leaves no more than half as many,
            which is still more than a screen shows.
        grid: The rows and columns of tiles; by default those that fill the panel best.

    Returns:
        The picture, with the place of every channel in it. It has at least one pixel, even for no channels.

    >>> picture = mosaic(np.arange(12.0).reshape(3, 2, 2), low=0, high=11, aspect=3)
    >>> picture.columns, picture.rows, picture.gap
    (3, 1, 1)
    >>> picture.pixels[0].tolist()
    [0, 23, 255, 92, 115, 255, 184, 207]
    """
    values = as_floats(np.asarray(channels))
    count, height, width = values.shape
    shown = np.arange(count) if order is None else np.asarray(order, dtype=np.intp)
    factor = _reduction(shown.size, height, width, aspect=aspect, gap=gap, max_pixels=max_pixels, grid=grid)
    tile_height, tile_width = _tile(height, width, factor)
    columns, rows, between = _layout(shown.size, tile_height, tile_width, aspect, gap, grid=grid)

    canvas = np.full((rows, tile_height + between, columns, tile_width + between), GAP_LEVEL, dtype=np.uint8)
    if shown.size and height and width:
        quantised = levels(values if factor == 1 else magnitude_pooled(values, (factor, factor)), low, high)
        if order is not None:
            # Selecting channels is slow in a channels-first view; in a contiguous array it copies whole tiles.
            quantised = np.ascontiguousarray(quantised)[shown]
        _fill(canvas[:, :tile_height, :, :tile_width], quantised)
    flat = canvas.reshape(rows * (tile_height + between), columns * (tile_width + between))
    pixels = np.ascontiguousarray(flat[: flat.shape[0] - between, : flat.shape[1] - between])
    return Mosaic(pixels, shown, columns, rows, tile_height, tile_width, between, factor)


def _fill(tiles: Pixels, quantised: Pixels) -> None:
    """Copy channels `(channels, height, width)` to their places in `tiles` `(rows, height, columns, width)`."""
    columns = tiles.shape[2]
    full, rest = divmod(len(quantised), columns)
    grid = quantised[: full * columns].reshape(full, columns, *quantised.shape[1:])
    tiles[:full] = grid.transpose(0, 2, 1, 3)
    if rest:
        tiles[full, :, :rest] = quantised[full * columns :].transpose(1, 0, 2)


def _tile(height: int, width: int, factor: int) -> tuple[int, int]:
    return max(1, -(-height // factor)), max(1, -(-width // factor))


def _layout(
    count: int, height: int, width: int, aspect: float, gap: int | None, *, grid: tuple[int, int] | None
) -> tuple[int, int, int]:
    """Choose columns, rows and gap for tiles of a size."""
    if grid is None:
        columns = columns_for(count, height, width, aspect=aspect)
        rows = max(1, -(-count // columns))
    else:
        rows, columns = grid
    if gap is not None:
        return columns, rows, gap
    # Between tiles one pixel high or wide a gap would take as much room as the values; it is left out where each tile
    # is still recognisable.
    if (height == 1 and (width == 1 or columns == 1)) or (width == 1 and rows == 1):
        return columns, rows, 0
    return columns, rows, max(1, round(_GAP_SHARE * min(height, width)))


def _reduction(
    count: int,
    height: int,
    width: int,
    *,
    aspect: float,
    gap: int | None,
    max_pixels: int,
    grid: tuple[int, int] | None,
) -> int:
    """Find the least factor that keeps the picture with its gaps within `max_pixels`, if reduced within half of it."""

    def fits(factor: int) -> bool:
        tile_height, tile_width = _tile(height, width, factor)
        columns, rows, between = _layout(count, tile_height, tile_width, aspect, gap, grid=grid)
        limit = max_pixels if factor == 1 else max_pixels // 2
        return rows * (tile_height + between) * columns * (tile_width + between) <= limit

    factor = max(1, int((count * height * width / max_pixels) ** 0.5))
    while factor < max(height, width) and not fits(factor):
        factor += 1
    return factor
