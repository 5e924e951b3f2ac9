"""Numbers and pixels to `plotly.graph_objects.Figure`: pure functions.

What ends in `_spec` gives a dict of `data` and `layout`, of which `plotly.graph_objects.Figure(spec)` makes a figure.
As a dict it has not been checked by Plotly, which takes longer than all of the drawing.
"""

from __future__ import annotations

from actwidget.figures.activation.figure import (
    ORDERS,
    Picture,
    View,
    activation_figure,
    activation_spec,
    channel_order,
    picture,
)
from actwidget.figures.comparison import comparison_spec
from actwidget.figures.message import message_figure
from actwidget.figures.overlay import Placement, overlay_spec
from actwidget.figures.overview import overview_spec
from actwidget.figures.parts.palette_png import is_picture, thumbnail_png
from actwidget.figures.still import still_png
from actwidget.figures.values import scalar_spec, values_spec
from actwidget.figures.weights import weights_spec

__all__ = [
    "ORDERS",
    "Picture",
    "Placement",
    "View",
    "activation_figure",
    "activation_spec",
    "channel_order",
    "comparison_spec",
    "is_picture",
    "message_figure",
    "overlay_spec",
    "overview_spec",
    "picture",
    "scalar_spec",
    "still_png",
    "thumbnail_png",
    "values_spec",
    "weights_spec",
]
