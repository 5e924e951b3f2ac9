"""The panel of one kernel close up, with its numbers where there is room for them."""

from __future__ import annotations

from math import floor, log10
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.pixels.levels import values_of
from actwidget.analysis.pixels.mosaic import mosaic
from actwidget.analysis.pixels.pooling import magnitude_pooled
from actwidget.figures.panels import Panel
from actwidget.figures.parts.heatmap import cell_positions, reduction_factor
from actwidget.figures.parts.nonfinite import finite_or_nan, nonfinite_cells, nonfinite_name, nonfinite_names
from actwidget.figures.parts.palette import ACCENT, MUTED, ColorRange
from actwidget.figures.parts.palette_png import rgba_png
from actwidget.figures.parts.text import colored, escape, reduction_text
from actwidget.figures.parts.tiles import invisible_heatmap
from actwidget.figures.weights.draw import kernel_colors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from actwidget.figures.weights.content import KernelCloseup, WeightContent

AXES = {"xaxis": "x2", "yaxis": "y2"}
GREYS = ((0.0, "#000000"), (1.0, "#ffffff"))
"""The colours of a value that is the same in red, green and blue."""
MOST_NUMBERS, MOST_COLOURED = 7, 5
"""How many rows and columns of numbers there is room for; with three numbers a cell there is less."""
FEW = 8
"""Up to so many bars, or rows of gates, have their numbers."""
MOST_BARS = 256
"""A column of more values is drawn smaller: the strongest of each few."""


def closeup(content: WeightContent, color: ColorRange) -> Panel:
    """The kernel close up.

    Args:
        content: What the figure shows, with a close-up.
        color: The range of its colours.
    """
    shown = content.closeup
    if shown is None:
        return Panel([], {})
    if content.drawn.kind == "colours" and shown.values.ndim == 3:
        return _colours(shown)
    if content.drawn.kind == "matrix":
        return _columns(content, shown)
    return _map(shown, shown.values) if shown.values.ndim == 2 else _inputs(shown, color)


def closeup_color(content: WeightContent) -> ColorRange:
    """The range of the close-up's colours: its own; of a matrix that of all its values, whose picture is beside it."""
    shown = content.closeup
    if shown is None or content.drawn.kind == "matrix":
        return content.drawn.color
    color = ColorRange.over(shown.values)
    if content.drawn.kind != "colours":
        return color
    bound = max(abs(color.low), abs(color.high))
    return ColorRange(-bound, bound, color.scale)


def in_digits(values: NDArray[Any]) -> NDArray[np.str_]:
    """Values as short texts with as many digits after the point as the largest of them needs.

    >>> in_digits(np.array([0.123, -0.5])).tolist(), in_digits(np.array([0.0123, -0.002])).tolist()
    (['0.12', '-0.50'], ['0.012', '-0.002'])
    >>> in_digits(np.array([12.3, np.nan])).tolist(), in_digits(np.array([1.2e-7])).tolist()
    (['12.3', 'NaN'], ['1e-07'])
    """
    finite = np.abs(values[np.isfinite(values)])
    largest = float(finite.max(initial=0))
    digits = 2 if largest == 0 else 1 - floor(log10(largest))
    form = f".{max(digits, 2 if largest < 10 else 1)}f" if digits <= 4 and largest < 1e5 else ".0e"
    # "z" writes no minus before a value that is rounded to zero.
    texts = [f"{value:z{form}}" if np.isfinite(value) else nonfinite_name(value) for value in np.ravel(values).tolist()]
    return np.array(texts).reshape(values.shape)


def _caption(shown: KernelCloseup, *more: str) -> tuple[str, ...]:
    name = escape(shown.label, 40)
    words = ", ".join(text for text in (shown.words, *more) if text)
    return (f"{colored(name, ACCENT) if shown.is_selected else name}{f', {words}' if words else ''}",)


