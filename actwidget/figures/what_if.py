"""What becomes of an answer if activations are changed: the answer before and after, and how far each layer moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.figures.answers.content import value_in_words
from actwidget.figures.parts.bars import bar_lengths
from actwidget.figures.parts.layout import NUMBER_LABELS, base_layout, caption, of_panel_height
from actwidget.figures.parts.palette import ACCENT, MUTED, WARNING
from actwidget.figures.parts.text import colored, distinct_names, escape, percent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from actwidget.figures.answers.content import Kind

TOP = 5
"""How many classes are shown."""
NAME_LIMIT, NARROW_NAME_LIMIT = 22, 15
# The x domains of the answers and of the layers on a wide page, and their y domains on a narrow one.
WIDE, NARROW = ((0.0, 0.42), (0.54, 1.0)), ((0.56, 0.98), (0.1, 0.42))
ABOVE = 0.93
"""The upper end of both panels on a wide page; their captions stand above."""


BELOW = 0.4
"""The lower end of the right panel on a wide page: the list of changes stands below it."""


@dataclass(frozen=True, eq=False)
class WhatIfContent:
    """What the figure shows.

    Attributes:
        title: What is changed, in words.
        kind: What the model's answer is; `None` if it has none that bars could show.
        names: What its classes or numbers are called.
        before: Their values without the changes, shape `(units,)`.
        after: Their values with the changes.
        layers: The paths of the layers that can move, in order of execution.
        moved: How far each has moved, as a share of its length before.
        edited: Which of them are changed.
        heading: The title of the figure, if it is shorter than `title`.
    """

    title: str
    kind: Kind | None
    names: Sequence[str]
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    layers: Sequence[str]
    moved: Sequence[float]
    edited: frozenset[str]
    heading: str = ""

    @property
    def shown_units(self) -> list[int]:
        """The units that are shown: those with the largest values before or after, largest before first."""
        before, after = (np.nan_to_num(each, nan=-np.inf) for each in (self.before, self.after))
        if self.kind in {"numbers", "two classes"}:
            return list(range(len(self.names)))[:TOP]
        most = np.argsort(-np.maximum(before, after), kind="stable")[:TOP]
        return sorted(most.tolist(), key=lambda unit: -before[unit])

    def change_of(self, unit: int) -> str:
        """How one unit changes, in words: "espresso 94 % → 80 %"."""
        kind = self.kind or "numbers"
        first, second = (value_in_words(kind, float(each[unit])) for each in (self.before, self.after))
        return f"{self.names[unit]} {first} \u2192 {second}"


@ignore_float_errors
def what_if_spec(content: WhatIfContent) -> dict[str, Any]:
    """The figure as a dict of `data` and `layout`.

    On the left are the answer's bars before and after. On the right is a point for each layer that the changes can
    reach; the `customdata` of a point is `[path, "compare"]`.

    Args:
        content: What it shows.
    """
    has_answer = content.kind is not None and len(content.names) > 0
    data: list[dict[str, Any]] = []
    axes: dict[str, Any] = {}
    annotations: list[dict[str, Any]] = []
    narrow: dict[str, Any] = {}
    margin = 48
    if has_answer:
        traces, more, names, margins = _answers(content)
        data, axes = [*traces], {**more}
        before, after = colored("\u25a0 before", MUTED), colored("\u25a0 after", ACCENT)
        annotations.append(caption(f"the answer, {before} {after}", WIDE[0][0], ABOVE))
        narrow |= {"xaxis.domain": (0, 1), "yaxis.domain": NARROW[0], "annotations[0].y": NARROW[0][1]}
        narrow |= {"yaxis.ticktext": names[1], "margin.l": margins[1]}
        margin = margins[0]
    traces, more = _layers(content)
    data, axes = [*data, *traces], axes | more
    x_domain = WIDE[1] if has_answer else (0.0, 1.0)
    axes["xaxis2"]["domain"], axes["yaxis2"]["domain"] = x_domain, (BELOW, ABOVE)
    text = "how far each layer moved (click to compare)" if content.layers else "no layer lies behind the changes"
    annotations.append(caption(text, x_domain[0], ABOVE))
    place = len(annotations) - 1
    annotations += _ends(content.layers)
    if has_answer:
        narrow |= {"xaxis2.domain": (0, 1), "yaxis2.domain": NARROW[1]}
        narrow |= {f"annotations[{place}].x": 0, f"annotations[{place}].y": NARROW[1][1]}
    layout = base_layout(
        escape(content.heading or content.title, 400),
        margin={"l": margin, "r": 16, "t": 34, "b": 40, "autoexpand": False},
        annotations=annotations,
        bargap=0.3,
        bargroupgap=0.06,
        meta={"narrow": narrow},
        **axes,
    )
    return {"data": data, "layout": of_panel_height(layout)}


def _answers(content: WhatIfContent) -> tuple[list[dict[str, Any]], dict[str, Any], tuple[Any, Any], tuple[int, int]]:
    """The bars before and after: their traces and axes, the names on a wide and a narrow page, and their margins."""
    units, kind = content.shown_units, content.kind or "numbers"
    places = list(range(len(units)))
    lengths = [bar_lengths(each[units]) for each in (content.before, content.after)]
    traces = []
    for name, values, length, color in (
        ("before", content.before, lengths[0], MUTED),
        ("after", content.after, lengths[1], ACCENT),
    ):
        words = [value_in_words(kind, float(value)) for value in values[units]]
        hover = [
            f"<b>{escape(content.names[unit], 60)}</b><br>{name}: {text}"
            for unit, text in zip(units, words, strict=True)
        ]
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": name,
                "x": length.tolist(),
                "y": places,
                "marker": {"color": color},
                "text": [f"\u00a0{text}" for text in words],
                "textposition": "outside",
                "textfont": {"size": 11},
                "cliponaxis": False,
                "hovertext": hover,
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )
    high = max(float(length.max(initial=0)) for length in lengths)
    low = min(0.0, *(float(length.min(initial=0)) for length in lengths))
    room = 0.3 * (high - low) or 1.0
    wide, small = ([*distinct_names([content.names[unit] for unit in units], limit)] for limit in _LIMITS)
    axis = {
        "range": [len(units) - 0.4, -0.6],
        "tickmode": "array",
        "tickvals": places,
        "ticktext": wide,
        "tickfont": {"size": 12},
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "domain": (0.0, ABOVE),
    }
    axes = {
        "xaxis": {
            "range": [low - (0.3 * (high - low) if low else 0), high + room],
            "domain": WIDE[0],
            "fixedrange": True,
            "showticklabels": False,
            "showgrid": False,
            "zeroline": True,
        },
        "yaxis": axis,
    }
    margins = tuple(18 + round(6.9 * max(map(len, each), default=0)) for each in (wide, small))
    return traces, axes, (wide, small), (margins[0], margins[1])


_LIMITS = (NAME_LIMIT, NARROW_NAME_LIMIT)


def _layers(content: WhatIfContent) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A point for each layer, by the order in which they run: the trace and the axes."""
    moved = np.asarray(content.moved, np.float64)
    finite = np.isfinite(moved)
    top = float(moved[finite].max(initial=0)) or 0.01
    heights = np.where(finite, moved, top)
    hover = [
        f"<b>{escape(path, 60)}</b><br>{_in_words(value)}{' (changed itself)' if path in content.edited else ''}"
        for path, value in zip(content.layers, moved.tolist(), strict=True)
    ]
    colors = [
        WARNING if not is_finite else ACCENT if path in content.edited else MUTED
        for path, is_finite in zip(content.layers, finite.tolist(), strict=True)
    ]
    axes = {"xaxis": "x2", "yaxis": "y2"}
    bars = {
        "type": "bar",
        "x": list(range(len(heights))),
        "y": heights.tolist(),
        "marker": {"color": colors},
        "customdata": [[path, "compare"] for path in content.layers],
        "hovertext": hover,
        "hovertemplate": "%{hovertext}<extra></extra>",
        **axes,
    }
    ticks = [0.0, top / 2, top]
    x_axis = {
        "range": [-0.7, max(len(heights), 4) - 0.3],
        "showticklabels": False,
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "anchor": "y2",
        **NUMBER_LABELS,
    }
    y_axis = {
        "range": [0, 1.08 * top],
        "tickmode": "array",
        "tickvals": ticks,
        "ticktext": [percent(tick) for tick in ticks],
        "zeroline": False,
        "fixedrange": True,
        "anchor": "x2",
        **NUMBER_LABELS,
    }
    return [bars], {"xaxis2": x_axis, "yaxis2": y_axis}


def _ends(layers: Sequence[str]) -> list[dict[str, Any]]:
    """The names of the first and the last layer, below the ends of their axis."""
    sides = [("left", 0.0, layers[:1]), ("right", 1.0, layers[1:][-1:])]
    return [
        {
            "text": escape(path.rpartition("/")[2], 18),
            "x": x,
            "y": 0,
            "xref": "x2 domain",
            "yref": "y2 domain",
            "xanchor": side,
            "yanchor": "top",
            "yshift": -4,
            "showarrow": False,
            "font": {"size": 11},
        }
        for side, x, named in sides
        for path in named
    ]


def _in_words(value: float) -> str:
    return f"moved by {percent(value)}" if np.isfinite(value) else "moved from zero, or not a number"
