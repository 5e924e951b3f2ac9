"""The whole network in one figure: a row for each layer."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.figures.overview.places import BOTTOM, COSTED, PICTURED, PLAIN, TITLE_LIMIT, places
from actwidget.figures.overview.rows import NAME, NAMES, answering, bars, statistics, warnings
from actwidget.figures.parts.layout import FONT, NARROW_HEIGHT, PAPER
from actwidget.figures.parts.palette import ACCENT, MUTED, WARNING
from actwidget.figures.parts.text import colored, distinct_names, percent, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actwidget.analysis.summary import Summary
    from actwidget.figures.overview.rows import Column, Pictures

BAND = 0.22
"""The opacity of the band behind the selected row."""


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
    data = [*statistics(rows), warnings(rows), NAMES, *bars(columns), answering(rows, hover or {})]
    return {"data": data, "layout": _layout(rows, title, place, columns, pictures)}


def _layout(
    rows: Sequence[Summary],
    title: str,
    selected: int | None,
    columns: Sequence[Column],
    pictures: Pictures | None,
) -> dict[str, Any]:
    wide, narrow = PICTURED if pictures else COSTED if columns else PLAIN
    place = {"x": 0, "xanchor": "left", "xref": "paper", "y": 1, "yanchor": "top"}
    layout: dict[str, Any] = {
        "title": {"font": {"size": 12}, **place, "pad": {}},
        "margin": {"l": 8, "r": 8, "b": BOTTOM},
        "font": {"family": FONT, "size": 11},
        **PAPER,
        "plot_bgcolor": "rgba(0,0,0,0)",  # the axes of the rows lie over all others
        "showlegend": False,
        "hovermode": "closest",
        "dragmode": False,
        **_axes(rows, selected, columns),
        "annotations": [
            _heading(wide.heading, "x domain"),
            _heading(f"{_square(MUTED)} zeros<br>{_square(WARNING)} dead", "x2 domain"),
            *_further_headings(columns, pictures),
        ],
        "shapes": [] if selected is None else [_band(selected)],
        "images": [] if pictures is None else [_image(pictures, len(rows))],
        "meta": {},
    }
    for path, value in places(wide, len(rows), wrapped(title, TITLE_LIMIT), selected, layout).items():
        _set(layout, path, value)
    on_narrow = places(replace(narrow, least=NARROW_HEIGHT), len(rows), wrapped(title), selected, layout)
    layout["meta"]["narrow"] = {**on_narrow, "annotations[0].text": narrow.heading}
    if wide is PLAIN[0]:  # on a narrow page warnings stand beside the names, and below the heading of zeros
        layout["meta"]["narrow"]["annotations[2].visible"] = False
    return layout


def _axes(rows: Sequence[Summary], selected: int | None, columns: Sequence[Column]) -> dict[str, Any]:
    """The axes: of quantiles (x), zeros (x2), names and warnings (x3), further columns (x5 to x8), and hover (x9)."""
    names = distinct_names([row.path for row in rows], NAME)
    if selected is not None:
        names[selected] = f"<b>{names[selected]}</b>"
    lowest = -1.0 if any(row.minimum < 0 for row in rows) else 0.0
    common = {"showgrid": True, "zeroline": True, "fixedrange": True, "side": "top", "tickangle": 0, "anchor": "y4"}
    bare, plain = {"visible": False, "fixedrange": True}, {"showgrid": False, "zeroline": False}
    return {
        "xaxis": {**common, "range": [lowest * 1.04, 1.04], "tickvals": [-1, 0, 1] if lowest else [0, 0.5, 1]},
        "xaxis2": {**common, "range": [0, 1.02], "tickvals": [0, 1], "ticktext": ["0", "100 %"]},
        "xaxis3": {**bare, "range": [0, 1], "anchor": "y3"},
        **{
            f"xaxis{5 + place}": {**common, **plain, "range": [0, 1.02 * _largest(column)], "showticklabels": False}
            for place, column in enumerate(columns)
        },
        "xaxis9": {**bare, "range": [0, 1], "anchor": "y2"},
        "yaxis": {
            "anchor": "free",
            "position": 0,
            "side": "right",
            "tickvals": list(range(len(rows))),
            "ticktext": names,
            "ticks": "",
            "showline": False,  # otherwise there is one as soon as a page sets its colour
            **plain,
            "fixedrange": True,
        },
        "yaxis2": {**bare, "anchor": "x9"},
        "yaxis3": {**bare, "anchor": "x3"},
        "yaxis4": {**bare, "anchor": "x"},
    }


def _further_headings(columns: Sequence[Column], pictures: Pictures | None) -> list[dict[str, Any]]:
    if pictures:
        return [_heading("channels that<br>vary most", "paper")]
    if columns:
        texts = [f"{column.heading}<br>≤ {percent(_largest(column))}" for column in columns]
        return [_heading(text, f"x{5 + place} domain") for place, text in enumerate(texts)]
    return [_heading("warnings", "x3 domain")]


def _set(layout: dict[str, Any], path: str, value: Any) -> None:
    """Sets an attribute of a layout by its path, such as `xaxis.domain` or `images[0].x`."""
    *steps, last = re.sub(r"\[(\d+)\]", r".\1", path).split(".")
    inner: Any = layout
    for step in steps:
        inner = inner[int(step)] if step.isdigit() else inner.setdefault(step, {})
    inner[last] = value


def _largest(column: Column) -> float:
    return max((share for share in column.shares if share is not None), default=0.0) or 1.0


def _heading(text: str, xref: str) -> dict[str, Any]:
    """The words above a column, above the numbers of its axis."""
    place = {"x": 0, "y": 1, "xref": xref, "yref": "paper", "xanchor": "left", "yanchor": "bottom"}
    return {"text": text, **place, "yshift": 14, "align": "left", "font": {"size": 10}, "showarrow": False}


def _square(color: str) -> str:
    """A square of a bar's colour. A dark page changes the colours of text; because of the space it leaves this one."""
    return colored("■", color).replace("color:", "color: ")


def _band(selected: int) -> dict[str, Any]:
    ends = {"xref": "paper", "x0": 0, "x1": 1, "yref": "y2", "y0": selected - 0.5, "y1": selected + 0.5}
    return {"type": "rect", **ends, "fillcolor": ACCENT, "opacity": BAND, "line": {"width": 0}, "layer": "below"}


def _image(pictures: Pictures, count: int) -> dict[str, Any]:
    """All pictures, of their own width, from the left end of their column on."""
    size = {"sizex": 1, "sizey": count, "sizing": "contain", "xanchor": "left", "yanchor": "top"}
    return {"source": pictures.source, "xref": "paper", "yref": "y2", "y": -0.5, **size, "layer": "above"}
