"""Samples in two dimensions of a layer's space, and beside them one sample with its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.analysis.dtypes import FloatArray
from actwidget.figures.boxes import Box, Panel, assembled, hidden_axes
from actwidget.figures.parts.layout import NUMBER_LABELS
from actwidget.figures.parts.palette import ACCENT
from actwidget.figures.parts.text import colored, escape, visible_length
from actwidget.figures.parts.tiles import invisible_heatmap

MAP, NARROW_MAP = Box(0.05, 0.64, 22, 408), Box(0.09, 1.0, 22, 214)
NEAR, NARROW_NEAR = Box(0.68, 1.0, 22, 432), Box(0.0, 1.0, 268, 514)
ALONE, NARROW_ALONE = Box(0.05, 1.0, 22, 408), Box(0.09, 1.0, 22, 500)
SIZE, BIG = 6.0, 8.0
LETTERS = 11
LEGEND, NARROW_LEGEND = 86, 48
"""How many letters fit above the points."""
PICTURE, TEXT = 0.94, 0.42
"""The longer side of a neighbour's picture, and the height of the lines below it, in widths of a column."""


@dataclass(frozen=True, eq=False)
class Group:
    """Points of one colour.

    Attributes:
        name: What they are, in words.
        color: Their colour, or one for each.
        places: Which of the points they are.
        is_on_top: Whether they are larger and drawn over the others.
        is_named: Whether their name stands among them.
    """

    name: str
    color: str | list[str]
    places: npt.NDArray[np.intp]
    is_on_top: bool = False
    is_named: bool = True


@dataclass(frozen=True, eq=False)
class Tile:
    """A sample beside the points.

    Attributes:
        sample: Its number.
        lines: What is said of it, at most two lines.
        source: Its picture as a data URI of a PNG, `""` for none.
        size: The picture's height and width in pixels.
    """

    sample: int
    lines: tuple[str, ...]
    source: str = ""
    size: tuple[int, int] = (1, 1)


@dataclass(frozen=True, eq=False)
class SamplesContent:
    """What the figure shows.

    Attributes:
        title: What stands above it, in parts.
        points: Shape `(samples, 2)`.
        samples: The numbers of the samples, shape `(samples,)`.
        words: What hover says of each sample.
        groups: The points by colour; those drawn last are on top.
        axes: The titles of the two axes.
        picked: Which of the points is chosen; `None` for none.
        near: Which of the points are its neighbours.
        here: Where the explorer's input lies; `None` if that is not known.
        tiles: The chosen sample and its neighbours.
        caption: What stands above these.
        columns: How many of them stand side by side.
    """

    title: Sequence[str]
    points: FloatArray
    samples: Any
    words: Sequence[str]
    groups: Sequence[Group]
    axes: tuple[str, str]
    picked: int | None = None
    near: Sequence[int] = ()
    here: FloatArray | None = None
    tiles: Sequence[Tile] = ()
    caption: str = ""
    columns: int = 3


def samples_spec(content: SamplesContent) -> dict[str, Any]:
    """The figure as a dict of `data` and `layout`. A click on a point carries `["scanned", sample]`."""
    traces = [_trace(content, group) for group in sorted(content.groups, key=lambda group: group.is_on_top)]
    traces = [*_rings(content), *traces, *_above(content), *_names(content)]
    place = (MAP, NARROW_MAP) if content.tiles else (ALONE, NARROW_ALONE)
    axis = {"zeroline": False, "nticks": 5, **NUMBER_LABELS}
    panels = [
        Panel(
            traces,
            *place,
            {**axis, **_range(content, 0), "title": _titled(content.axes[0])},
            {**axis, **_range(content, 1), "title": _titled(content.axes[1])},
            _legend(content.groups, LEGEND),
            _legend(content.groups, NARROW_LEGEND),
        )
    ]
    if content.tiles:
        panels.append(_tiles(content))
    return assembled(" · ".join(content.title), panels, [], {})


def _titled(text: str) -> dict[str, Any]:
    return {"text": text, "standoff": 4, "font": {"size": 11}}


def _range(content: SamplesContent, axis: int) -> dict[str, Any]:
    own = content.points[:, axis]
    ends = [*own.tolist(), *([] if content.here is None else [float(content.here[axis])])]
    low, high = min(ends), max(ends)
    pad = 0.05 * (high - low) or 1.0
    return {"range": [low - pad, high + pad]}


def _legend(groups: Sequence[Group], most: int) -> str:
    """The colours in words; of more than fit only those whose names do not stand among the points."""
    flat = [(group, group.color) for group in groups if isinstance(group.color, str)]
    if sum(visible_length(group.name) + 3 for group, _ in flat) > most:
        flat = [(group, color) for group, color in flat if not group.is_named]
    words = [f"{colored('●', color)} {group.name}" for group, color in flat]
    return "  ".join([*words, *(group.name for group in groups if not isinstance(group.color, str))])


