"""The steps of a sequence along an axis: named by tokens, veiled where a mask leaves them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.figures.parts.layout import UPRIGHT, needs_upright
from actwidget.figures.parts.palette import MUTED
from actwidget.figures.parts.text import escape

if TYPE_CHECKING:
    from actwidget.figures.activation.content import ActivationContent

TOKENS_LIMIT, CLOSEUP_TOKENS = 40, 16
"""In the grid up to so many steps are named; in a close-up, of more than so many only every second or third."""


def step_ticks(content: ActivationContent, steps: int, *, in_closeup: bool = False) -> dict[str, Any] | None:
    """An axis that names the steps by their tokens; `None` without a token for each, or with too many to be read.

    Args:
        content: What the figure shows.
        steps: How many steps the axis has.
        in_closeup: Whether the axis is that of a close-up, which has room for fewer and shorter texts.
    """
    if content.tokens is None or len(content.tokens) != steps or steps > TOKENS_LIMIT:
        return None
    every = -(-steps // CLOSEUP_TOKENS) if in_closeup else 1
    places = list(range(0, steps, every))
    texts = [escape(content.tokens[place], 7 if in_closeup else 9) for place in places]
    upright = needs_upright(texts, 36 if in_closeup else 78)
    angle = {"tickangle": UPRIGHT if upright else 0, "ticklabeloverflow": "allow"}
    return {"tickmode": "array", "tickvals": places, "ticktext": texts, "title": {"text": ""}, **angle}


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
