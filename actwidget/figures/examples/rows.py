"""Examples that are no pictures, as rows: the words around the place of the value, a line, or the number alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.figures.examples.tiles import Drawn, hover
from actwidget.figures.parts.marks import outlined
from actwidget.figures.parts.palette import ACCENT, MUTED
from actwidget.figures.parts.text import colored, escape, number
from actwidget.figures.parts.tiles import invisible_heatmap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from actwidget.figures.examples.content import Shown

TALLEST = 44
"""The greatest height of a row, in pixels."""
VALUE, NAME = 64, 170
"""In pixels: how wide the column of values is, and on a wide page that of the samples."""
NARROW = 560
LETTER = 6.6
"""How many pixels a letter takes."""
MOST_LINES, MOST_POINTS = 3, 400
"""How many features of a sequence are drawn, and how many points of each."""


def rows(examples: Sequence[Shown], marked: int | None, room: tuple[int, int]) -> Drawn:
    """A row for each example: its value, its number and class, and what is known of it.

    Args:
        examples: The examples.
        marked: Which of them is marked.
        room: The width and height of the panel in pixels.
    """
    width, height = room
    count = max(len(examples), 1)
    step = min(height / count, TALLEST)
    is_narrow = width < NARROW
    # On a narrow page the texts stand below the names of the samples.
    start = VALUE if is_narrow else VALUE + NAME
    middle = (np.arange(len(examples)) + 0.5) * step
    names = [f"sample {each.number:,}{each.label and f' · {each.label}'}" for each in examples]
    limit = int((width - start) / LETTER)
    texts = [_passage(each, limit) for each in examples]
    has_more = any(texts) or any(each.line is not None for each in examples)
    raised = step / 4 if is_narrow and has_more else 0
    name_room = int((width - VALUE if is_narrow or not has_more else NAME - 8) / LETTER)
    drawn = Drawn(
        [
            _texts(0, middle, [f"<b>{number(each.value)}</b>" for each in examples]),
            _texts(VALUE, middle - raised, [escape(name, max(name_room, 8)) for name in names]),
        ]
    )
    if any(texts):
        drawn.traces.append(_texts(start, middle + raised, texts))
    box = (start + 4, width - 4)
    for place, each in enumerate(examples):
        if each.line is not None and not texts[place]:
            top = place * step + (step / 2 if is_narrow else 0)
            _draw_line(drawn, each, box, (top + 3, (place + 1) * step - 3))
    cells = invisible_heatmap(np.zeros((len(examples), 1)), "%{customdata[2]}<extra></extra>")
    edges = {"x": [0, width], "y": (np.arange(len(examples) + 1) * step).tolist()}
    data = [[["scanned", each.number, hover(each)]] for each in examples]
    drawn.traces.append({**cells, **edges, "customdata": data})
    if marked is not None:
        drawn.shapes += outlined((0, marked * step, width, (marked + 1) * step))
    return drawn


def _texts(x: float, y: NDArray[Any], texts: list[str]) -> dict[str, Any]:
    where = {"x": [x] * len(texts), "y": y.tolist(), "textposition": "middle right"}
    return {"type": "scatter", "mode": "text", **where, "text": texts, "hoverinfo": "skip", "cliponaxis": False}


def _passage(each: Shown, limit: int) -> str:
    """The words around the place of the value, that one emphasised, as many as fit into a number of letters.

    Args:
        each: The example.
        limit: How many letters there is room for.
    """
    given = list(each.words)
    while given and not given[-1]:  # padding
        given.pop()
    words = [word or "·" for word in given]
    if not words:
        return ""
    at = each.at if each.at is not None and each.at < len(words) else None
    first = last = at or 0
    used = len(words[first])
    while True:
        grown = False
        for side in (first - 1, last + 1):
            more = used + len(words[side]) + 1 if 0 <= side < len(words) else limit + 1
            if more <= limit - 4:
                first, last, used, grown = min(first, side), max(last, side), more, True
        if not grown:
            break
    shown = [escape(words[place], max(limit - 4, 8)) for place in range(first, last + 1)]
    if at is not None:
        shown[at - first] = colored(f"<b>{shown[at - first]}</b>", ACCENT)
    return f"{'… ' * (first > 0)}{' '.join(shown)}{' …' * (last < len(words) - 1)}"


def _draw_line(drawn: Drawn, each: Shown, across: tuple[float, float], down: tuple[float, float]) -> None:
    """A sequence of numbers as lines in a box, with the steps that the value depends on behind them."""
    values = np.asarray(each.line, np.float64)[:, :MOST_LINES]
    steps = len(values)
    left, right = across
    scale = (right - left) / max(steps - 1, 1)
    if each.span is not None and each.span != (0, steps):
        ends = [left + scale * max(each.span[0] - 0.5, 0), left + scale * min(each.span[1] - 0.5, steps - 1)]
        place = {"type": "rect", "x0": ends[0], "x1": ends[1], "y0": down[0], "y1": down[1]}
        look = {"fillcolor": ACCENT, "opacity": 0.18, "line": {"width": 0}, "layer": "below"}
        drawn.shapes.append({**place, **look})
    kept = np.unique(np.linspace(0, steps - 1, min(steps, MOST_POINTS)).round().astype(int))
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    x: list[float | None] = []
    y: list[float | None] = []
    for column in values.T:
        share = (column[kept] - low) / ((high - low) or 1.0)
        x += [*(left + scale * kept).tolist(), None]
        y += [*(float(down[1] - one * (down[1] - down[0])) if np.isfinite(one) else None for one in share), None]
    line = {"color": MUTED, "width": 1.5}
    drawn.traces.append({"type": "scatter", "mode": "lines", "x": x, "y": y, "line": line, "hoverinfo": "skip"})
