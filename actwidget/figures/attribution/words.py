"""A text whose words have the colours of their attributions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from actwidget.figures.attribution.area import HIDDEN, Area, Panel, axes_of
from actwidget.figures.parts.text import escape, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actwidget.figures.attribution.content import Part

SIZES = (22, 18, 15, 13, 11)
"""The sizes of letters in pixels, of which a text has the largest with which all of it is in sight."""
LETTER, LINE = 0.61, 1.85
"""The width of a letter and the height of a line, as shares of the size."""
FONT = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace"
LONGEST_TOKEN = 20


def _lines(labels: Sequence[str], columns: int) -> list[tuple[int, int]]:
    """The line and the first letter of each token of a text."""
    places: list[tuple[int, int]] = []
    line = at = 0
    for label in labels:
        length = max(len(label), 1)
        if at and at + length > columns:
            line, at = line + 1, 0
        places.append((line, at))
        at += length + 1
    return places


def text_panel(part: Part, area: Area) -> Panel:
    """Words in the colours of their values, as a text."""
    cut = [label if len(label) <= LONGEST_TOKEN else f"{label[: LONGEST_TOKEN - 1]}…" for label in part.labels]
    for size in SIZES:
        columns, most = max(LONGEST_TOKEN, int(area.size[0] / (size * LETTER))), int(area.size[1] / (size * LINE))
        places = _lines(cut, columns)
        if places and places[-1][0] < most:
            break
    most, line = max(most, 1), places[-1][0] if places else 0
    count = sum(place[0] < most for place in places)
    rows = min(line + 1, most)
    cells = np.full((rows, columns), np.nan, np.float32)
    for label, (row, start), value in zip(cut[:count], places, part.values.tolist(), strict=False):
        cells[row, start : start + max(len(label), 1)] = value
    hover = [
        f"<b>{escape(label, 60)}</b><br>token {number}<br>{plain(value)}"
        for number, (label, value) in enumerate(zip(part.labels[:count], part.values.tolist(), strict=False))
    ]
    background = {"type": "heatmap", "z": cells, "x0": 0.5, "dx": 1, "y0": 0, "dy": 1, "coloraxis": "coloraxis"}
    background |= {"hoverinfo": "skip", "hoverongaps": False, "ygap": 3, **area.axes}
    if rows == 1:
        background |= {"y": [-0.5, 0.5]}
    words = {
        "type": "scatter",
        "mode": "text",
        "x": [start + max(len(label), 1) / 2 for label, (_, start) in zip(cut[:count], places, strict=False)],
        "y": [row for row, _ in places[:count]],
        "text": [escape(label, LONGEST_TOKEN) for label in cut[:count]],
        "textposition": "middle center",
        "textfont": {"family": FONT, "size": size},
        "hovertext": hover,
        "hoverinfo": "text",
        "cliponaxis": False,
        **area.axes,
    }
    # The lines stand at the top of the panel, each as high as in a text.
    down = {**HIDDEN, "range": [max(rows, area.size[1] / (size * LINE)) - 0.5, -0.5]}
    panel = Panel([background, words], *axes_of(area, {**HIDDEN, "range": [0, columns]}, down))
    if count < len(cut):
        panel.words.append(f"the first {count:,} of {len(cut):,} tokens")
    return panel