def _map_axes(height: int, width: int, *, square: bool = True) -> dict[str, dict[str, Any]]:
    hidden = {"visible": False, "constrain": "domain"}
    down = {"scaleanchor": "x2", "constraintoward": "top"} if square else {}
    return {
        "xaxis2": {**hidden, "range": [-0.5, width - 0.5], "constraintoward": "left"},
        "yaxis2": {**hidden, "range": [height - 0.5, -0.5], **down},
    }


def _numbered(values: NDArray[Any], limit: int) -> bool:
    return all(length <= limit for length in values.shape[:2])


def _map(shown: KernelCloseup, values: NDArray[Any]) -> Panel:
    """One map of a kernel as cells with their values; large ones are reduced."""
    factor = reduction_factor(values.shape, 128)
    if factor > 1:
        values = magnitude_pooled(values, (factor, factor))
    with_numbers = _numbered(values, MOST_NUMBERS)
    cells: dict[str, Any] = {
        "type": "heatmap",
        "z": finite_or_nan(values).astype(np.float32),
        "coloraxis": "coloraxis",
        "hovertemplate": f"{shown.down} %{{y}}, {shown.across} %{{x}}<br>%{{z:.5g}}<extra></extra>",
        **cell_positions(factor),
        **AXES,
    }
    if with_numbers:
        cells |= {"text": in_digits(values).tolist(), "texttemplate": "%{text}", "xgap": 1, "ygap": 1}
        cells["textfont"] = {"size": 9 if values.shape[1] > 5 else 12}
    axes = _map_axes(values.shape[0] * factor, values.shape[1] * factor, square=not with_numbers)
    return Panel([cells, *_nonfinite(values)], axes, _caption(shown, reduction_text(factor)))


def _nonfinite(values: NDArray[Any], **positions: Any) -> list[dict[str, Any]]:
    """NaN and infinity in their colour and by name."""
    names = np.where(np.isfinite(values), "", nonfinite_names(values)).tolist()
    return nonfinite_cells(values, text=names, hovertemplate="%{text}<extra></extra>", **AXES, **positions)


def _colours(shown: KernelCloseup) -> Panel:
    """A kernel of three colours as in the grid, with its three numbers in each cell."""
    values = shown.values.astype(np.float32)
    height, width = values.shape[:2]
    pixels = kernel_colors(values)
    image = {"type": "image", "source": rgba_png(pixels), "hoverinfo": "skip", **AXES}
    hover = (
        "row %{y}, column %{x}<br>red %{customdata[0]:.5g}<br>green %{customdata[1]:.5g}"
        "<br>blue %{customdata[2]:.5g}<extra></extra>"
    )
    cells = invisible_heatmap(np.zeros((height, width)), hover, customdata=values, meta="bins", **AXES)
    with_numbers = _numbered(values, MOST_COLOURED)
    traces = [image, cells]
    if with_numbers:
        texts = in_digits(values).reshape(-1, 3)
        rows, columns = np.indices((height, width))
        # By the luminance of https://www.w3.org/TR/WCAG22/#dfn-relative-luminance, of which 0.18 is the middle.
        light = (pixels[..., :3] / 255.0) ** 2.2 @ [0.2126, 0.7152, 0.0722] > 0.18
        traces.append(
            {
                "type": "scatter",
                "mode": "text",
                "x": columns.ravel(),
                "y": rows.ravel(),
                "text": ["<br>".join(each) for each in texts.tolist()],
                "textfont": {
                    "size": 11 if width <= 3 else 8,
                    "color": np.where(light.ravel(), "#000000", "#ffffff").tolist(),
                },
                "hoverinfo": "skip",
                **AXES,
            }
        )
    words = "red, green, blue" if with_numbers else "values on hover"
    return Panel(traces, _map_axes(height, width, square=not with_numbers), _caption(shown, words))


