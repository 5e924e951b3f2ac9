"""Loss and metrics over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.figures.boxes import Panel
from actwidget.figures.parts.layout import NUMBER_LABELS
from actwidget.figures.parts.text import colored, escape, plain
from actwidget.figures.training.places import CURVES, NARROW_CURVES, moment_mark, step_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actwidget.figures.boxes import Box
    from actwidget.figures.training.content import TrainingContent

COLORS = ("#3b7dd8", "#c4480d", "#2a9d6f", "#9a5fc4")
"""One for each curve of a panel, in order. Each can be read on a light and on a dark page."""


def curve_panels(content: TrainingContent) -> list[Panel]:
    """Two panels: the losses, and the metrics, whose values may be of another size. Each has at most four curves."""
    names = list(content.curves)
    losses = [name for name in names if is_loss(name)]
    metrics = [name for name in names if not is_loss(name)]
    return [
        _panel(content, chosen[: len(COLORS)], kind, wide, narrow)
        for chosen, kind, wide, narrow in zip(
            (losses, metrics), ("loss", "metrics"), CURVES, NARROW_CURVES, strict=True
        )
    ]


def _panel(content: TrainingContent, names: Sequence[str], kind: str, wide: Box, narrow: Box) -> Panel:
    traces, words = [], []
    for name, color in zip(names, COLORS, strict=False):
        values = content.curves[name]
        known = values[np.isfinite(values)]
        words.append(f"{colored(escape(name, 18), color)} {plain(float(known[-1])) if known.size else 'not finite'}")
        traces.append(_curve(name, content, values, color))
    if not traces:
        empty: dict[str, Any] = {"type": "scatter", "x": [None], "y": [None], "hoverinfo": "skip"}
        return Panel([empty], wide, narrow, {"visible": False}, {"visible": False})
    lines = [" · ".join(words[place : place + 2]) for place in range(0, len(words), 2)]
    return Panel(
        traces,
        wide,
        narrow,
        step_axis(content.steps, named=kind == "metrics"),
        {"nticks": 4, "zeroline": False, "rangemode": "tozero", **NUMBER_LABELS},
        "<br>".join(lines),
        "<br>".join(words),
        marks=moment_mark(content.steps, content.moment),
    )


def _curve(name: str, content: TrainingContent, values: Any, color: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": content.steps,
        "y": np.where(np.isfinite(values), values, np.nan),
        "line": {"color": color, "width": 2, "dash": "dot" if name.startswith("val_") else "solid"},
        "marker": {"color": color, "size": 4},
        "hovertemplate": f"{escape(name, 40)} after step %{{x:,d}}: %{{y:.4g}}<extra></extra>",
    }


def is_loss(name: str) -> bool:
    """Whether what Keras reports under a name is a loss."""
    return name == "loss" or name.endswith("_loss")