def _trace(content: SamplesContent, group: Group) -> dict[str, Any]:
    places = group.places
    samples = np.asarray(content.samples)[places].tolist()
    size = BIG if group.is_on_top else SIZE
    return {
        "type": "scatter",
        "mode": "markers",
        "x": content.points[places, 0].astype(np.float32),
        "y": content.points[places, 1].astype(np.float32),
        "marker": {"color": group.color, "size": size, "opacity": 0.95 if group.is_on_top else 0.75},
        "customdata": [["scanned", sample] for sample in samples],
        "text": [content.words[place] for place in places.tolist()],
        "hovertemplate": "%{text}<extra></extra>",
        "meta": "thumbnails",
        "cliponaxis": False,  # Plotly clips each point apart otherwise, which takes it twice as long
    }


def _dots(points: FloatArray, size: float, color: str, opacity: float = 1.0) -> dict[str, Any]:
    look = {"color": color, "size": size, "opacity": opacity}
    place = {"x": points[:, 0].astype(np.float32), "y": points[:, 1].astype(np.float32)}
    return {"type": "scatter", "mode": "markers", **place, "marker": look, "hoverinfo": "skip"}


def _rings(content: SamplesContent) -> list[dict[str, Any]]:
    """Wide dots below the neighbours of the chosen point."""
    if not len(content.near):
        return []
    return [_dots(content.points[list(content.near)], 14.0, ACCENT, 0.35)]


def _above(content: SamplesContent) -> list[dict[str, Any]]:
    """The chosen point with a ring, and where the input lies."""
    traces = []
    if content.here is not None:
        mark = _dots(np.asarray(content.here)[np.newaxis], 11.0, ACCENT)
        mark["marker"]["symbol"] = "diamond"
        traces.append({**mark, "hoverinfo": "text", "hovertext": ["the explorer's input"]})
    if content.picked is not None:
        own = content.points[[content.picked]]
        color = next((_color(group, content.picked) for group in content.groups if content.picked in group.places), "")
        traces += [_dots(own, 18.0, ACCENT), _dots(own, 13.0, "#ffffff"), _dots(own, 9.0, color or ACCENT)]
    return traces


def _color(group: Group, place: int) -> str:
    if isinstance(group.color, str):
        return group.color
    return group.color[int(np.flatnonzero(group.places == place)[0])]


def _names(content: SamplesContent) -> list[dict[str, Any]]:
    """The name of each group in the middle of its points."""
    named = [group for group in content.groups if group.is_named and len(group.places) > 1]
    if len(named) < 2:
        return []
    middles = [np.median(content.points[group.places], axis=0) for group in named]
    text = {"type": "scatter", "mode": "text", "text": [f"<b>{group.name}</b>" for group in named], "hoverinfo": "skip"}
    return [{**text, "x": [float(each[0]) for each in middles], "y": [float(each[1]) for each in middles]}]


def _tiles(content: SamplesContent) -> Panel:
    """The chosen sample and its neighbours in rows; a click carries `["scanned", sample]`."""
    tiles, columns = content.tiles, content.columns
    rows = -(-len(tiles) // columns)
    has_pictures = any(tile.source for tile in tiles)
    high = (1.0 if has_pictures else 0.1) + TEXT
    corners = [(place % columns, place // columns * high) for place in range(len(tiles))]
    traces = [_tile_picture(tile, *corner) for tile, corner in zip(tiles, corners, strict=True) if tile.source]
    told = [*([["scanned", tile.sample] for tile in tiles]), *([["none", 0]] * (rows * columns - len(tiles)))]
    cells = np.full(rows * columns, np.nan)
    cells[: len(tiles)] = 0.0
    # The first row of cells begins at 0; the middle of a cell says where it is.
    places = {"x": np.arange(columns) + 0.5, "y": (np.arange(rows + 1)) * high}
    by_row = [told[row * columns : (row + 1) * columns] for row in range(rows)]
    words = [
        [f"sample {each.sample:,}" if each.sample >= 0 else "the input" for each in tiles[start : start + columns]]
        for start in range(0, len(tiles), columns)
    ]
    hover = "%{text}<extra></extra>"
    shaped = cells.reshape(rows, columns)
    traces.append(invisible_heatmap(shaped, hover, customdata=by_row, text=words, hoverongaps=False, **places))
    lines = ["<br>".join(escape(line, LETTERS) for line in tile.lines) for tile in tiles]
    lines[0] = f"<b>{lines[0]}</b>"
    text: dict[str, Any] = {"type": "scatter", "mode": "text", "text": lines, "textposition": "bottom right"}
    text |= {"x": [x for x, _ in corners], "y": [y + high - TEXT for _, y in corners], "textfont": {"size": 10}}
    traces.append({**text, "cliponaxis": False, "hoverinfo": "skip"})
    x, y = hidden_axes(columns, rows * high, "x2")
    return Panel(traces, NEAR, NARROW_NEAR, x, y, content.caption)


def _tile_picture(tile: Tile, x: float, y: float) -> dict[str, Any]:
    """The picture of a tile whose upper left corner is given."""
    height, width = tile.size
    step = PICTURE / max(height, width)
    origin = {"x0": x + step / 2, "y0": y + step / 2, "dx": step, "dy": step}
    return {"type": "image", "source": tile.source, **origin, "hoverinfo": "skip"}