def _inputs(shown: KernelCloseup, color: ColorRange) -> Panel:
    """The maps of all input channels of a kernel side by side."""
    maps = np.moveaxis(shown.values, -1, 0)
    tiles = mosaic(maps, low=color.low, high=color.high, aspect=1.6, max_pixels=20_000)
    # The place of each cell: its input channel, row and column.
    rows, columns = np.indices(tiles.pixels.shape)
    down, across = tiles.tile_height + tiles.gap, tiles.tile_width + tiles.gap
    inputs = rows // down * tiles.columns + columns // across
    told = np.stack([inputs, rows % down * tiles.reduction, columns % across * tiles.reduction], axis=-1)
    z = values_of(tiles.pixels, color.low, color.high)
    is_there = (rows % down < tiles.tile_height) & (columns % across < tiles.tile_width) & (inputs < len(maps))
    if tiles.reduction == 1:
        z[is_there] = maps[tuple(told[is_there].T)]
    cells: dict[str, Any] = {
        "type": "heatmap",
        "z": finite_or_nan(z).astype(np.float32),
        "customdata": told.astype(np.int16),
        "coloraxis": "coloraxis",
        "hovertemplate": "input channel %{customdata[0]}, row %{customdata[1]}, column %{customdata[2]}"
        "<br>%{z:.5g}<extra></extra>",
        "hoverongaps": False,
        "meta": "bins",  # a click selects no channel
        **AXES,
    }
    words = f"its {len(maps)} input channels side by side", reduction_text(tiles.reduction)
    return Panel([cells], _map_axes(*tiles.pixels.shape), _caption(shown, *words))


def _columns(content: WeightContent, shown: KernelCloseup) -> Panel:
    """The columns of a matrix that belong to a unit: bars, or with gates a map of inputs and gates."""
    values, gates = shown.values, content.gates
    rows, count = values.shape
    factor = -(-rows // MOST_BARS)
    if factor > 1:
        values = magnitude_pooled(values, (factor, 1))
    words = reduction_text(**{f"{content.input_label}s": factor})
    side = {"title": {"text": content.input_label}, "showgrid": False, "zeroline": False}
    positions = {"y0": (factor - 1) / 2, "dy": factor}
    if count == 1:
        return Panel([_bar(content, values[:, 0], positions)], _bar_axes(side, rows), _caption(shown, words))
    cells: dict[str, Any] = {
        "type": "heatmap",
        "z": finite_or_nan(values).astype(np.float32),
        "coloraxis": "coloraxis",
        "hovertemplate": f"{content.input_label} %{{y}}, %{{x}}<br>%{{z:.5g}}<extra></extra>",
        **positions,
        **AXES,
    }
    if rows <= FEW and count <= MOST_NUMBERS:
        cells |= {"text": in_digits(values).tolist(), "texttemplate": "%{text}", "xgap": 1, "ygap": 1}
        cells["textfont"] = {"size": 10}
    across: dict[str, Any] = {"range": [-0.5, count - 0.5], "showgrid": False, "zeroline": False}
    if len(gates) == count:
        across |= {"tickmode": "array", "tickvals": list(range(count)), "ticktext": list(gates)}
    axes = {"xaxis2": across, "yaxis2": {**side, "range": [rows - 0.5, -0.5]}}
    return Panel([cells, *_nonfinite(values, **positions)], axes, _caption(shown, words))


def _bar(content: WeightContent, values: NDArray[Any], positions: dict[str, float]) -> dict[str, Any]:
    finite = np.isfinite(values)
    places = positions["y0"] + positions["dy"] * np.arange(len(values))
    bar: dict[str, Any] = {
        "type": "bar",
        "x": places,
        "y": np.where(finite, values, 0).astype(np.float32),
        "width": positions["dy"],
        "marker": {"color": ACCENT if content.closeup and content.closeup.is_selected else MUTED, "line": {"width": 0}},
        "hovertemplate": f"{content.input_label} %{{x}}: %{{y:.5g}}<extra></extra>",
        **AXES,
    }
    if len(values) <= FEW:
        bar |= {"text": in_digits(values).tolist(), "textposition": "outside", "cliponaxis": False}
        bar["textfont"] = {"size": 9}
        bar["width"] = 0.8
    return bar


def _bar_axes(side: dict[str, Any], rows: int) -> dict[str, dict[str, Any]]:
    return {"xaxis2": {**side, "range": [-0.6, rows - 0.4]}, "yaxis2": {"nticks": 4}}
