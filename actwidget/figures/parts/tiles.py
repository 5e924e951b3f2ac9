"""What a grid of tiles is made of: its picture, and invisible cells for hover and click."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from actwidget.analysis.pixels.mosaic import Mosaic


def arranged(count: int, shape: tuple[int, ...], room: tuple[int, int], *, caption: int, gap: int) -> tuple[int, float]:
    """The number of columns with which tiles are drawn largest, and how wide they are then, in pixels.

    Args:
        count: Of tiles.
        shape: The height and width of a tile, in any unit.
        room: The width and height of the panel in pixels.
        caption: How high the caption above each tile is, in pixels.
        gap: The room between tiles, in pixels.

    >>> arranged(9, (1, 1), (900, 300), caption=18, gap=8)
    (5, 124.0)
    """
    height, width = shape
    sizes = {}
    for columns in range(1, count + 1):
        rows = -(-count // columns)
        across = room[0] / columns - gap
        down = (room[1] / rows - caption - gap) * max(width, 1) / max(height, 1)
        sizes[columns] = min(across, down)
    best = max(sizes, key=lambda columns: (round(sizes[columns], 3), -columns))
    return best, max(sizes[best], 1.0)


def tile_image(uri: str, **axes: str) -> dict[str, Any]:
    """A picture with its upper left corner at 0, where one pixel is one unit of the axes."""
    return {"type": "image", "source": uri, "x0": 0.5, "y0": 0.5, "dx": 1, "dy": 1, "hoverinfo": "skip", **axes}


def tile_cells(tiles: Mosaic, customdata: NDArray[Any], hovertemplate: str, **axes: str) -> dict[str, Any]:
    """An invisible heatmap over a grid, one cell for each tile; `customdata` has a row for each channel."""
    cells = np.full((tiles.rows, tiles.columns), -1)
    cells.flat[: len(tiles.order)] = tiles.order
    heatmap = hover_cells(cells, customdata, hovertemplate)
    heatmap["x"] = np.arange(tiles.columns) * (tiles.tile_width + tiles.gap) + tiles.tile_width / 2
    heatmap["y"] = np.arange(tiles.rows) * (tiles.tile_height + tiles.gap) + tiles.tile_height / 2
    return {**heatmap, **axes}


def hover_cells(cells: NDArray[np.intp], customdata: NDArray[Any], hovertemplate: str) -> dict[str, Any]:
    """An invisible heatmap that answers hover and click with what is known of a channel.

    Args:
        cells: The channel of each cell, -1 where there is none.
        customdata: That of each channel, shape `(channels, columns)`.
        hovertemplate: What hover says of a cell.
    """
    # A cell beyond the last channel has no value, and so no hover.
    z = np.where(cells >= 0, 0.0, np.nan)
    by_cell = customdata.astype(np.float32)[np.maximum(cells, 0)]
    return invisible_heatmap(z, hovertemplate, customdata=by_cell, hoverongaps=False)


def invisible_heatmap(z: NDArray[Any], hovertemplate: str, **more: Any) -> dict[str, Any]:
    """A heatmap of which only the hover labels are visible.

    Args:
        z: Its values, shape `(rows, columns)`.
        hovertemplate: What hover says of a cell.
        **more: Other attributes of the trace.
    """
    look = {"type": "heatmap", "opacity": 0, "showscale": False}
    return {**look, "z": z.astype(np.float32), "hovertemplate": hovertemplate, **more}
