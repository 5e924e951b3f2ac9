"""Examples that are pictures, as tiles in one picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw

from actwidget.figures.parts.input_image import image_uri
from actwidget.figures.parts.marks import outlined
from actwidget.figures.parts.text import escape, number
from actwidget.figures.parts.tiles import arranged, invisible_heatmap, tile_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actwidget.figures.examples.content import Shown

CAPTION, GAP = 18, 8
"""In pixels: a caption above a tile, and the room between tiles."""
EDGE = (154, 164, 178, 255)
"""The colour of the line around each tile, whose edge may be as white as the page."""
LETTER = 6.5
"""How many pixels a letter of a caption takes."""


@dataclass
class Drawn:
    """Traces and shapes in a panel whose axes count pixels from its upper left corner."""

    traces: list[dict[str, Any]] = field(default_factory=list)
    shapes: list[dict[str, Any]] = field(default_factory=list)


def columns_of(examples: Sequence[Shown], room: tuple[int, int]) -> int:
    """How many tiles stand side by side."""
    return arranged(len(examples), _largest(examples), room, caption=CAPTION, gap=GAP)[0]


def tiles(examples: Sequence[Shown], marked: int | None, room: tuple[int, int]) -> Drawn:
    """A tile for each example, its value and class above it.

    Args:
        examples: All have pixels.
        marked: Which of them is marked.
        room: The width and height of the panel in pixels.
    """
    height, width = _largest(examples)
    columns, across = arranged(len(examples), (height, width), room, caption=CAPTION, gap=GAP)
    down = across * height / width
    step = (across + GAP, down + CAPTION + GAP)
    sheet = Image.new("RGBA", room, (0, 0, 0, 0))
    boxes, edges = [], ImageDraw.Draw(sheet)
    for place, each in enumerate(examples):
        row, column = divmod(place, columns)
        left, top = column * step[0], row * step[1] + CAPTION
        picture = _scaled(each, across / width)
        box = (round(left), round(top), round(left) + picture.width, round(top) + picture.height)
        sheet.paste(picture, box[:2])
        edges.rectangle((box[0], box[1], box[2] - 1, box[3] - 1), outline=EDGE)
        boxes.append(box)
    captions = {
        "type": "scatter",
        "mode": "text",
        "x": [box[0] for box in boxes],
        "y": [box[1] - CAPTION / 2 for box in boxes],
        "text": [_caption(each, int(across / LETTER)) for each in examples],
        "textposition": "middle right",
        "hoverinfo": "skip",
        "cliponaxis": False,
    }
    drawn = Drawn([tile_image(image_uri(sheet)), _cells(examples, columns, step), captions])
    if marked is not None:
        drawn.shapes = outlined(boxes[marked])
    return drawn


def hover(each: Shown) -> str:
    """What hover says of an example."""
    label = f" · {escape(each.label, 40)}" if each.label else ""
    return f"<b>sample {each.number:,}</b>{label}<br>{each.value:.5g}{each.place and f' at {each.place}'}"


def _largest(examples: Sequence[Shown]) -> tuple[int, int]:
    """The height and width that all pictures fit into; parts that the edge of their picture cuts are smaller."""
    shapes = [each.pixels.shape[:2] for each in examples if each.pixels is not None]
    return max(shape[0] for shape in shapes), max(shape[1] for shape in shapes)


def _scaled(each: Shown, factor: float) -> Image.Image:
    picture = Image.fromarray(np.asarray(each.pixels, np.uint8))
    size = max(1, round(picture.width * factor)), max(1, round(picture.height * factor))
    return picture.resize(size, Image.Resampling.NEAREST if factor > 2 else Image.Resampling.LANCZOS)


def _caption(each: Shown, limit: int) -> str:
    value = number(each.value)
    rest = each.label or f"#{each.number}"
    room = limit - len(value) - 3
    if room < 2:
        return f"<b>{value}</b>"
    return f"<b>{value}</b> · {escape(rest if len(rest) <= room else f'{rest[: max(room - 1, 1)]}…')}"


def _cells(examples: Sequence[Shown], columns: int, step: tuple[float, float]) -> dict[str, Any]:
    """What answers a click and a pointer over each tile and its caption."""
    rows = -(-len(examples) // columns)
    z = np.full((rows, columns), np.nan)
    z.flat[: len(examples)] = 0
    data = [["scanned", each.number, hover(each)] for each in examples]
    padded = [*data, *[None] * (rows * columns - len(data))]
    cells = invisible_heatmap(z, "%{customdata[2]}<extra></extra>", hoverongaps=False)
    edges = {
        "x": (np.arange(columns + 1) * step[0] - GAP / 2).tolist(),
        "y": (np.arange(rows + 1) * step[1] - GAP / 2).tolist(),
    }
    return {**cells, **edges, "customdata": [padded[row * columns : (row + 1) * columns] for row in range(rows)]}
