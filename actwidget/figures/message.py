"""A figure that says in words why there is nothing to draw."""

from __future__ import annotations

from textwrap import wrap

import plotly.graph_objects as go

from actwidget.errors import short
from actwidget.figures.parts.layout import base_layout
from actwidget.figures.parts.text import escape

LINE_LENGTH = 48
"""How many characters of the sentence stand in a line, so that they fit on a narrow page."""


def message_figure(title: str, message: str, height: int = 460) -> go.Figure:
    """A figure with a title and one sentence in place of a picture.

    Args:
        title: Above it, in most cases the layer's path.
        message: The sentence, which is broken into lines; what is longer than 400 characters is cut.
        height: Of the figure, in pixels.

    Returns:
        A figure without traces.
    """
    hidden = {"visible": False, "fixedrange": True}
    words = {"text": in_lines(message), "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "showarrow": False}
    return go.Figure(layout=base_layout(escape(title), height=height, xaxis=hidden, yaxis=hidden, annotations=[words]))


def in_lines(message: str, length: int = LINE_LENGTH) -> str:
    """A sentence in lines, as Plotly takes it; what is longer than 400 characters is cut.

    Args:
        message: The sentence; Plotly's markup in it is shown literally.
        length: How many characters stand in a line.

    Example:
        >>> in_lines("Give inputs to see activations.", 20)
        'Give inputs to see<br>activations.'
    """
    return "<br>".join(escape(line, length) for line in wrap(short(message, 400), length))
