"""The panel on the left: all kernels as tiles, a matrix as one picture, or a vector as bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.pixels.pooling import magnitude_pooled
from actwidget.figures.panels import Panel
from actwidget.figures.parts.bars import bar_marker, nonfinite_bars
from actwidget.figures.parts.histogram import AREA
from actwidget.figures.parts.layout import NUMBER_LABELS
from actwidget.figures.parts.marks import double_stroke, outlined
from actwidget.figures.parts.palette import ACCENT, MUTED
from actwidget.figures.parts.tiles import invisible_heatmap, tile_cells, tile_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from actwidget.analysis.pixels.mosaic import Mosaic
    from actwidget.figures.weights.content import WeightContent

MOST_BARS = 256
"""A vector of more values is a line."""
MOST_CELLS = 2048
"""Of more columns every second, third ... answers the pointer, and of a longer vector the strongest of each few."""


def grid(content: WeightContent) -> Panel:
    """All entries of a weight, with those of the selected channel marked."""
    drawn = content.drawn
    if drawn.tiles is not None:
        return _tiles(content, drawn.tiles)
    if drawn.kind == "matrix":
        return _matrix(content)
    values = np.zeros(0, np.float32) if drawn.matrix is None else drawn.matrix[0].astype(np.float32)
    return _bars(content, values) if len(values) <= MOST_BARS else _line(content, values)


def _tiles(content: WeightContent, tiles: Mosaic) -> Panel:
    height, width = tiles.pixels.shape
    hidden = {"visible": False, "constrain": "domain"}
    axes = {
        "xaxis": {**hidden, "range": [0, width], "constraintoward": "left"},
        "yaxis": {**hidden, "range": [height, 0], "scaleanchor": "x", "constraintoward": "top"},
    }
    cells = tile_cells(tiles, _customdata(content), _hover("%{text}"))
    names = np.full(tiles.rows * tiles.columns, "", object)
    names[: content.drawn.entries] = [content.entry_name(entry) for entry in tiles.order.tolist()]
    cells["text"] = names.reshape(tiles.rows, tiles.columns).tolist()
    shapes = [shape for entry in content.marks for shape in outlined(tiles.box(entry))]
    return Panel([tile_image(content.drawn.uri), cells], axes, shapes=shapes)


def _matrix(content: WeightContent) -> Panel:
    drawn = content.drawn
    rows, columns = drawn.shape
    factor = drawn.reduction
    place = {"x0": (factor - 1) / 2, "dx": factor, "y0": (factor - 1) / 2, "dy": factor}
    axes: dict[str, dict[str, Any]] = {
        "xaxis": {**_axis(content.entry_label), "range": [-0.5, columns - 0.5]},
        "yaxis": {**_axis(content.input_label), "range": [rows - 0.5, -0.5]},
    }
    lines = []
    if content.gates:
        width = columns / len(content.gates)
        axes["xaxis"] |= {
            "tickmode": "array",
            "tickvals": [(place + 0.5) * width - 0.5 for place in range(len(content.gates))],
            "ticktext": list(content.gates),
            "title": {"text": f"{content.entry_label}s of each gate"},
        }
        ends = [place * width - 0.5 for place in range(1, len(content.gates))]
        line = {"type": "line", "y0": -0.5, "y1": rows - 0.5, "line": {"color": MUTED, "width": 1}}
        lines = [{**line, "x0": end, "x1": end} for end in ends]
    for entry in content.marks:
        box = {"type": "rect", "x0": entry - 0.5, "x1": entry + 0.5, "y0": -0.5, "y1": rows - 0.5}
        lines += double_stroke(box, width=2)
    image = {"type": "image", "source": drawn.uri, **place, "hoverinfo": "skip"}
    return Panel([image, _matrix_cells(content)] if drawn.uri else [], axes, shapes=lines)


def _axis(label: str) -> dict[str, Any]:
    return {"title": {"text": label}, "showgrid": False, "zeroline": False, **NUMBER_LABELS}


def _matrix_cells(content: WeightContent) -> dict[str, Any]:
    """Invisible cells for hover and click: one for each value of a small matrix, one for each column of a large one."""
    drawn = content.drawn
    rows, columns = drawn.shape
    if drawn.matrix is not None:
        names = [content.entry_name(entry) for entry in range(columns)]
        hover = f"<b>%{{text}}</b>, {content.input_label} %{{y}}<br>%{{z:.5g}}<extra></extra>"
        channels = np.broadcast_to(content.channels.astype(np.int32)[:, np.newaxis], (rows, columns, 1)).copy()
        return invisible_heatmap(drawn.matrix, hover, customdata=channels, text=[names] * rows, hoverongaps=False)
    step = max(1, -(-columns // MOST_CELLS))
    customdata = _customdata(content)[np.newaxis, ::step].astype(np.float32)
    names = [content.entry_name(entry) for entry in range(0, columns, step)]
    cells = invisible_heatmap(np.zeros((1, len(names))), _hover("%{text}"), customdata=customdata, text=[names])
    # With one row Plotly needs the edges to know its height.
    return {**cells, "y": [-0.5, rows - 0.5], "x0": (step - 1) / 2, "dx": step}


def _bars(content: WeightContent, values: NDArray[np.float32]) -> Panel:
    marker = bar_marker([entry in content.marks for entry in range(len(values))])
    bar: dict[str, Any] = {
        "type": "bar",
        "y": values,
        "customdata": content.channels.astype(np.int32)[:, np.newaxis],
        "marker": marker if content.marks else {"color": MUTED, "line": {"width": 0}},
        "hovertemplate": f"<b>{content.entry_label} %{{x}}</b><br>%{{y:.5g}}<extra></extra>",
    }
    if not np.isfinite(values).all():
        bar |= nonfinite_bars(values, marker)
        bar["hovertemplate"] = f"<b>{content.entry_label} %{{x}}</b><br>%{{hovertext}}<extra></extra>"
    return Panel([bar], _line_axes(content, len(values)))


def _line(content: WeightContent, values: NDArray[np.float32]) -> Panel:
    """A long vector as an outline, with the selected values as dots."""
    step = -(-len(values) // MOST_CELLS)
    shown = magnitude_pooled(values[np.newaxis], (1, step))[0]
    line = {"type": "scatter", "mode": "lines", "line": {"color": MUTED, "width": 1, "shape": "hvh"}, "y": shown}
    line |= {"fill": "tozeroy", "fillcolor": AREA, "x0": (step - 1) / 2, "dx": step}
    line |= {"customdata": content.channels.astype(np.int32)[::step, np.newaxis]}
    line |= {"hovertemplate": f"<b>{content.entry_label} %{{x}}</b><br>%{{y:.5g}}<extra></extra>"}
    marked = list(content.marks)
    dots = {"type": "scatter", "mode": "markers", "x": marked, "y": values[marked], "hoverinfo": "skip"}
    dots["marker"] = {"color": ACCENT, "size": 9}
    return Panel([line, dots] if marked else [line], _line_axes(content, len(values)))


def _line_axes(content: WeightContent, count: int) -> dict[str, dict[str, Any]]:
    return {
        "xaxis": {**_axis(content.entry_label), "range": [-0.6, max(count, 1) - 0.4]},
        "yaxis": {"title": {"text": "value"}, "nticks": 6, **NUMBER_LABELS},
    }


def _customdata(content: WeightContent) -> NDArray[Any]:
    """What is known of each entry: its channel, its least and greatest value, and its norm."""
    found = content.drawn.statistics
    return np.stack([content.channels, found.minimum, found.maximum, found.norm], axis=-1)


def _hover(name: str) -> str:
    return (
        f"<b>{name}</b><br>%{{customdata[1]:.4g}} to %{{customdata[2]:.4g}}"
        "<br>norm %{customdata[3]:.4g}<extra></extra>"
    )
