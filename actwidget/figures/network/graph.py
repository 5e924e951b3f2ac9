"""The network as a drawing: a box for each layer, and a line for each tensor that goes from one to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.figures.parts.layout import HEIGHT, NARROW_HEIGHT, base_layout
from actwidget.figures.parts.palette import ACCENT, WARNING
from actwidget.figures.parts.text import distinct_names, escape

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from actwidget.figures.network.graph_layout import Arrangement, Box, Points

NAME = 25
"""How many characters of a name fit into a box."""
FONT_SIZE = 11
"""Of the names, where one unit of the drawing is one pixel; `plot/pan.js` makes it larger or smaller with the boxes."""
LINE = "#7d8896"
FILL, WEIGHTS_FILL, OPEN_FILL = "rgba(125,136,150,0.13)", "rgba(125,136,150,0.34)", "rgba(125,136,150,0.06)"
SIGN = 18.0
"""The side of the button that opens and closes a box."""
_WIDE, _TITLE = 800, 30
_SHOWN_WHOLE = 0.62
"""The least size at which the first view shows the whole network; a larger one is shown in part."""


@dataclass(frozen=True)
class DrawnLayer:
    """A layer, as the drawing shows it.

    Attributes:
        path: Its path; `""` for what is no layer: an input, or what an open box gives.
        name: What stands in its box.
        detail: The line below the name: its class and output shape.
        hover: Lines of text that are shown when the pointer is on it.
        has_weights: Whether it has weights.
        warns: Whether there is a warning about it.
        inside: How many layers are inside it; 0 if it can't be opened.
        is_open: Whether these are drawn.
    """

    path: str
    name: str
    detail: str = ""
    hover: tuple[str, ...] = ()
    has_weights: bool = False
    warns: bool = False
    inside: int = 0
    is_open: bool = False


def graph_spec(
    layers: Mapping[str, DrawnLayer],
    arrangement: Arrangement,
    *,
    title: str = "",
    key: str = "",
    selected: str = "",
    in_order: Collection[tuple[str, str]] = (),
) -> dict[str, Any]:
    """The drawing of a network as a dict of `data` and `layout`.

    A point's `customdata` is the path of its layer, and for the button of a box that can be opened `"toggle"` too.
    `layout.meta.pan` tells the page where the drawing ends and where the selected layer is; the trace with the names
    has `meta: "labels"`, since the page shows only the names that are in sight.

    Args:
        layers: Each item of the arrangement.
        arrangement: Where it is.
        title: Above the figure.
        key: Two drawings with the same key have everything at the same place, so that what is in sight can stay so.
        selected: The key of the item that is marked.
        in_order: The lines that stand only for the order of execution; they are dotted.

    Returns:
        A dict of `data` and `layout`.
    """
    boxes = arrangement.boxes
    at = boxes.get(selected)
    own = {pair for pair in arrangement.lines if selected in pair}
    dotted = set(in_order)
    plain = [points for pair, points in arrangement.lines.items() if pair not in own | dotted]
    solid = [points for pair, points in arrangement.lines.items() if pair in own - dotted]
    closed = {name: box for name, box in boxes.items() if not layers[name].is_open}
    stacked = [box for name, box in closed.items() if layers[name].inside]
    with_weights = [box for name, box in closed.items() if layers[name].has_weights]
    without = [box for name, box in closed.items() if not layers[name].has_weights]
    warned = [box for name, box in boxes.items() if layers[name].warns]
    opened = [box for name, box in boxes.items() if layers[name].is_open]
    buttons = {layers[name].path: _sign(box) for name, box in boxes.items() if layers[name].inside}
    data = [
        _rectangles(opened, OPEN_FILL, LINE),
        _lines(plain, LINE, 1.2),
        _lines([arrangement.lines[pair] for pair in arrangement.lines if pair in dotted], LINE, 1.2, dash="dot"),
        _arrow_heads(plain, LINE),
        _lines(solid, ACCENT, 2),
        _arrow_heads(solid, ACCENT),
        _lines([_edge_of_stack(box) for box in stacked], LINE, 1.2),
        _rectangles(without, FILL, LINE),
        _rectangles(with_weights, WEIGHTS_FILL, LINE),
        _rectangles(warned, "rgba(0,0,0,0)", WARNING, 2.5),
        _rectangles([] if at is None else [_grown(at, 5)], "rgba(0,0,0,0)", ACCENT, 3),
        _rectangles([*buttons.values()], WEIGHTS_FILL, LINE),
        _labels(layers, boxes),
        _targets(layers, boxes),
    ]
    pan = {
        "key": key,
        "selected": layers[selected].path if at is not None else "",
        "at": None if at is None else [*at],
        "buttons": {path: [b.x, b.y] for path, b in buttons.items()},
    }
    layout = _layout(arrangement, title, pan)
    return {"data": [trace for trace in data if len(trace["x"])], "layout": layout}


def _grown(box: Box, by: float) -> Box:
    return box._replace(width=box.width + 2 * by, height=box.height + 2 * by)


def _sign(box: Box) -> Box:
    """The button of a box that can be opened, in its upper right corner."""
    x, y = box.x + box.width / 2 - SIGN / 2 - 3, box.y - box.height / 2 + SIGN / 2 + 3
    return box._replace(x=x, y=y, width=SIGN, height=SIGN)


def _edge_of_stack(box: Box) -> Points:
    """What shows of a second box below a box, which says that there is more in it."""
    left, right = box.x - box.width / 2, box.x + box.width / 2
    top, bottom = box.y - box.height / 2, box.y + box.height / 2
    return np.array(
        [[right, top + 4], [right + 4, top + 4], [right + 4, bottom + 4], [left + 4, bottom + 4], [left + 4, bottom]]
    )


def _joined(parts: Sequence[Any]) -> dict[str, Any]:
    """Lines as one: NaN between one and the next makes a gap."""
    gap = np.full((1, 2), np.nan)
    points = np.concatenate([piece for part in parts for piece in (part, gap)]) if len(parts) else np.empty((0, 2))
    points = points.astype(np.float32)
    return {"type": "scatter", "x": points[:, 0].copy(), "y": points[:, 1].copy(), "hoverinfo": "skip"}


def _lines(parts: Sequence[Points], color: str, width: float, dash: str = "solid") -> dict[str, Any]:
    return {**_joined(parts), "mode": "lines", "line": {"color": color, "width": width, "dash": dash}}


def _arrow_heads(parts: Sequence[Points], color: str) -> dict[str, Any]:
    shape = np.array([[0, 0], [-4, -7], [4, -7], [0, 0]])
    heads = [part[-1] + shape for part in parts]
    return {
        **_joined(heads),
        "mode": "lines",
        "line": {"color": color, "width": 0},
        "fill": "toself",
        "fillcolor": color,
    }


def _rectangles(boxes: Iterable[Box], fill: str, color: str, width: float = 1) -> dict[str, Any]:
    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5], [-0.5, -0.5]])
    parts = [corners * (box.width, box.height) + (box.x, box.y) for box in boxes]
    return {
        **_joined(parts),
        "mode": "lines",
        "line": {"color": color, "width": width},
        "fill": "toself",
        "fillcolor": fill,
    }


def _labels(layers: Mapping[str, DrawnLayer], boxes: Mapping[str, Box]) -> dict[str, Any]:
    """The names in the boxes, and the signs on their buttons."""
    names = distinct_names([layer.name for layer in layers.values()], NAME)
    x, y, text = [], [], []
    for (key, layer), name in zip(layers.items(), names, strict=True):
        box = boxes[key]
        sign = _sign(box)
        mark = "⚠ " if layer.warns else ""
        x.append(box.x - (SIGN / 2 if layer.inside else 0))
        y.append(sign.y if layer.is_open else box.y)
        below = f'<br><span style="font-size:0.86em;fill-opacity:0.8">{escape(layer.detail, 32)}</span>'
        text.append(f"{mark}{name}{below if layer.detail and not layer.is_open else ''}")
        if layer.inside:
            x.append(sign.x)
            y.append(sign.y)
            text.append("\N{MINUS SIGN}" if layer.is_open else "+")
    return {
        "type": "scatter",
        "mode": "text",
        "x": np.array(x, np.float32),
        "y": np.array(y, np.float32),
        "text": text,
        "textfont": {"size": FONT_SIZE},
        "hoverinfo": "skip",
        "meta": "labels",
    }


def _targets(layers: Mapping[str, DrawnLayer], boxes: Mapping[str, Box]) -> dict[str, Any]:
    """What the pointer can be on: three points over the width of each box, one on each button; they are not drawn."""
    x, y, customdata, hover = [], [], [], []
    for key, layer in layers.items():
        if not layer.path:
            continue
        box = boxes[key]
        sign = _sign(box)
        words = "<br>".join([f"<b>{escape(layer.path, 120)}</b>", *(escape(line, 120) for line in layer.hover)])
        # An open box is grasped at its heading.
        height = sign.y if layer.is_open else box.y
        for share in (-1 / 3, 0, 1 / 3):
            x.append(box.x + share * box.width)
            y.append(height)
            customdata.append([layer.path])
            hover.append(words)
        if layer.inside:
            x.append(sign.x)
            y.append(sign.y)
            customdata.append([layer.path, "toggle"])
            hover.append(f"{'Close' if layer.is_open else 'Open'}: {layer.inside:,} inside")
    return {
        "type": "scatter",
        "mode": "none",
        "hoveron": "points",
        "x": np.array(x, np.float32),
        "y": np.array(y, np.float32),
        "customdata": customdata,
        "hovertext": hover,
        "hoverinfo": "text",
    }


def _layout(arrangement: Arrangement, title: str, pan: dict[str, Any]) -> dict[str, Any]:
    half = arrangement.width / 2 + 16
    bounds = [-half, -16.0, half, arrangement.height + 16]
    x_range, y_range = first_view(bounds, pan["at"], _WIDE, HEIGHT - _TITLE)
    axis = {"visible": False, "fixedrange": False, "zeroline": False, "showgrid": False}
    layout = base_layout(
        escape(title, 110),
        margin={"l": 0, "r": 0, "t": _TITLE, "b": 0},
        dragmode="pan",
        hovermode="closest",
        hoverdistance=36,
        xaxis={**axis, "range": x_range},
        yaxis={**axis, "range": y_range, "scaleanchor": "x"},
        meta={"narrow": {}, "pan": {**pan, "bounds": bounds}},
    )
    # The drawing moves within the panel, so it has the panel's height, however many lines the title has.
    layout["height"] = HEIGHT
    layout["title"]["pad"]["l"] = 8
    layout["meta"]["narrow"]["height"] = NARROW_HEIGHT
    return layout


def first_view(
    bounds: Sequence[float], at: Sequence[float] | None, width: float, height: float
) -> tuple[list[float], list[float]]:
    """The part of a drawing that is shown first: all of it if that is readable, else what is around the selected layer.

    `plot/pan.js` does the same for the size of the figure in the page.

    Args:
        bounds: The left, upper, right and lower end of the drawing.
        at: The selected layer's box, as its center and its size.
        width: Of the figure, in pixels.
        height: Of the figure, in pixels.

    Returns:
        The ranges of x and y; y from the lower end to the upper one, as it grows downwards.

    Example:
        >>> first_view([-100, 0, 100, 5000], [0, 2500, 168, 38], 800, 400)
        ([-400.0, 400.0], [2700.0, 2300.0])
        >>> first_view([-100, 0, 100, 5000], [0, 19, 168, 38], 800, 400)
        ([-400.0, 400.0], [400.0, 0.0])
        >>> first_view([-100, 0, 100, 400], None, 800, 400)
        ([-400.0, 400.0], [400.0, 0.0])
    """
    left, top, right, bottom = bounds
    scale = min(1.0, width / (right - left), height / (bottom - top))
    x, y = (left + right) / 2, (top + bottom) / 2
    if scale < _SHOWN_WHOLE:
        scale = 1.0
        # Of a box that is too high its upper part is shown.
        x, y = (x, top) if at is None else (at[0], min(at[1], at[1] - at[3] / 2 - 16 + height / 2))
        x, y = _within(x, left, right, width), _within(y, top, bottom, height)
    return [x - width / 2 / scale, x + width / 2 / scale], [y + height / 2 / scale, y - height / 2 / scale]


def _within(middle: float, start: float, end: float, length: float) -> float:
    """The middle of a part of an axis, moved so that the part has nothing in it that is outside, if it can."""
    return (start + end) / 2 if end - start <= length else min(max(middle, start + length / 2), end - length / 2)
