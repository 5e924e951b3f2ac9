"""The answer of a regression: its numbers, large, and those of the other samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.figures.parts.layout import base_layout, caption, of_panel_height, text_above
from actwidget.figures.parts.palette import ACCENT, MUTED
from actwidget.figures.parts.text import NARROW_LIMIT, colored, escape
from actwidget.figures.parts.tiles import hover_cells
from actwidget.figures.scalar import sample_bars

if TYPE_CHECKING:
    from actwidget.figures.answers.content import Answer

ROWS = ((0.0, 0.42), (0.52, 1.0))
"""The x domains of the numbers and of the samples on a wide page, where there are several numbers."""
SIZES = {1: 44, 2: 30, 3: 26, 4: 24}
"""The size of the numbers in pixels, by how many there are."""


def numbers_spec(answer: Answer) -> dict[str, Any]:
    """The numbers of one sample with their names, and one of them for each sample, as a dict of `data` and `layout`.

    Args:
        answer: One or several numbers.
    """
    count = len(answer.names)
    parts = [escape(answer.title, NARROW_LIMIT), f"{count} number{'s' * (count > 1)}"]
    if answer.sample is not None:
        parts.append(f"sample {answer.sample}")
    data, axes, annotations = _rows(answer)
    narrow: dict[str, Any] = {}
    if answer.every is not None:
        bars, more, above = _samples(answer)
        data, axes = data + bars, axes | more
        if count == 1:
            # One number is a headline; the samples have the whole width below it.
            axes["yaxis"]["domain"], axes["yaxis2"]["domain"] = (0.74, 1.0), (0.0, 0.62)
            above |= {"x": 0.0, "y": 0.62}
        else:
            axes["xaxis"]["domain"], axes["xaxis2"]["domain"] = ROWS
            above |= {"x": ROWS[1][0], "y": 1.0}
            narrow |= {"xaxis.domain": (0, 1), "xaxis2.domain": (0, 1), "yaxis.domain": (0.5, 1)}
            narrow |= {"yaxis2.domain": (0, 0.38), f"annotations[{len(annotations)}].x": 0}
            narrow |= {f"annotations[{len(annotations)}].y": 0.38}
        annotations = [*annotations, above]
    elif count == 1:
        axes["yaxis"]["domain"] = (0.5, 1.0)
    layout = base_layout(
        " · ".join(parts),
        margin={"l": 56 if answer.every is not None else 16, "r": 16, "t": 34, "b": 44, "autoexpand": False},
        annotations=annotations,
        bargap=0.1,
        meta={"narrow": narrow},
        **axes,
    )
    return {"data": data, "layout": of_panel_height(layout)}


def _rows(answer: Answer) -> tuple[list[dict[str, Any]], dict[str, Any], list[dict[str, Any]]]:
    """Each number in a row with its name: cells to click, their axes, and the texts."""
    values, count = answer.units, len(answer.names)
    size = SIZES.get(count, 18)
    annotations = []
    for row, (name, value) in enumerate(zip(answer.names, values.tolist(), strict=True)):
        is_chosen = row == answer.chosen and count > 1
        place = {"x": 0, "y": row, "xref": "x", "yref": "y", "xanchor": "left", "yanchor": "middle", "align": "left"}
        shown = f"<b>{answer.in_words(value)}</b>"
        words = f'<span style="font-size:{size}px">{colored(shown, ACCENT) if is_chosen else shown}</span>'
        name_words = f'<span style="font-size:13px">{escape(name, 28)}</span>'
        if count == 1:
            annotations.append({**text_above(name_words, 0, 0), **place, "yshift": size})
        text = words if count == 1 else f"{words} &nbsp; {name_words}"
        annotations.append({**text_above(text, 0, 0), **place})
    details = [
        f"<b>{escape(name, 60)}</b><br>{value:.7g}" for name, value in zip(answer.names, values.tolist(), strict=True)
    ]
    cells = hover_cells(np.arange(count)[:, np.newaxis], np.arange(count)[:, np.newaxis], "%{text}<extra></extra>")
    cells |= {"x": [0, 1], "y": [row - 0.5 for row in range(count + 1)], "text": [[detail] for detail in details]}
    hidden = {"visible": False, "fixedrange": True}
    slots = max(count, 4) if count > 1 else 1
    axes = {"xaxis": {**hidden, "range": [0, 1]}, "yaxis": {**hidden, "range": [slots - 0.5, -0.5]}}
    return [cells], axes, annotations


def _samples(answer: Answer) -> tuple[list[dict[str, Any]], dict[str, Any], dict[str, Any]]:
    """One of the numbers for each sample: bars, their axes and a caption."""
    which = answer.chosen or 0
    every = np.asarray(answer.every)[:, which]
    traces, x_axis, y_axis = sample_bars(every, answer.sample)
    axes = {"xaxis": "x2", "yaxis": "y2"}
    text = f"{escape(answer.names[which], 28)} of every sample"
    return (
        [{**trace, **axes} for trace in traces],
        {"xaxis2": {**x_axis, "anchor": "y2"}, "yaxis2": {**y_axis, "anchor": "x2", "zerolinecolor": MUTED}},
        caption(text, 0, 1),
    )
