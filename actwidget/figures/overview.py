"""The whole network in one figure: a row for each layer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.figures.parts.layout import FONT, HEIGHT, LINE, NARROW_HEIGHT, PAPER
from actwidget.figures.parts.palette import ACCENT, MUTED, WARNING
from actwidget.figures.parts.text import between, colored, distinct_names, escape, number, percent, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actwidget.analysis.summary import Summary

NAME, WORDS = 23, 27
"""How many characters of a layer's name, and of a warning, fit into their columns."""
TICKS = 18
"""The height of the numbers of the axes, in pixels."""
BOTTOM = 8
"""The space below the last row, in pixels."""
TITLE_LIMIT = 88
"""How many characters of the title fit into a line."""
BAND = 0.22
"""The opacity of the band behind the selected row."""


@dataclass(frozen=True)
class Column:
    """One more quantity of each layer, as a column of bars.

    Attributes:
        heading: The lines above the column, of at most nine characters each.
        shares: For each layer its share of the whole network, 0 to 1; `None` where it is not known.
        color: Of the bars.
    """

    heading: str
    shares: Sequence[float | None]
    color: str = MUTED


@dataclass(frozen=True)
class Pictures:
    """A picture of each layer, one below the other.

    Attributes:
        source: All of them as one PNG, a data URI, as large as it is on screen.
    """

    source: str


