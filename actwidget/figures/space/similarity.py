"""How much alike layers are, as a matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.analysis.dtypes import FloatArray
from actwidget.figures.boxes import Box, Panel, assembled
from actwidget.figures.parts.color_strip import color_strip
from actwidget.figures.parts.heatmap import color_axis
from actwidget.figures.parts.layout import NUMBER_LABELS
from actwidget.figures.parts.palette import ACCENT, ColorRange
from actwidget.figures.parts.text import distinct_names, escape

MATRIX, STRIP = Box(0.19, 0.86, 4, 390), Box(0.19, 0.5, 414, 422)
NARROW_MATRIX, NARROW_STRIP = Box(0.3, 1.0, 4, 420), Box(0.3, 1.0, 448, 456)
MOST_NAMES = 26
NAME = 22
MOST_WRITTEN = 12
"""In a matrix of more rows or columns the numbers would not fit into the cells."""


def similarity_spec(
    paths: Sequence[str],
    columns: Sequence[str],
    values: FloatArray,
    *,
    samples: int,
    selected: str = "",
    names: tuple[str, str] = ("", ""),
) -> dict[str, Any]:
    """The matrix as a dict of `data` and `layout`. A click carries -1, the row and the column.

    Args:
        paths: The layers of the rows.
        columns: The layers of the columns.
        values: Shape `(rows, columns)`; NaN where there is none.
        samples: On how many samples it rests.
        selected: The layer that is marked; `""` for none.
        names: What the rows and the columns are of, if that differs.
    """
    row, column = np.indices(values.shape)
    heatmap: dict[str, Any] = {
        "type": "heatmap",
        "z": values.astype(np.float32),
        "x": [escape(path, 200) for path in columns],
        "y": [escape(path, 200) for path in paths],
        "coloraxis": "coloraxis",
        "customdata": np.stack([np.full_like(row, -1), row, column], axis=-1).astype(np.float32),
        "hovertemplate": "<b>%{y}</b><br>and %{x}<br>similarity %{z:.2f}<extra></extra>",
        "hoverongaps": False,
    }
    if max(values.shape) <= MOST_WRITTEN:
        heatmap["text"] = [["" if np.isnan(each) else f"{each:.2f}" for each in row] for row in values.tolist()]
        heatmap["texttemplate"] = "%{text}"
    shared = {"type": "category", "showgrid": False, "zeroline": False, "ticks": ""}
    across = {**shared, "range": [-0.5, len(columns) - 0.5], "showticklabels": False}
    down = {**shared, "range": [len(paths) - 0.5, -0.5], **_named(paths, selected)}
    color = ColorRange(0.0, 1.0, "viridis")
    marks = []
    for axis, given in (("y", paths), ("x", columns)):
        if selected in given:
            place = list(given).index(selected)
            other = "x" if axis == "y" else "y"
            band = {f"{axis}0": place - 0.5, f"{axis}1": place + 0.5, f"{other}0": 0, f"{other}1": 1}
            marks.append({"type": "rect", **band, f"{other}ref": "domain", "line": {"color": ACCENT, "width": 1.5}})
    strip = color_strip(color, xaxis="x2", yaxis="y2")
    panels = [
        Panel([heatmap], MATRIX, NARROW_MATRIX, across, down, marks=marks),
        Panel(
            [strip],
            STRIP,
            NARROW_STRIP,
            {"range": [0, 1], "nticks": 6, "showgrid": False, "zeroline": False, **NUMBER_LABELS},
            {"range": [0, 1], "visible": False},
            "0 unrelated, 1 alike up to a rotation",
        ),
    ]
    of = f": rows {escape(names[0], 30)}, columns {escape(names[1], 30)}" if any(names) else ""
    parts = [f"similarity of layers (linear CKA){of}", f"{samples:,} samples", *_gaps(values)]
    return assembled(" · ".join(parts), panels, [], {}, coloraxis=color_axis(color))


def _gaps(values: FloatArray) -> list[str]:
    empty = int(np.isnan(values).all(axis=1).sum())
    noun = "layer has" if empty == 1 else "layers have"
    return [f"{empty:,} {noun} no value: constant, or not finite"] if empty else []


def _named(paths: Sequence[str], selected: str) -> dict[str, Any]:
    """The labels of the rows: of many layers some, evenly, the selected one among them."""
    names = distinct_names(list(paths), NAME)
    stride = -(-len(names) // MOST_NAMES)
    rows = list(range(0, len(names), stride))
    if selected in paths:
        place = list(paths).index(selected)
        names[place] = f"<b>{names[place]}</b>"
        rows = sorted({place, *(row for row in rows if abs(row - place) >= stride)})
    return {"tickvals": rows, "ticktext": [names[row] for row in rows]}


def alike(
    paths: Sequence[str],
    values: npt.NDArray[Any],
    path: str,
    most: int = 3,
    *,
    columns: Sequence[str] | None = None,
) -> list[tuple[str, float]]:
    """The layers that are most like one, with their similarity, the most similar first: other ones, or all `columns`.

    >>> alike(["a", "b", "c"], np.array([[1, 0.2, 0.9], [0.2, 1, 0.1], [0.9, 0.1, 1]]), "a", 1)
    [('c', 0.9)]
    """
    own = values[list(paths).index(path)]
    names = [None if each == path else each for each in paths] if columns is None else list(columns)
    order = np.argsort(-own, kind="stable").tolist()
    return [(name, float(own[each])) for each in order if np.isfinite(own[each]) and (name := names[each])][:most]
