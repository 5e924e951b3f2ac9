"""One channel over many samples: maps and sequences as tiles on one colour range, single values as bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.pixels.levels import GAP_LEVEL
from actwidget.analysis.pixels.mosaic import Mosaic, mosaic
from actwidget.figures.parts.bars import bar_marker, nonfinite_bars
from actwidget.figures.parts.color_strip import color_strip
from actwidget.figures.parts.heatmap import color_axis, dark_axis
from actwidget.figures.parts.layout import HEIGHT, NARROW_HEIGHT, base_layout
from actwidget.figures.parts.marks import outlined
from actwidget.figures.parts.nonfinite import finite_or_nan, nonfinite_legend, nonfinite_text
from actwidget.figures.parts.palette import ColorRange
from actwidget.figures.parts.palette_png import palette_png
from actwidget.figures.parts.text import NARROW_LIMIT, escape, reduction_text
from actwidget.figures.parts.tiles import arranged, invisible_heatmap, tile_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PAGE = 48
"""The most samples in one figure: the tiles are at least 24 pixels high then, also on a narrow page."""
TOP, BOTTOM, SIDE, STRIP = 30, 30, 8, 40
"""In pixels: above, below and beside the panel, and the colour strip with the room above it."""
CAPTION, GAP = 18, 6
"""In pixels: a caption above a tile, and the room between tiles."""
LETTER = 7
"""How many pixels a letter of a caption takes at most."""
ROW, STRIPE = 42, 40
"""In pixels: the least height of a row of sequences with its caption, and the greatest height of one sequence."""


@ignore_float_errors
def every_sample_spec(
    title: str,
    values: NDArray[Any],
    *,
    samples: Sequence[int],
    labels: Sequence[str],
    selected: int,
    words: Sequence[str] = (),
    room: tuple[int, int] = (800, HEIGHT),
) -> dict[str, Any]:
    """One channel over some samples, as a dict of `data` and `layout`. A click carries `["sample", number]`.

    Args:
        title: The layer's path.
        values: Those of the channel, shape `(samples, height, width)`, `(samples, steps)` or `(samples,)`.
        samples: The number of each sample.
        labels: What else is known of each, `""` for nothing.
        selected: The number of the sample that is marked.
        words: What else stands in the title, such as which channel it is.
        room: The width and height of the figure on the page, in pixels, which the tiles fill.

    Returns:
        What Plotly draws. The layout has the height of the panel.
    """
    parts = [escape(title, NARROW_LIMIT), *map(escape, words)]
    if legend := nonfinite_text(values):
        parts.append(nonfinite_legend(legend))
    if values.ndim == 1:
        return _bars(parts, values, samples, labels, selected)
    return _tiles(parts, values, samples, labels, selected, room=room)


def _tiles(
    parts: list[str],
    values: NDArray[Any],
    samples: Sequence[int],
    labels: Sequence[str],
    selected: int,
    *,
    room: tuple[int, int],
) -> dict[str, Any]:
    color = ColorRange.over(values)
    across, down = room[0] - 2 * SIDE, room[1] - TOP - BOTTOM
    maps = values if values.ndim == 3 else _stripes(values, (across, down - STRIP))
    columns, size = arranged(len(maps), maps.shape[1:], (across, down - STRIP), caption=CAPTION, gap=GAP)
    tiles = mosaic(finite_or_nan(maps), low=color.low, high=color.high, gap=0, aspect=_flat(len(maps), maps.shape))
    if tiles.reduction > 1:
        parts.append(reduction_text(tiles.reduction))
    pixel = size / tiles.tile_width  # in pixels of the page
    above, gap = max(round(CAPTION / pixel), 1), max(round(GAP / pixel), 1)
    pixels, boxes = _captioned(tiles, columns, above, gap)
    height, width = pixels.shape
    cells = _cells(boxes, samples, columns, values)
    captions = {
        "type": "scatter",
        "mode": "text",
        "x": [box[0] for box in boxes],
        "y": [box[1] - above / 2 for box in boxes],
        "text": _captions(samples, labels, int(size / LETTER), selected),
        "textposition": "middle right",
        "hoverinfo": "skip",
        "cliponaxis": False,
    }
    traces = [tile_image(palette_png(pixels, color.scale)), cells, captions]
    hidden = {"visible": False, "constrain": "domain", "fixedrange": True}
    layout = base_layout(" · ".join(parts), margin={"l": SIDE, "r": SIDE, "t": TOP, "b": BOTTOM})
    share = STRIP / down
    layout |= {
        "xaxis": {**hidden, "range": [0, width], "constraintoward": "left"},
        "yaxis": {**hidden, "range": [height, 0], "scaleanchor": "x", "domain": [share, 1]},
    }
    layout["yaxis"]["constraintoward"] = "top"
    traces.append(color_strip(color, xaxis="x2", yaxis="y2"))
    layout |= {
        "coloraxis": color_axis(color),
        "xaxis2": {"domain": [0, 0.5], "anchor": "y2", "fixedrange": True, "showgrid": False, "zeroline": False},
        "yaxis2": {"domain": [0, 0.03], "anchor": "x2", "range": [0, 1], "visible": False, "fixedrange": True},
    }
    layout["xaxis2"]["range"] = [color.low, color.high if color.high > color.low else color.low + 1]
    layout["meta"]["narrow"]["xaxis2.domain"] = [0, 1]
    layout["meta"]["dark"] = dark_axis(color)
    if selected in samples:
        layout["shapes"] = outlined(boxes[list(samples).index(selected)])
    layout["font"] = {**layout["font"], "size": 11}
    return {"data": traces, "layout": _of_one_height(layout)}


def _stripes(values: NDArray[Any], room: tuple[int, int]) -> NDArray[Any]:
    """A map for each sequence: each step as high as makes the maps fill the room.

    Args:
        values: Shape `(samples, steps)`.
        room: The width and height of the panel in pixels.
    """
    columns = -(-len(values) // max(room[1] // ROW, 1))
    rows = -(-len(values) // columns)
    height, width = min(room[1] / rows - CAPTION - GAP, STRIPE), room[0] / columns - GAP
    return np.repeat(values[:, np.newaxis], max(round(values.shape[1] * height / width), 1), axis=1)


def _flat(count: int, shape: tuple[int, ...]) -> float:
    """The ratio of a picture with all tiles in one row."""
    return count * max(shape[2], 1) / max(shape[1], 1)


def _captioned(
    tiles: Mosaic, columns: int, above: int, gap: int
) -> tuple[NDArray[np.uint8], list[tuple[int, int, int, int]]]:
    """The tiles of a mosaic in other columns, with room above each; and the box of each."""
    count, height, width = len(tiles.order), tiles.tile_height, tiles.tile_width
    rows = -(-count // columns)
    pixels = np.full((rows * (above + height + gap), columns * (width + gap)), GAP_LEVEL, np.uint8)
    boxes = []
    for place in range(count):
        row, column = divmod(place, columns)
        left, top, right, bottom = tiles.box(place)
        x0, y0 = column * (width + gap), row * (above + height + gap) + above
        pixels[y0 : y0 + height, x0 : x0 + width] = tiles.pixels[top:bottom, left:right]
        boxes.append((x0, y0, x0 + width, y0 + height))
    return np.ascontiguousarray(pixels[: pixels.shape[0] - gap, : pixels.shape[1] - gap]), boxes


def _cells(
    boxes: Sequence[tuple[int, int, int, int]],
    samples: Sequence[int],
    columns: int,
    values: NDArray[Any],
) -> dict[str, Any]:
    """What answers a click and a pointer over each tile."""
    count = len(samples)
    rows = -(-count // columns)
    places = np.full((rows, columns), -1)
    places.flat[:count] = np.arange(count)
    flat = values.reshape(count, -1)
    ends = [np.min(flat, axis=1), np.mean(flat, axis=1), np.max(flat, axis=1)] if flat.size else [np.zeros(count)] * 3
    data = [
        [
            None if place < 0 else ["sample", int(samples[place]), *(float(f"{end[place]:.4g}") for end in ends)]
            for place in row
        ]
        for row in places.tolist()
    ]
    template = (
        "<b>sample %{customdata[1]}</b><br>%{customdata[2]:.4g} to %{customdata[4]:.4g}"
        "<br>mean %{customdata[3]:.4g}<extra></extra>"
    )
    trace = invisible_heatmap(np.where(places >= 0, 0.0, np.nan), template, customdata=data, hoverongaps=False)
    x = [(boxes[column][0] + boxes[column][2]) / 2 for column in range(min(columns, count))]
    y = [(boxes[row * columns][1] + boxes[row * columns][3]) / 2 for row in range(rows)]
    if len(x) == 1:
        x = [boxes[0][0], boxes[0][2]]  # with one column Plotly needs the edges to know how wide it is
    if len(y) == 1:
        y = [boxes[0][1], boxes[0][3]]
    return {**trace, "x": x, "y": y}


def _captions(samples: Sequence[int], labels: Sequence[str], limit: int, selected: int) -> list[str]:
    texts = []
    for sample, label in zip(samples, labels, strict=True):
        room = limit - len(str(sample)) - 1
        cut = label if len(label) <= room else f"{label[: max(room - 1, 0)]}…"
        text = f"{sample} {escape(cut)}" if label and room >= 4 else str(sample)
        texts.append(f"<b>{text}</b>" if sample == selected else text)
    return texts


def _bars(
    parts: list[str], values: NDArray[Any], samples: Sequence[int], labels: Sequence[str], selected: int
) -> dict[str, Any]:
    marker = bar_marker([sample == selected for sample in samples])
    texts = [f"{sample} {label}".strip() for sample, label in zip(samples, labels, strict=True)]
    bar: dict[str, Any] = {
        "type": "bar",
        "x": list(range(len(samples))),
        "y": values.astype(np.float32),
        "customdata": [["sample", int(sample), escape(text, 40)] for sample, text in zip(samples, texts, strict=True)],
        "marker": marker,
        "hovertemplate": "<b>sample %{customdata[2]}</b><br>%{y:.5g}<extra></extra>",
    }
    if not np.isfinite(values).all():
        bar |= nonfinite_bars(bar["y"], marker)
        bar["hovertemplate"] = "<b>sample %{customdata[2]}</b><br>%{hovertext}<extra></extra>"
    every = -(-len(samples) // 16)  # on a narrow page more numbers would touch
    ticks = {
        "tickmode": "array",
        "tickvals": list(range(0, len(samples), every)),
        "ticktext": [str(sample) for sample in samples[::every]],
    }
    layout = base_layout(" · ".join(parts), margin={"l": 48, "r": 8, "t": TOP, "b": 40})
    layout["xaxis"] = {
        "title": {"text": "sample"},
        "showgrid": False,
        "zeroline": False,
        "range": [-0.6, len(samples) - 0.4],
        **ticks,
    }
    layout["xaxis"] |= {"fixedrange": True, "tickangle": 0}
    layout["yaxis"] = {"title": {"text": "activation"}, "fixedrange": True}
    return {"data": [bar], "layout": _of_one_height(layout)}


def _of_one_height(layout: dict[str, Any]) -> dict[str, Any]:
    """The layout with the panel's height, however many lines its title has."""
    layout["height"] = HEIGHT
    layout["meta"]["narrow"]["height"] = NARROW_HEIGHT
    return layout