@ignore_float_errors
def overview_spec(
    rows: Sequence[Summary],
    title: str = "",
    selected: str = "",
    *,
    columns: Sequence[Column] = (),
    pictures: Pictures | None = None,
    hover: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The figure of a whole network as a dict of `data` and `layout`, first layer on top.

    Each row has the layer's name; the quantiles of its values (1 to 99 % thin, 25 to 75 % thick, the median a dot),
    each divided by the layer's largest magnitude so that one axis serves all; the shares of zeros and of dead channels;
    and its first warning in words. An invisible heatmap lies over all of it and answers hover and click: the
    `customdata` of a row's cell is the layer's path.

    `layout.meta.sticky` is the height of title and headings, which stay in sight while the figure scrolls, and
    `layout.meta.reveal` the pixels from the top to the middle of the selected row; it is absent if no row is selected.

    Args:
        rows: The layers in order of execution.
        title: Above the figure.
        selected: The path of the layer that is marked.
        columns: More columns, on the right.
        pictures: Pictures of the layers, on the right, `PICTURE_ROW` pixels high each.
        hover: Lines that hover adds for a layer, by path, with Plotly's markup.

    Returns:
        A dict of `data` and `layout`.
    """
    place = next((place for place, row in enumerate(rows) if row.path == selected), None)
    data = [*_statistics(rows), _warnings(rows), NAMES, *_bars(columns), _hover(rows, hover or {})]
    return {"data": data, "layout": _layout(rows, title, place, columns, pictures)}


NAMES = {"type": "scatter", "x": [None], "y": [None], "hoverinfo": "skip", "xaxis": "x3", "yaxis": "y"}
"""Nothing, on the axis whose labels are the names: Plotly draws no axis without a trace."""


@dataclass(frozen=True)
class Form:
    """Where the parts of a row stand, on a wide and on a narrow page.

    Attributes:
        row: The height of a row in pixels.
        quantiles: The domain of the quantiles, as for the next three.
        zeros: That of zeros and dead channels; like the quantiles it can be left out of a narrow figure.
        warnings: That of the warnings.
        more: That of the further columns together.
        heading: That of the quantiles, in lines that fit.
        name_shift: How far above the middle of a row its name stands, as a share of the row.
        warning_shift: The same for the warning.
        bar_shift: The same for the bars.
        least: The least height of the figure in pixels.
    """

    row: int
    quantiles: tuple[float, float] | None
    zeros: tuple[float, float] | None
    warnings: tuple[float, float]
    more: tuple[float, float] = (0, 0)
    heading: str = "values, each layer<br>scaled to its largest"
    name_shift: float = 0
    warning_shift: float = 0
    bar_shift: float = 0
    least: int = HEIGHT


_THREE_LINES = "values, each<br>layer scaled<br>to its largest"
_TWO_LINES: dict[str, Any] = {"name_shift": 0.22, "warning_shift": 0.22, "bar_shift": -0.22}
PLAIN = (
    Form(20, (0.29, 0.54), (0.57, 0.68), (0.71, 1)),
    Form(36, (0.01, 0.68), (0.76, 0.96), (0.46, 1), **_TWO_LINES),
)
COSTED = (
    Form(36, (0.29, 0.46), (0.49, 0.57), (0, 0.28), (0.6, 1), _THREE_LINES, 0.22, -0.22, 0.22),
    Form(36, None, None, (0.46, 1), (0.01, 1), **_TWO_LINES),
)
PICTURE_ROW = 44
"""The height of a row with a picture, in pixels."""
PICTURED = (
    Form(PICTURE_ROW, (0.29, 0.56), (0.6, 0.72), (0, 0.28), (0.76, 1), _THREE_LINES, 0.18, -0.18, 0.18),
    Form(PICTURE_ROW, (0.01, 0.46), None, (0, 0.5), (0.52, 1), _THREE_LINES, 0.32, 0.02, -0.32),
)


def _statistics(rows: Sequence[Summary]) -> list[dict[str, Any]]:
    y = np.arange(len(rows))
    scale = np.array([max(abs(row.minimum), abs(row.maximum)) or 1.0 for row in rows]).reshape(-1, 1)
    quantiles = np.array([row.quantiles for row in rows], np.float64).reshape(len(rows), -1) / scale
    medians = {
        "type": "scatter",
        "mode": "markers",
        "x": quantiles[:, 2],
        "y": y,
        "marker": {"color": [WARNING if row.warnings else MUTED for row in rows], "size": 8},
        "hoverinfo": "skip",
        "yaxis": "y4",
    }
    start = np.zeros(len(rows))
    return [
        _lines(quantiles[:, 0], quantiles[:, 4], y, 1, MUTED),
        _lines(quantiles[:, 1], quantiles[:, 3], y, 6, MUTED),
        medians,
        _lines(start, np.array([row.zeros for row in rows]), y, 10, MUTED, xaxis="x2"),
        _lines(start, np.array([row.dead for row in rows]), y, 5, WARNING, xaxis="x2"),
    ]


def _lines(low: Any, high: Any, y: Any, width: int, color: str, **axes: str) -> dict[str, Any]:
    """A horizontal line for each row, all in one trace: a bar for each would be an element each."""
    gaps = np.full(len(y), np.nan)
    drawn = np.where(low == high, np.nan, high) if width > 1 else high  # nothing where there is nothing
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.stack([low, drawn, gaps], axis=1).ravel(),
        "y": np.stack([y, y, gaps], axis=1).ravel(),
        "line": {"color": color, "width": width},
        "hoverinfo": "skip",
        "yaxis": "y4",
        **axes,
    }


def _warnings(rows: Sequence[Summary]) -> dict[str, Any]:
    unwell = [(place, row) for place, row in enumerate(rows) if row.warnings]
    return {
        "type": "scatter",
        "mode": "text",
        "x": np.zeros(len(unwell)),
        "y": np.array([place for place, _ in unwell]),
        "text": [warning_text(row.warnings) for _, row in unwell],
        "textposition": "middle right",
        "textfont": {"size": 10},
        "hoverinfo": "skip",
        "xaxis": "x3",
        "yaxis": "y3",
    }


def warning_text(warnings: Sequence[str]) -> str:
    """The first of a layer's warnings behind a mark, and how many more there are.

    >>> warning_text(("3 of 32 channels dead in one sample", "1 NaN"))
    '<span style="color:#c4480d">▲</span> 3 of 32 channels dead +1'
    """
    more = f" +{len(warnings) - 1}" if len(warnings) > 1 else ""
    first = warnings[0].removesuffix(" in one sample")
    cut = first if len(first) + len(more) <= WORDS else f"{first[: WORDS - len(more) - 1]}…"
    return f"{colored('▲', WARNING)} {escape(cut)}{more}"


def _bars(columns: Sequence[Column]) -> list[dict[str, Any]]:
    found = []
    for place, column in enumerate(columns):
        shares = np.array([np.nan if share is None else share for share in column.shares], np.float64)
        axis = f"x{5 + place}"
        found.append(_lines(np.zeros(len(shares)), shares, np.arange(len(shares)), 10, column.color, xaxis=axis))
    return found


def _hover(rows: Sequence[Summary], more: Mapping[str, str]) -> dict[str, Any]:
    """One invisible cell for each row, over its whole width."""
    texts = [f"{_hover_text(row)}{''.join(f'<br>{line}' for line in [more.get(row.path)] if line)}" for row in rows]
    return {
        "type": "heatmap",
        "x": [0.5],
        "y": list(range(len(rows))),
        "z": [[0]] * len(rows),
        "customdata": [[[row.path]] for row in rows],
        "hovertext": [[text] for text in texts],
        "hoverinfo": "text",
        "opacity": 0,
        "showscale": False,
        "xaxis": "x9",
        "yaxis": "y2",
    }


def _hover_text(row: Summary) -> str:
    text = f"<b>{escape(row.path)}</b><br>{between(row.minimum, row.maximum)}"
    if isfinite(row.quantiles[2]) and row.meaning in {"activations", "data"}:  # flags and names have no median
        text += f", median {number(row.quantiles[2])}"
    text += f"<br>zeros {percent(row.zeros)}"
    if row.meaning == "activations":
        text += f", dead {percent(row.dead)}"
    return text + "".join(f"<br>{escape(warning)}" for warning in row.warnings)


def _layout(
    rows: Sequence[Summary],
    title: str,
    selected: int | None,
    columns: Sequence[Column],
    pictures: Pictures | None,
) -> dict[str, Any]:
    wide, narrow = PICTURED if pictures else COSTED if columns else PLAIN
    names = distinct_names([row.path for row in rows], NAME)
    if selected is not None:
        names[selected] = f"<b>{names[selected]}</b>"
    lowest = -1.0 if any(row.minimum < 0 for row in rows) else 0.0
    axis = {"showgrid": True, "zeroline": True, "fixedrange": True, "side": "top", "tickangle": 0, "anchor": "y4"}
    bare = {"visible": False, "fixedrange": True}
    further = [(f"x{5 + place}", column) for place, column in enumerate(columns)]
    layout: dict[str, Any] = {
        "title": {
            "font": {"size": 12},
            "x": 0,
            "xanchor": "left",
            "xref": "paper",
            "y": 1,
            "yanchor": "top",
            "pad": {},
        },
        "margin": {"l": 8, "r": 8, "b": BOTTOM},
        "font": {"family": FONT, "size": 11},
        **PAPER,
        "plot_bgcolor": "rgba(0,0,0,0)",  # the axes of the rows lie over all others
        "showlegend": False,
        "hovermode": "closest",
        "dragmode": False,
        "xaxis": {**axis, "range": [lowest * 1.04, 1.04], "tickvals": [-1, 0, 1] if lowest else [0, 0.5, 1]},
        "xaxis2": {**axis, "range": [0, 1.02], "tickvals": [0, 1], "ticktext": ["0", "100 %"]},
        "xaxis3": {**bare, "range": [0, 1], "anchor": "y3"},
        **{
            f"xaxis{name[1:]}": {
                **axis,
                "range": [0, 1.02 * _largest(column)],
                "tickvals": [_largest(column)],
                "ticktext": [percent(_largest(column))],
                "showgrid": False,
            }
            for name, column in further
        },
        "xaxis9": {**bare, "range": [0, 1], "anchor": "y2"},
        "yaxis2": {**bare, "anchor": "x9"},
        "yaxis": {
            "anchor": "free",
            "position": 0,
            "side": "right",
            "tickvals": list(range(len(rows))),
            "ticktext": names,
            "ticks": "",
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
        "yaxis3": {**bare, "anchor": "x3"},
        "yaxis4": {**bare, "anchor": "x"},
        "annotations": [
            _heading(wide.heading, "x"),
            _heading(f"{colored('■', MUTED)} zeros<br>{colored('■', WARNING)} dead", "x2"),
            *(_heading(column.heading, name) for name, column in further),
        ],
        "shapes": [] if selected is None else [_band(selected)],
        "images": [] if pictures is None else [_image(pictures, len(rows))],
        "meta": {},
    }
    for path, value in _places(wide, len(rows), wrapped(title, TITLE_LIMIT), selected, layout).items():
        _set(layout, path, value)
    narrow_places = _places(replace(narrow, least=NARROW_HEIGHT), len(rows), wrapped(title), selected, layout)
    layout["meta"]["narrow"] = {**narrow_places, "annotations[0].text": narrow.heading}
    return layout


def _places(
    form: Form, count: int, title: list[str], selected: int | None, layout: Mapping[str, Any]
) -> dict[str, Any]:
    """What depends on the width of the page: the attributes of the layout by their paths."""
    further = [name for name in layout if name.startswith("xaxis") and name[5:] in {"5", "6", "7", "8"}]
    lines = form.heading.count("<br>") + 1
    top = 12 + LINE * len(title) + 13 * lines + TICKS
    height = max(form.least, top + count * form.row + BOTTOM)
    shown = (height - top - BOTTOM) / form.row  # how many rows there is room for, at least as many as there are
    shifts = {"yaxis": form.name_shift, "yaxis2": 0, "yaxis3": form.warning_shift, "yaxis4": form.bar_shift}
    start, width = form.more[0], (form.more[1] - form.more[0]) / max(1, len(further))
    places = {
        "title.text": "<br>".join(escape(line, 200) for line in title),
        "title.pad.t": 6 + 8 * (len(title) - 1),
        "height": height,
        "margin.t": top,
        **_domain("xaxis", form.quantiles, 0),
        **_domain("xaxis2", form.zeros, 1),
        "xaxis3.domain": list(form.warnings),
        **{f"{name}.domain": [start + i * width, start + (i + 0.84) * width] for i, name in enumerate(further)},
        **{f"{name}.range": [shown - 0.5 + shift, -0.5 + shift] for name, shift in shifts.items()},
        "meta.sticky": top,
    }
    if selected is not None:
        places["meta.reveal"] = top + round((selected + 0.5) * form.row)
    if layout["images"]:
        places["images[0].x"] = start
    return places


def _domain(axis: str, domain: tuple[float, float] | None, heading: int) -> dict[str, Any]:
    """Where a column stands; or that it is not shown: its heading is hidden, and its axis begins behind its values."""
    if domain is not None:
        return {f"{axis}.domain": list(domain)}
    return {f"{axis}.range": [2, 3], f"{axis}.visible": False, f"annotations[{heading}].visible": False}


def _set(layout: dict[str, Any], path: str, value: Any) -> None:
    """Sets an attribute of a layout by its path, such as `xaxis.domain` or `images[0].x`."""
    *steps, last = path.replace("[0]", ".0").split(".")
    inner: Any = layout
    for step in steps:
        inner = inner[0] if step == "0" else inner.setdefault(step, {})
    inner[last] = value


def _largest(column: Column) -> float:
    return max((share for share in column.shares if share is not None), default=0.0) or 1.0


def _heading(text: str, axis: str) -> dict[str, Any]:
    """The words above a column, above the numbers of its axis."""
    place = {"x": 0, "y": 1, "xref": f"{axis} domain", "yref": "paper", "xanchor": "left", "yanchor": "bottom"}
    return {"text": text, **place, "yshift": 14, "align": "left", "font": {"size": 10}, "showarrow": False}


def _band(selected: int) -> dict[str, Any]:
    ends = {"xref": "paper", "x0": 0, "x1": 1, "yref": "y2", "y0": selected - 0.5, "y1": selected + 0.5}
    return {"type": "rect", **ends, "fillcolor": ACCENT, "opacity": BAND, "line": {"width": 0}, "layer": "below"}


def _image(pictures: Pictures, count: int) -> dict[str, Any]:
    """All pictures, of their own width, from the left end of their column on."""
    size = {"sizex": 1, "sizey": count, "sizing": "contain", "xanchor": "left", "yanchor": "top"}
    return {"source": pictures.source, "xref": "paper", "yref": "y2", "y": -0.5, **size, "layer": "above"}
