"""What a grid of tiles is made of: its picture, the unseen cells that answer hover and click, the mark on one tile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.figures.parts.palette import ACCENT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from actwidget.analysis.pixels.mosaic import Mosaic


def tile_image(uri: str, **axes: str) -> dict[str, Any]:
    """A picture whose upper left corner is at 0, one unit a pixel."""
    return {"type": "image", "source": uri, "x0": 0.5, "y0": 0.5, "dx": 1, "dy": 1, "hoverinfo": "skip", **axes}


def tile_cells(tiles: Mosaic, rows: NDArray[Any], hovertemplate: str, **axes: str) -> dict[str, Any]:
    """An unseen heatmap over a grid, one cell a tile; `rows` holds the `customdata` of each channel."""
    cells = np.full((tiles.rows, tiles.columns), -1)
    cells.flat[: len(tiles.order)] = tiles.order
    over = unseen_cells(cells, rows, hovertemplate)
    over["x"] = np.arange(tiles.columns) * (tiles.tile_width + tiles.gap) + tiles.tile_width / 2
    over["y"] = np.arange(tiles.rows) * (tiles.tile_height + tiles.gap) + tiles.tile_height / 2
    return {**over, **axes}


def unseen_cells(cells: NDArray[np.intp], rows: NDArray[Any], hovertemplate: str) -> dict[str, Any]:
    """A heatmap that answers hover and click but shows nothing.

    Args:
        cells: The channel of each cell, -1 where there is none.
        rows: The `customdata` of each channel, shape `(channels, columns)`.
        hovertemplate: What is said of a cell.
    """
    # A cell beyond the last channel has no value, so it neither answers nor shows.
    z, told = np.where(cells >= 0, 0.0, np.nan), rows.astype(np.float32)[np.maximum(cells, 0)]
    return unseen(z, hovertemplate, customdata=told, hoverongaps=False)


def unseen(z: NDArray[Any], hovertemplate: str, **more: Any) -> dict[str, Any]:
    """A heatmap of which nothing is seen but what it says on hover.

    Args:
        z: Its values, shape `(rows, columns)`.
        hovertemplate: What is said of a cell.
        **more: Other attributes of the trace.
    """
    look = {"type": "heatmap", "opacity": 0, "showscale": False}
    return {**look, "z": z.astype(np.float32), "hovertemplate": hovertemplate, **more}


def outline(box: tuple[float, float, float, float], **axes: str) -> dict[str, Any]:
    """The mark on the chosen tile."""
    x0, y0, x1, y1 = box
    return {"type": "rect", "x0": x0, "y0": y0, "x1": x1, "y1": y1, "line": {"color": ACCENT, "width": 3}, **axes}
