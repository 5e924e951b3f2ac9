"""The panel of all channels: tiles of feature maps, or a row for each unit of a sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.figures.activation.steps import masked_steps, step_ticks
from actwidget.figures.activation.units import unit_bars
from actwidget.figures.panels import Panel
from actwidget.figures.parts.marks import outlined
from actwidget.figures.parts.text import plain
from actwidget.figures.parts.tiles import hover_cells, tile_cells, tile_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from actwidget.analysis.pixels.mosaic import Mosaic
    from actwidget.figures.activation.content import ActivationContent


PALE = [[0, "rgba(128,128,128,0)"], [1, "rgba(128,128,128,0.22)"]]
MOST_TEXTS = 120
"""Where more channels have no variation, they are pale grey without a number: each text takes time to draw."""


def grid(content: ActivationContent) -> Panel:
    """All channels, and the mark on the chosen one."""
    drawn = content.picture
    if not drawn.uri:
        return unit_bars(content)
    return _sequence(content) if drawn.tiles is None else _tiles(content, drawn.tiles)


def _tiles(content: ActivationContent, tiles: Mosaic) -> Panel:
    height, width = tiles.pixels.shape
    hidden = {"visible": False, "constrain": "domain"}
    axes = {
        "xaxis": {**hidden, "range": [0, width], "constraintoward": "left"},
        "yaxis": {**hidden, "range": [height, 0], "scaleanchor": "x"},
    }
    is_there = content.channel is not None and content.channel in tiles.order
    for name, ticks in _token_axes(content, tiles).items():
        axes[name] |= ticks
    shapes = outlined(tiles.box(content.channel)) if content.channel is not None and is_there else []
    cells = tile_cells(tiles, *_channel_hover(content))
    if (constant := content.picture.constant) is not None and constant[tiles.order].any():
        # The picture is transparent there; a pale grey on any page is what a channel without variation has.
        cells["z"].flat[: len(tiles.order)] = constant[tiles.order]
        cells |= {"opacity": 1, "zmin": 0, "zmax": 1, "colorscale": PALE, "xgap": 2, "ygap": 2}
    return Panel([tile_image(content.picture.uri), cells], axes, shapes=shapes)


def _token_axes(content: ActivationContent, tiles: Mosaic) -> dict[str, dict[str, Any]]:
    """The axes of the only head's scores named by tokens: queries down, keys across."""
    if content.channel_label != "head" or len(tiles.order) != 1:
        return {}
    left, top, right, bottom = tiles.box(int(tiles.order[0]))
    rows, columns = content.picture.values.shape[1:]
    found = {}
    for name, start, end, steps in (("xaxis", left, right, columns), ("yaxis", top, bottom, rows)):
        if (ticks := step_ticks(content, steps)) is not None:
            at = [start + (place + 0.5) * (end - start) / steps for place in ticks["tickvals"]]
            found[name] = {**ticks, "tickvals": at, "visible": True, "showgrid": False, "zeroline": False}
    if "yaxis" in found:
        found["yaxis"] |= {"tickangle": 0, "automargin": True, "title": {"text": "query"}}
    if "xaxis" in found:
        found["xaxis"] |= {"title": {"text": "key"}}
    return found


def constant_texts(content: ActivationContent) -> list[dict[str, Any]]:
    """The value of each channel that has one at all places, written over its tile."""
    tiles, constant = content.picture.tiles, content.picture.constant
    if tiles is None or constant is None:
        return []
    channels = tiles.order[constant[tiles.order]].tolist()
    if not 0 < len(channels) <= MOST_TEXTS:
        return []
    boxes = [tiles.box(channel) for channel in channels]
    values = np.asarray(content.statistics.per_channel.minimum)[channels].tolist()
    text = {
        "type": "scatter",
        "mode": "text",
        "x": [(x0 + x1) / 2 for x0, _, x1, _ in boxes],
        "y": [(y0 + y1) / 2 for _, y0, _, y1 in boxes],
        "text": [plain(value) for value in values],
        "textfont": {"size": 10},
        "hoverinfo": "skip",
    }
    return [text]


def _sequence(content: ActivationContent) -> Panel:
    drawn = content.picture
    count, _, steps = drawn.values.shape
    down, across = drawn.reduction
    place = {"x0": (across - 1) / 2, "dx": across, "y0": (down - 1) / 2, "dy": down}
    image = {"type": "image", "source": drawn.uri, **place, "hoverinfo": "skip"}
    cells = hover_cells(drawn.order[:, np.newaxis], *_channel_hover(content))
    cells["y"], cells["dx"] = np.arange(count), steps
    # With one column Plotly needs the edges to know how wide it is.
    cells["x"] = [-0.5, steps - 0.5]
    axes = {
        "xaxis": {"range": [-0.5, steps - 0.5], "title": {"text": "step"}, "showgrid": False, "zeroline": False},
        "yaxis": {
            "range": [count - 0.5, -0.5],
            "title": {"text": "unit" if content.order_name in {"index", "number"} else "units, in order"},
            "showgrid": False,
            "zeroline": False,
            "scaleanchor": False,
        },
    }
    if (ticks := step_ticks(content, steps)) is not None:
        axes["xaxis"] |= ticks
    shapes = masked_steps(content, steps)
    if content.channel is not None:
        row = int(np.flatnonzero(drawn.order == content.channel)[0])
        shapes += outlined((-0.5, row - 0.5, steps - 0.5, row + 0.5))
    return Panel([image, cells], axes, shapes=shapes)


def _channel_hover(content: ActivationContent) -> tuple[NDArray[Any], str]:
    """What hover says of each channel: its statistics, shape `(channels, 5)`, and the template that shows them."""
    per_channel = content.statistics.per_channel
    columns = [
        np.arange(content.statistics.channels),
        per_channel.minimum,
        per_channel.maximum,
        per_channel.mean,
        100 * np.asarray(per_channel.zeros),
    ]
    template = (
        f"<b>{content.channel_label} %{{customdata[0]:d}}</b><br>%{{customdata[1]:.4g}} to %{{customdata[2]:.4g}}"
        "<br>mean %{customdata[3]:.4g}<br>zeros %{customdata[4]:.1f} %<extra></extra>"
    )
    return np.stack([np.asarray(column, np.float32) for column in columns], axis=-1), template
