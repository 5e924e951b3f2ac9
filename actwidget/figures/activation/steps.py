"""The steps of a sequence along an axis: named by their tokens, and veiled where they are masked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.figures.parts.layout import UPRIGHT, needs_upright
from actwidget.figures.parts.palette import MUTED
from actwidget.figures.parts.text import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actwidget.figures.activation.content import ActivationContent

TOKENS_LIMIT, CLOSEUP_TOKENS = 40, 16
"""The largest number of steps that are named at all, and the largest number of names in a close-up."""
LETTERS = 5
"""So many letters share a label in a close-up that has no room for a label for each."""


def step_ticks(
    content: ActivationContent, steps: int, *, in_closeup: bool = False, most: int = CLOSEUP_TOKENS
) -> dict[str, Any] | None:
    """An axis that names the steps by their tokens; `None` without a token for each, or with too many to be read.

    Where a close-up has no room for all names, single letters share labels of several letters, since a text that skips
    letters can't be read; of longer tokens only every second or third is shown.

    Args:
        content: What the figure shows.
        steps: How many steps the axis has.
        in_closeup: Whether the axis is that of a close-up, which has room for fewer and shorter texts.
        most: How many names have room in a close-up.
    """
    if content.tokens is None or len(content.tokens) != steps or steps > TOKENS_LIMIT:
        return None
    if in_closeup and steps > most and max(map(len, content.tokens)) == 1:
        return _letters(content.tokens)
    every = -(-steps // most) if in_closeup else 1
    places = list(range(0, steps, every))
    texts = [escape(content.tokens[place], 7 if in_closeup else 9) for place in places]
    upright = needs_upright(texts, 36 if in_closeup else 78)
    angle = {"tickangle": UPRIGHT if upright else 0, "ticklabeloverflow": "allow"}
    return {"tickmode": "array", "tickvals": places, "ticktext": texts, "title": {"text": ""}, **angle}


def _letters(tokens: Sequence[str]) -> dict[str, Any]:
    """An axis with a label over each run of letters."""
    starts = range(0, len(tokens), LETTERS)
    runs = ["".join(token or " " for token in tokens[start : start + LETTERS]) for start in starts]
    # `escape` joins words by single spaces, and Plotly drops those at the ends of a text.
    texts = ["&nbsp;".join(map(escape, run.split(" "))) for run in runs]
    middles = [start + (len(run) - 1) / 2 for start, run in zip(starts, runs, strict=True)]
    ticks = {"tickmode": "array", "tickvals": middles, "ticktext": texts, "title": {"text": ""}}
    return {**ticks, "tickangle": 0, "ticklabeloverflow": "allow", "tickfont": {"size": 9}}


def masked_steps(content: ActivationContent, steps: int) -> list[dict[str, Any]]:
    """A veil over the steps that a mask leaves out."""
    if content.mask is None or content.mask.size != steps:
        return []
    edges = np.flatnonzero(np.diff(np.concatenate([[True], content.mask, [True]]).astype(np.int8)))
    return [
        {
            "type": "rect",
            "x0": float(start) - 0.5,
            "x1": float(stop) - 0.5,
            "y0": 0,
            "y1": 1,
            "yref": "y domain",
            "fillcolor": MUTED,
            "opacity": 0.75,
            "line": {"width": 0},
        }
        for start, stop in edges.reshape(-1, 2)
    ]
