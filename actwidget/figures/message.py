"""A figure that says in words why there is nothing to draw."""

from __future__ import annotations

import plotly.graph_objects as go

from actwidget.figures.parts.layout import PAPER
from actwidget.figures.parts.text import escape


def message_figure(title: str, message: str, height: int = 460) -> go.Figure:
    """A figure with a title and one sentence in place of a picture.

    Args:
        title: Above it, in most cases the layer's path.
        message: The sentence; what is longer than 400 characters is cut.
        height: Of the figure, in pixels.

    Returns:
        A figure without traces.
    """
    return go.Figure(
        layout={
            "title": {"text": escape(title)},
            "height": height,
            **PAPER,
            "xaxis": {"visible": False},
            "yaxis": {"visible": False},
            "annotations": [
                {"text": escape(message, 400), "showarrow": False, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper"}
            ],
        }
    )
