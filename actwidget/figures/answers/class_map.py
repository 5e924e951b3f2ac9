"""A segmentation: the likeliest class of each pixel in its colour, the classes' shares, and the input beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from plotly.colors import hex_to_rgb

from actwidget.figures.answers.content import by_value
from actwidget.figures.parts.input_image import image_uri, input_picture
from actwidget.figures.parts.layout import base_layout, caption, of_panel_height
from actwidget.figures.parts.palette import ACCENT, MUTED
from actwidget.figures.parts.text import NARROW_LIMIT, colored, escape, percent, probability
from actwidget.figures.parts.tiles import invisible_heatmap
from actwidget.figures.values import CATEGORY_COLORS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from actwidget.figures.answers.content import Answer

OTHERS = len(CATEGORY_COLORS) - 1
"""Of more classes so many have a colour of their own, those of the most pixels; the others are grey."""
CELLS = 64
"""How many cells answer to the pointer along the longer side: each has a text."""
FADED = 70
"""The opacity of the classes that are not selected, from 0 to 255."""
# The domains (x, y) of the map, the input and the shares, on a wide and on a narrow page.
WIDE = (((0.0, 0.6), (0.0, 1.0)), ((0.66, 1.0), (0.5, 0.94)), ((0.66, 1.0), (0.0, 0.42)))
NARROW = (((0.0, 1.0), (0.4, 1.0)), ((0.0, 0.45), (0.0, 0.32)), ((0.52, 1.0), (0.0, 0.32)))


def class_map_spec(answer: Answer) -> dict[str, Any]:
    """The classes of the pixels as a dict of `data` and `layout`.

    The bars of the shares are the legend. Where a class can be selected, the `customdata` of its bar, and of its cells
    in the map, is `[class]`.

    Args:
        answer: A class for each pixel, or the probability of each class there.
    """
    indices, shares = answer.pixel_classes, answer.pixel_shares
    order = by_value(shares)
    present = order[shares[order] > 0]
    colors = _colors(order, len(shares))
    height, width = indices.shape
    uri = image_uri(Image.fromarray(_pixels(indices, colors, answer.chosen)).resize(_enlarged(width, height), 0))
    large_width, large_height = _enlarged(width, height)
    step_x, step_y = width / large_width, height / large_height
    picture = {
        "type": "image",
        "source": uri,
        "x0": (step_x - 1) / 2,
        "y0": (step_y - 1) / 2,
        "dx": step_x,
        "dy": step_y,
    }
    hidden = {"visible": False, "constrain": "domain", "fixedrange": True}
    axes: dict[str, Any] = {
        "xaxis": {**hidden, "range": [-0.5, width - 0.5], "constraintoward": "left"},
        "yaxis": {**hidden, "range": [height - 0.5, -0.5], "scaleanchor": "x", "constraintoward": "top"},
        "xaxis2": {**hidden, "anchor": "y2", "constraintoward": "left"},
        "yaxis2": {**hidden, "anchor": "x2", "scaleanchor": "x2", "constraintoward": "top"},
    }
    data = [{**picture, "hoverinfo": "skip"}, _cells(answer, indices)]
    notes = []
    drawn = None if answer.picture is None else input_picture(answer.picture)
    if drawn is not None:
        source, (rows, columns) = drawn
        data.append({"type": "image", "source": source, "hoverinfo": "skip", "xaxis": "x2", "yaxis": "y2"})
        axes["xaxis2"]["range"], axes["yaxis2"]["range"] = [-0.5, columns - 0.5], [rows - 0.5, -0.5]
        notes.append(caption("the input", 0, 1))
    bars, more = _bars(answer, present, shares, colors)
    data, axes = [*data, *bars], axes | more
    left_out = len(present) - len(bars[0]["y"])
    words = f"shares of the pixels{f', {left_out} more classes' if left_out > 0 else ''}"
    notes.append(caption(words, 0, 0))
    narrow = _place(axes, notes, has_input=drawn is not None)
    layout = base_layout(
        " · ".join(_title(answer, len(present), indices.shape, shares)),
        margin={"l": 8, "r": 8, "t": 34, "b": 16, "autoexpand": False},
        annotations=notes,
        bargap=0.25,
        meta={"narrow": narrow},
        **axes,
    )
    return {"data": data, "layout": of_panel_height(layout)}


def _title(answer: Answer, present: int, shape: tuple[int, ...], shares: NDArray[np.float64]) -> list[str]:
    parts = [escape(answer.title, NARROW_LIMIT), f"likeliest class of {shape[0]} × {shape[1]} pixels"]
    parts.append(f"{present} of {len(answer.names)} classes")
    if answer.chosen is not None and answer.chosen < len(answer.names):
        name = escape(answer.names[answer.chosen], 32)
        parts.append(colored(f"{name}: {percent(float(shares[answer.chosen]))}", ACCENT))
    return parts if answer.sample is None else [*parts, f"sample {answer.sample}"]


def _colors(order: NDArray[np.intp], count: int) -> list[str]:
    """A colour for each class: by its number where all have one, else for those of the most pixels."""
    if count <= len(CATEGORY_COLORS):
        return list(CATEGORY_COLORS[:count])
    colors = [MUTED] * count
    for color, each in zip(CATEGORY_COLORS, order[:OTHERS].tolist(), strict=False):
        colors[each] = color
    return colors


def _pixels(indices: NDArray[np.intp], colors: list[str], chosen: int | None) -> NDArray[np.uint8]:
    table = np.array([[*hex_to_rgb(color), 255] for color in colors], np.uint8)
    if chosen is not None and chosen < len(colors):
        table[np.arange(len(colors)) != chosen, 3] = FADED
    return table[indices]


def _enlarged(width: int, height: int) -> tuple[int, int]:
    """The size of the picture: whole pixels stay sharp where the browser enlarges it."""
    factor = max(1, 512 // max(width, height))
    return width * factor, height * factor


def _cells(answer: Answer, indices: NDArray[np.intp]) -> dict[str, Any]:
    """Invisible cells over the map that say which class is there, and how probable it is."""
    height, width = indices.shape
    step = -(-max(height, width) // CELLS)
    rows, columns = np.arange(step // 2, height, step), np.arange(step // 2, width, step)
    seen = indices[np.ix_(rows, columns)]
    names = [escape(name, 40) for name in answer.names]
    words = [[f"<b>{names[index]}</b>" for index in row] for row in seen.tolist()]
    values = answer.values
    if values.dtype.kind == "f":
        given = values if values.shape[-1] > 1 else np.concatenate([1 - values, values], axis=-1)
        found = np.take_along_axis(given[np.ix_(rows, columns)], seen[..., np.newaxis], axis=-1)[..., 0]
        words = [
            [f"{word} {probability(float(share))}" for word, share in zip(*pair, strict=True)]
            for pair in zip(words, found.tolist(), strict=True)
        ]
    cells = invisible_heatmap(seen, "row %{y}, column %{x}<br>%{text}<extra></extra>", text=words)
    clicked = {"customdata": seen[..., np.newaxis].astype(np.float32)} if answer.has_channels else {}
    return {**cells, "x": columns, "y": rows, **clicked}


def _bars(
    answer: Answer, present: NDArray[np.intp], shares: NDArray[np.float64], colors: list[str]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The shares of the pixels as bars in the colours of the classes, with their names behind them."""
    shown = present[: len(CATEGORY_COLORS)].tolist()
    if answer.chosen is not None and answer.chosen < len(shares) and answer.chosen not in shown:
        shown = [*shown[: len(CATEGORY_COLORS) - 1], answer.chosen]
    lengths = shares[shown]
    axes = {"xaxis": "x3", "yaxis": "y3"}
    bar = {
        "type": "bar",
        "orientation": "h",
        "x": lengths.tolist(),
        "y": list(range(len(shown))),
        **({"customdata": [[each] for each in shown]} if answer.has_channels else {}),
        "hovertext": [f"<b>{escape(answer.names[each], 60)}</b><br>{shares[each]:.2%} of the pixels" for each in shown],
        "hoverinfo": "text",
        "marker": {
            "color": [colors[each] for each in shown],
            "line": {"color": ACCENT, "width": [3 if each == answer.chosen else 0 for each in shown]},
        },
        **axes,
    }
    texts = [f"\u00a0{percent(float(shares[each]))} {escape(answer.names[each], 18)}" for each in shown]
    written = {
        "type": "scatter",
        "mode": "text",
        "x": lengths.tolist(),
        "y": list(range(len(shown))),
        "text": [
            colored(text, ACCENT) if each == answer.chosen else text for text, each in zip(texts, shown, strict=True)
        ],
        "textposition": "middle right",
        "textfont": {"size": 12},
        "hoverinfo": "skip",
        "cliponaxis": False,
        **axes,
    }
    hidden = {"visible": False, "fixedrange": True}
    # Names stand behind the bars: the longest bar takes about a third of the panel.
    x_axis = {**hidden, "range": [0, 3.2 * float(lengths.max(initial=0)) or 1.0], "anchor": "y3"}
    y_axis = {**hidden, "range": [max(len(shown), 5) - 0.4, -0.6], "anchor": "x3"}
    return [bar, written], {"xaxis3": x_axis, "yaxis3": y_axis}


def _place(axes: dict[str, Any], notes: list[dict[str, Any]], *, has_input: bool) -> dict[str, Any]:
    """Puts the panels and their captions in their places; returns what changes on a narrow page."""
    narrow: dict[str, Any] = {}
    captions = iter(range(len(notes)))
    for place, suffix in enumerate(("", "2", "3")):
        (x, y), (narrow_x, narrow_y) = WIDE[place], NARROW[place]
        if place == 2 and not has_input:
            y = (0.0, 0.94)
            narrow_x = (0.0, 1.0)
        axes[f"xaxis{suffix}"]["domain"], axes[f"yaxis{suffix}"]["domain"] = x, y
        narrow |= {f"xaxis{suffix}.domain": narrow_x, f"yaxis{suffix}.domain": narrow_y}
        if place and (place == 2 or has_input):
            note = next(captions)
            notes[note] |= {"x": x[0], "y": y[1]}
            narrow |= {f"annotations[{note}].x": narrow_x[0], f"annotations[{note}].y": narrow_y[1]}
    return narrow
