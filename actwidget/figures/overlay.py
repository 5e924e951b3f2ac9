"""One channel over the input picture, and the part of the input that a position depends on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from plotly.colors import sample_colorscale, unlabel_rgb

from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.nonfinite import finite_values
from actwidget.analysis.pixels.pooling import magnitude_pooled
from actwidget.figures.parts.color_strip import color_strip
from actwidget.figures.parts.heatmap import color_axis, reduction_factor, value_ticks
from actwidget.figures.parts.input_image import input_picture
from actwidget.figures.parts.layout import HEIGHT, NARROW_HEIGHT, NUMBER_LABELS, WIDE, base_layout, caption
from actwidget.figures.parts.marks import double_stroke
from actwidget.figures.parts.nonfinite import nonfinite_cells, nonfinite_legend
from actwidget.figures.parts.palette import ACCENT, ColorRange
from actwidget.figures.parts.text import NARROW_LIMIT, colored, escape, reduction_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

Box = tuple[int, int, int, int]
Edges = tuple[float, float, float, float]
STEPS = 16
# The opacity of the colours where the channel is zero, and where its magnitude is largest.
FAINT, STRONG = 0.0, 0.85
STRIP = 0.02
"""The height of the strip of colours, as a share of the figure's."""
# The share of a narrow figure's height that lies below the picture.
NARROW_LOW = 0.36


@dataclass(frozen=True)
class Placement:
    """Where the cells of a map lie over the input, in its pixels.

    Attributes:
        top: The row at the centre of the first row of cells; not always a whole number.
        left: The column at the centre of the first column of cells.
        down: How many rows of pixels from one row of cells to the next.
        across: How many columns of pixels from one column of cells to the next.
    """

    top: float
    left: float
    down: float
    across: float

    @classmethod
    def stretched(cls, cells: tuple[int, int], pixels: tuple[int, int]) -> Placement:
        """A map stretched over a whole picture.

        Args:
            cells: How many rows and columns the map has.
            pixels: How many the picture has.

        Returns:
            The placement with which the map's edges are those of the picture.

        >>> Placement.stretched((5, 10), (10, 10))
        Placement(top=0.5, left=0.0, down=2.0, across=1.0)
        """
        down, across = pixels[0] / cells[0], pixels[1] / cells[1]
        return cls((down - 1) / 2, (across - 1) / 2, down, across)

    def edges(self, row: int, column: int, rows: int = 1, columns: int = 1) -> Edges:
        """Where a block of cells begins and ends.

        Args:
            row: The first row of cells.
            column: The first column of cells.
            rows: How many rows of cells.
            columns: How many columns of cells.

        Returns:
            `(top, left, bottom, right)` in pixels of the input, of which the first goes from 0 to 1.

        >>> Placement(top=2, left=2, down=4, across=4).edges(0, 1)
        (0.5, 4.5, 4.5, 8.5)
        """
        top, left = self.top + (row - 0.5) * self.down + 0.5, self.left + (column - 0.5) * self.across + 0.5
        return top, left, top + rows * self.down, left + columns * self.across


@ignore_float_errors
def overlay_spec(
    title: str,
    pixels: NDArray[Any],
    values: NDArray[Any],
    *,
    color: ColorRange | None = None,
    channel: int | None = None,
    channel_label: str = "channel",
    cell: tuple[int, int] | None = None,
    box: Box | None = None,
    place: Placement | None = None,
    source: str = "the input",
) -> dict[str, Any] | None:
    """The figure of a channel over the input picture, as a dict of `data` and `layout`.

    On the left the input under the channel's colours, which are opaque where it responds; each cell carries
    `[-1, row, column]` as its `customdata`. On the right the input by itself or, where a box is given, that part of it
    enlarged.

    Args:
        title: The layer's path.
        pixels: One sample of the input, shape `(height, width, 1 or 3)`.
        values: The channel (or the mean over all), shape `(rows, columns)`.
        color: The range of the colours; by default that of `values`.
        channel: The channel's index; `None` for the mean over all of them.
        channel_label: What a channel is called.
        cell: The row and the column of the position that is marked.
        box: What that position depends on, as rows and columns of the input: `(top, left, bottom, right)`, the last
            two one past the end; an empty one where that is padding alone; `None` where it is not known.
        place: Where the cells lie; `None` where that is not known: then they are stretched over the input, and the
            title says so.
        source: What the input is called.

    Returns:
        The figure, or `None` where the input is no picture or the channel no map.
    """
    background = input_picture(pixels)
    if background is None or values.ndim != 2 or not values.size:
        return None
    height, width = pixels.shape[:2]
    whole = np.asarray(values, np.float32)
    nonfinite = whole.size - finite_values(whole)[0].size
    color = color or ColorRange.over(whole)
    factor = reduction_factor(whole.shape)
    shown = magnitude_pooled(whole, (factor, factor)) if factor > 1 else whole
    name = f"mean of all {channel_label}s" if channel is None else f"{channel_label} {channel}"
    source = escape(source, NARROW_LIMIT)
    parts = [escape(title, NARROW_LIMIT), f"{name} {'over' if place else 'stretched over'} {source}"]
    if factor > 1:
        parts.append(reduction_text(factor))
    if nonfinite:
        parts.append(nonfinite_legend(f"{nonfinite:,} NaN or infinite"))
    place = place or Placement.stretched(whole.shape, (height, width))
    uri, drawn = background
    dx, dy = width / drawn[1], height / drawn[0]  # the picture that is sent can be smaller than the model's input
    picture = {"type": "image", "source": uri, "dx": dx, "dy": dy, "hoverinfo": "skip"}
    picture |= {"x0": (dx - 1) / 2, "y0": (dy - 1) / 2}
    traces = [picture, *_cells(shown, factor, place), {**picture, "xaxis": "x2", "yaxis": "y2"}]
    if box is not None and (box[2] <= box[0] or box[3] <= box[1]):
        parts.append(f"depends on padding alone, not on {source}")
        box = None
    elif cell is not None and box is None:
        parts.append("receptive field can't be computed")
    top, left, bottom, right = box or (0, 0, height, width)
    text = source
    if box is not None:
        position = "this position" if cell is None else f"row {cell[0]}, column {cell[1]}"
        text = colored(f"pixels that {position}<br>depends on", ACCENT)
        parts.append(f"depends on {bottom - top} × {right - left} of {height} × {width} pixels")
    shapes = []
    if cell is not None:
        shapes += double_stroke(_frame(place.edges(*cell)))
    if box is not None:
        shapes += double_stroke(_frame(box), width=2, dash="dot")
    layout = _layout(" · ".join(parts), text, color, (height, width), (top, left, bottom, right))
    traces.append(color_strip(color, xaxis="x3", yaxis="y3"))
    return {"data": traces, "layout": {**layout, "shapes": shapes}}


