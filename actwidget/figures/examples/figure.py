"""The figure of examples: tiles or rows above, and bars by class below."""

from __future__ import annotations

from typing import Any

from actwidget.figures.examples.classes import class_bars, has_upright_names
from actwidget.figures.examples.content import ExamplesContent
from actwidget.figures.examples.rows import rows
from actwidget.figures.examples.tiles import columns_of, tiles
from actwidget.figures.parts.layout import HEIGHT, NARROW_HEIGHT, base_layout, of_panel_height
from actwidget.figures.parts.text import NARROW_LIMIT, escape

TOP, SIDE = 30, 8
"""In pixels: above and beside the panels."""
CLASSES, LABEL, LABELS = 78, 24, 60
"""In pixels: the bars by class, and the room below them for the names of the classes, side by side or upright."""
BETWEEN = 30
"""In pixels: the room above the bars, for their caption."""


def examples_spec(content: ExamplesContent) -> dict[str, Any]:
    """The figure of examples, as a dict of `data` and `layout`. A click on one carries `["scanned", number]`.

    Args:
        content: What it shows.

    Returns:
        What Plotly draws. The layout has the height of the panel.
    """
    room, below = _room(content)
    down = room[1] + below
    title = " · ".join([escape(content.title, NARROW_LIMIT), *(escape(each, 300) for each in content.words)])
    layout = base_layout(title, margin={"l": SIDE, "r": SIDE, "t": TOP, "b": _bottom(content)})
    drawn = (tiles if has_pictures(content) else rows)(content.examples, content.marked, room)
    hidden: dict[str, Any] = {"visible": False, "fixedrange": True}
    if has_pictures(content):
        hidden |= {"constrain": "domain"}
    layout |= {
        "xaxis": {**hidden, "range": [0, room[0]]},
        "yaxis": {**hidden, "range": [room[1], 0], "domain": [below / down, 1]},
        "shapes": drawn.shapes,
    }
    if has_pictures(content):
        layout["xaxis"]["constraintoward"] = "left"
        layout["yaxis"] |= {"scaleanchor": "x", "constraintoward": "top"}
    traces = drawn.traces
    if content.classes is not None:
        traces = [*traces, class_bars(content.classes, layout, (room[0], CLASSES), share=CLASSES / down)]
    return {"data": traces, "layout": of_panel_height(layout, (HEIGHT, NARROW_HEIGHT))}


def has_pictures(content: ExamplesContent) -> bool:
    """Whether the examples are shown as tiles: all of them are pictures."""
    return bool(content.examples) and all(each.pixels is not None for each in content.examples)


def in_a_row(content: ExamplesContent) -> int:
    """How many examples stand side by side."""
    return columns_of(content.examples, _room(content)[0]) if has_pictures(content) else 1


def _room(content: ExamplesContent) -> tuple[tuple[int, int], int]:
    """The width and height of the panel of examples in pixels, and the height below it for the classes."""
    width, height = content.room
    below = 0 if content.classes is None else CLASSES + BETWEEN
    down = max(height - TOP - _bottom(content) - below, 100)
    return (max(width - 2 * SIDE, 120), down), below


def _bottom(content: ExamplesContent) -> int:
    """The margin below the panels."""
    if content.classes is None:
        return SIDE
    return LABELS if has_upright_names(content.classes, content.room[0]) else LABEL
