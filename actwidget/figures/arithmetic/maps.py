"""The maps of the figure: the window of the input with its weights and products, and the layer's values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.pixels.pooling import magnitude_pooled
from actwidget.figures.arithmetic.lines import in_words
from actwidget.figures.panels import Panel
from actwidget.figures.parts.heatmap import cell_positions, color_axis, reduction_factor
from actwidget.figures.parts.marks import outlined
from actwidget.figures.parts.nonfinite import finite_or_nan
from actwidget.figures.parts.palette import ColorRange
from actwidget.figures.parts.text import escape, reduction_text
from actwidget.figures.weights.closeup import in_digits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from actwidget.figures.arithmetic.content import Plane, Window

MOST_NUMBERS = 5
"""How many rows and columns of numbers have room in a map of the window."""
WINDOW_LIMIT, PLANE_LIMIT = 64, 192
"""Longer maps are reduced."""
NAMES = ("inputs", "weights", "products")


def window_panels(window: Window) -> list[Panel]:
    """The inputs, the weights and the products, on the axes 4, 5 and 6, each on a range of its own."""
    each = [window.inputs, window.weights, window.products]
    total = in_words(float(np.nansum(window.products)))
    name = escape(window.name, 18) or "input"
    captions = (name, "× weight", f"= product, sum {total}")
    return [_map(window, values, place, captions[place]) for place, values in enumerate(each)]


def window_colors(window: Window) -> list[ColorRange]:
    """The range of the colours of each map."""
    return [ColorRange.over(values) for values in (window.inputs, window.weights, window.products)]


def _map(window: Window, values: NDArray[Any], place: int, caption: str) -> Panel:
    factor = reduction_factor(values.shape, WINDOW_LIMIT)
    shown = magnitude_pooled(np.nan_to_num(values), (factor, factor)) if factor > 1 else values
    height, width = shown.shape
    axes = {"xaxis": f"x{place + 4}", "yaxis": f"y{place + 4}"}
    cells: dict[str, Any] = {
        "type": "heatmap",
        "z": finite_or_nan(shown).astype(np.float32),
        "coloraxis": f"coloraxis{place + 2}",
        "hoverongaps": False,
        "hovertemplate": f"{NAMES[place][:-1]} %{{z:.5g}}<extra></extra>",
        **cell_positions(factor),
        **axes,
    }
    if window.targets and factor == 1:
        cells["customdata"] = [[None if each is None else list(each) for each in row] for row in window.targets]
    if max(height, width) <= MOST_NUMBERS:
        texts = np.where(np.isnan(shown), "", in_digits(shown))
        cells |= {"text": texts.tolist(), "texttemplate": "%{text}", "xgap": 1, "ygap": 1}
        cells["textfont"] = {"size": 12 if width <= 3 else 8}
    else:
        cells.setdefault("meta", "bins" if "customdata" not in cells else "")
    hidden = {"visible": False, "constrain": "domain"}
    side = {"scaleanchor": f"x{place + 4}", "constraintoward": "top"} if max(height, width) > MOST_NUMBERS else {}
    return Panel(
        [cells],
        {
            f"xaxis{place + 4}": {**hidden, "range": (-0.5, width * factor - 0.5), "constraintoward": "left"},
            f"yaxis{place + 4}": {**hidden, "range": (height * factor - 0.5, -0.5), **side},
        },
        (caption,),
    )


def plane_panel(plane: Plane) -> Panel:
    """The layer's values on the axes 3, with a mark around the one that is computed; a click on a cell chooses it."""
    values = np.asarray(plane.values, np.float32)
    factor = reduction_factor(values.shape, PLANE_LIMIT)
    shown = magnitude_pooled(np.nan_to_num(values), (factor, factor)) if factor > 1 else values
    height, width = plane.values.shape
    down, across = plane.words
    hover = f"{down} %{{y}}, {across} %{{x}}<br>%{{z:.5g}}<extra></extra>"
    cells: dict[str, Any] = {
        "type": "heatmap",
        "z": finite_or_nan(shown),
        "coloraxis": "coloraxis",
        "hoverongaps": False,
        "hovertemplate": hover,
        "meta": "cells",
        "xaxis": "x3",
        "yaxis": "y3",
        **cell_positions(factor),
    }
    if plane.is_block:
        names = np.arange(shown.size).reshape(shown.shape)
        cells |= {"text": names.tolist(), "hovertemplate": f"{across} %{{text}}<br>%{{z:.5g}}<extra></extra>"}
    row, column = plane.cell
    hidden = {"visible": False, "constrain": "domain"}
    is_long = max(height, width) > 6 * min(height, width)
    side = {} if is_long else {"scaleanchor": "x3", "constraintoward": "top"}
    caption = ", ".join(filter(None, [escape(plane.caption, 44), reduction_text(factor)]))
    return Panel(
        [cells],
        {
            "xaxis3": {**hidden, "range": (-0.5, width - 0.5), "constraintoward": "left"},
            "yaxis3": {**hidden, "range": (height - 0.5, -0.5), **side},
            "coloraxis": color_axis(plane.color),
        },
        (caption,),
        shapes=outlined((column - 0.5, row - 0.5, column + 0.5, row + 0.5), xref="x3", yref="y3"),
    )


def crosshair(plane: Plane, trace: int) -> dict[str, Any] | None:
    """What `plot/crosshair.js` needs to move in the layer's values by keys; `None` for a vector."""
    if plane.is_block:
        return None
    found: dict[str, Any] = {"trace": trace, "shape": plane.values.shape, "closeup": ("xaxis3", "yaxis3")}
    return {**found, "pinned": plane.cell, "words": plane.words}
