"""The panel of the input picture beside the close-up, and what the crosshair needs to know of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actwidget.figures.panels import Panel
from actwidget.figures.parts.input_image import input_picture

if TYPE_CHECKING:
    from actwidget.figures.activation.content import ActivationContent, Source

LIMIT = 128
"""The longer side of the picture that is sent; on the page it is smaller."""


def source_panel(source: Source) -> Panel | None:
    """The input by itself, small; `None` where it is no picture."""
    found = input_picture(source.pixels, LIMIT)
    if found is None:
        return None
    uri, drawn = found
    height, width = source.pixels.shape[:2]
    dx, dy = width / drawn[1], height / drawn[0]  # the picture that is sent can be smaller than the model's input
    axes = {"xaxis": "x5", "yaxis": "y5"}
    image = {"type": "image", "source": uri, "dx": dx, "dy": dy, "hoverinfo": "skip", **axes}
    image |= {"x0": (dx - 1) / 2, "y0": (dy - 1) / 2}
    # Plotly draws the axes of a panel that has a trace; the page takes the picture itself out of its hands.
    nothing = {"type": "scatter", "x": [None], "y": [None], "hoverinfo": "skip", **axes}
    hidden = {"visible": False, "constrain": "domain"}
    return Panel(
        [image, nothing],
        {
            "xaxis5": {**hidden, "range": (-0.5, width - 0.5), "constraintoward": "left"},
            "yaxis5": {**hidden, "range": (height - 0.5, -0.5), "scaleanchor": "x5"},
        },
    )


def crosshair(content: ActivationContent, *, trace: int, with_source: bool) -> dict[str, Any]:
    """What `plot/crosshair.js` needs: where the close-up's values are, and how its cells lie over the input.

    Args:
        content: What the figure shows.
        trace: The number of the close-up's trace.
        with_source: Whether the input is drawn.
    """
    found: dict[str, Any] = {"trace": trace, "shape": content.picture.values.shape[1:], "closeup": ("xaxis2", "yaxis2")}
    if content.position is not None:
        found["pinned"] = content.position
    if content.channel_label == "head":
        found["words"] = ("query", "key")
    source = content.source
    if with_source and source is not None:
        found |= {"source": ("xaxis5", "yaxis5"), "pixels": source.pixels.shape[:2]}
        if source.first is not None:
            found |= {"first": source.first, "step": source.step, "size": source.size}
    return found
