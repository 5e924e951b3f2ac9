"""One layer's channels at the chosen moment, beside those of now, in the same colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.pixels.mosaic import mosaic
from actwidget.figures.boxes import Panel, axis_of, hidden_axes
from actwidget.figures.parts.nonfinite import finite_or_nan
from actwidget.figures.parts.palette import ColorRange
from actwidget.figures.parts.palette_png import palette_png
from actwidget.figures.parts.text import between
from actwidget.figures.parts.tiles import tile_cells, tile_image
from actwidget.figures.training.places import NARROW_NOW, NARROW_THEN, NOW, THEN

if TYPE_CHECKING:
    from actwidget.figures.boxes import Box
    from actwidget.figures.training.content import Channels, LayerOverTime

ASPECT = 0.72
"""The width of a panel divided by its height."""
PIXELS = 160_000


@ignore_float_errors
def channel_panels(layer: LayerOverTime, first: int) -> list[Panel]:
    """The two panels.

    Args:
        layer: The chosen layer.
        first: The number of the first panel in the figure.
    """
    known = [each.values for each in (layer.then, layer.now) if each.values is not None]
    color = ColorRange.over(*known)
    return [
        _panel(each, name, color, (wide, narrow), first + place)
        for place, (each, name, wide, narrow) in enumerate(
            ((layer.then, "then", THEN, NARROW_THEN), (layer.now, "now", NOW, NARROW_NOW))
        )
    ]


def _panel(shown: Channels, name: str, color: ColorRange, boxes: tuple[Box, Box], number: int) -> Panel:
    words = f"<b>{name}</b>: step {shown.step:,}"
    if shown.values is None:
        empty: dict[str, Any] = {"type": "scatter", "x": [None], "y": [None], "hoverinfo": "skip"}
        bare = {"visible": False}
        return Panel([empty], *boxes, bare, bare, f"{words}<br>no picture was kept")
    tiles = mosaic(finite_or_nan(shown.values), low=color.low, high=color.high, aspect=ASPECT, max_pixels=PIXELS)
    height, width = tiles.pixels.shape
    x, y = hidden_axes(width, height, f"x{axis_of(number)}")
    means = np.nanmean(shown.values.reshape(len(shown.values), -1), axis=1)
    cells = tile_cells(
        tiles,
        np.stack([np.full(len(means), -2), np.arange(len(means)), means], axis=-1),
        "channel %{customdata[1]:d}<br>mean %{customdata[2]:.4g}<extra></extra>",
    )
    caption = f"{words}<br>{between(color.low, color.high)}"
    return Panel([tile_image(palette_png(tiles.pixels, color.scale)), cells], *boxes, x, y, caption)