def _cells(shown: NDArray[np.float32], factor: int, place: Placement) -> list[dict[str, Any]]:
    """The heatmap of a map that was reduced by a factor, and over it another of the cells that are not finite."""
    # A reduced cell lies in the middle of the cells that it stands for.
    positions = {"x0": place.left + place.across * (factor - 1) / 2, "dx": place.across * factor}
    positions |= {"y0": place.top + place.down * (factor - 1) / 2, "dy": place.down * factor}
    cells = np.empty((*shown.shape, 3), np.int16)
    cells[..., 0] = -1
    cells[..., 1], cells[..., 2] = np.indices(shown.shape) * factor
    hover = "row %{customdata[1]}, column %{customdata[2]}<br>%{z:.5g}<extra></extra>"
    heatmap = {"type": "heatmap", "z": shown, "coloraxis": "coloraxis", "customdata": cells, "hovertemplate": hover}
    return [{**heatmap, **positions}, *nonfinite_cells(shown, hoverinfo="skip", **positions)]


def _layout(title: str, text: str, color: ColorRange, size: tuple[int, int], box: Box) -> dict[str, Any]:
    """The layout: cells over padding are cut off at the edge of the picture."""
    hidden = {"visible": False, "constrain": "domain", "fixedrange": True}
    down = {**hidden, "constraintoward": "top"}
    (height, width), (top, left, bottom, right) = size, box
    side, across = (0.3, 0.92), WIDE[1][0]
    strip = (0.16, 0.16 + STRIP)
    # On a narrow page the patch stands below the picture, and the strip of colours beside the patch.
    narrow: dict[str, Any] = {"annotations[0].x": 0, "annotations[0].y": NARROW_LOW}
    narrow |= {"xaxis.domain": (0.0, 1.0), "yaxis.domain": (NARROW_LOW + 0.06, 1.0)}
    narrow |= {"xaxis2.domain": (0.0, 0.5), "yaxis2.domain": (0.0, NARROW_LOW)}
    narrow |= {"xaxis3.domain": (0.58, 0.98), "yaxis3.domain": (0.25, 0.25 + STRIP)}
    narrow |= {"annotations[1].x": 0.58, "annotations[1].y": 0.25 + STRIP}
    layout = base_layout(
        title,
        margin={"l": 8, "r": 16, "t": 30, "b": 16, "autoexpand": False},
        annotations=[caption(text, across[0], side[1]), caption("activation", across[0], strip[1])],
        meta={"narrow": narrow},
        coloraxis=color_axis(color, veil(color.scale)),
        xaxis={**hidden, "domain": WIDE[0][0], "range": [-0.5, width - 0.5], "anchor": "y"},
        yaxis={**down, "domain": WIDE[0][1], "range": [height - 0.5, -0.5], "scaleanchor": "x", "anchor": "x"},
        xaxis2={**hidden, "domain": across, "range": [left - 0.5, right - 0.5], "anchor": "y2"},
        yaxis2={**down, "domain": side, "range": [bottom - 0.5, top - 0.5], "scaleanchor": "x2", "anchor": "x2"},
        xaxis3={
            "domain": across,
            "anchor": "y3",
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
            **value_ticks(color.low, color.high, 3),
            **NUMBER_LABELS,
        },
        yaxis3={"visible": False, "domain": strip, "range": [0, 1], "anchor": "x3", "fixedrange": True},
    )
    # Every view is as high as the others: a long title takes its lines from the pictures.
    layout["height"], layout["meta"]["narrow"]["height"] = HEIGHT, NARROW_HEIGHT
    return layout


def veil(scale: str) -> list[list[Any]]:
    """A colour scale that lets the input show through where the channel is zero.

    Args:
        scale: The name of a Plotly colour scale; `"balance"` is transparent in its middle, any other at its start.
    """
    places = np.linspace(0, 1, STEPS + 1)
    magnitude = np.abs(2 * places - 1) if scale == "balance" else places
    colors = sample_colorscale(scale, places.tolist(), colortype="rgb")
    alphas = FAINT + (STRONG - FAINT) * np.sqrt(magnitude)
    result: list[list[Any]] = []
    for place, color, alpha in zip(places.tolist(), colors, alphas.tolist(), strict=True):
        red, green, blue = (round(part) for part in unlabel_rgb(color))
        result.append([place, f"rgba({red},{green},{blue},{alpha:.3f})"])
    return result


def _frame(edges: Edges) -> dict[str, Any]:
    corners = dict(zip(("y0", "x0", "y1", "x1"), (edge - 0.5 for edge in edges), strict=True))
    return {"type": "rect", **corners}
