"""The mean of a channel by class, as bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.figures.parts.bars import bar_marker, nonfinite_bars
from actwidget.figures.parts.layout import UPRIGHT, caption, needs_upright
from actwidget.figures.parts.text import distinct_names, escape

if TYPE_CHECKING:
    from actwidget.figures.examples.content import ClassMeans

LETTER = 6.5
"""How many pixels a letter takes."""
WIDE = 640
"""From this width in pixels on a sentence stands above the bars; it also stands below the figure."""
LONGEST = 8
"""How many letters of a name that stands upright are shown."""


def has_upright_names(classes: ClassMeans, width: float) -> bool:
    """Whether the names of the classes do not fit side by side below an axis of a width in pixels."""
    return needs_upright([*classes.names], int(width / LETTER))


def class_bars(classes: ClassMeans, layout: dict[str, Any], room: tuple[int, int], *, share: float) -> dict[str, Any]:
    """A bar for each class; sets the axes `x2` and `y2` of a layout, and a caption above them.

    Args:
        classes: The means.
        layout: The layout of the figure.
        room: The width and height of the panel in pixels.
        share: How much of the height of all panels it takes.
    """
    count = len(classes.names)
    is_upright = has_upright_names(classes, room[0])
    names = distinct_names([*classes.names], LONGEST if is_upright else 24)
    means = np.asarray(classes.means, np.float64)
    marker = bar_marker([place in classes.marked for place in range(count)])
    bar: dict[str, Any] = {
        "type": "bar",
        "x": list(range(count)),
        "y": means,
        "customdata": [escape(name, 40) for name in classes.names],
        "marker": marker,
        "hovertemplate": "<b>%{customdata}</b><br>mean %{y:.5g}<extra></extra>",
        "xaxis": "x2",
        "yaxis": "y2",
    }
    if not np.isfinite(means).all():
        bar |= nonfinite_bars(means, marker)
        bar["hovertemplate"] = "<b>%{customdata}</b><br>%{hovertext}<extra></extra>"
    left = 36 / max(room[0], 1)
    every = max(1, -(-count * 12 // max(room[0], 1)))
    layout["xaxis2"] = {
        "domain": [left, 1],
        "anchor": "y2",
        "range": [-0.6, count - 0.4],
        "tickmode": "array",
        "tickvals": list(range(0, count, every)),
        "ticktext": names[::every],
        "tickangle": UPRIGHT if is_upright else 0,
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
    }
    layout["yaxis2"] = {"domain": [0, share], "anchor": "x2", "nticks": 4, "fixedrange": True, "tickangle": 0}
    left_out = f", the {count:,} highest of {classes.total:,}" if classes.total > count else ""
    sentence = f": {escape(classes.sentence, 100)}" if classes.sentence and room[0] >= WIDE else ""
    layout["annotations"] = [*layout["annotations"], caption(f"mean by class{left_out}{sentence}", 0, share)]
    return bar
