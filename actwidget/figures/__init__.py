"""Numbers and pixels to `plotly.graph_objects.Figure`: pure functions, a file for each figure.

`parts` holds what figures are put together from.

Functions whose names end in `_spec` give a dict of `data` and `layout`; `plotly.graph_objects.Figure(spec)` makes it a
figure. Plotly has not checked these dicts: that takes longer than all of the drawing.
"""

from __future__ import annotations

from actwidget.figures.activation.content import ActivationContent, Picture, Source
from actwidget.figures.activation.figure import activation_figure, activation_spec
from actwidget.figures.activation.picture import ORDERS, channel_order, picture
from actwidget.figures.answers.content import Answer
from actwidget.figures.answers.figure import answer_order, answer_spec
from actwidget.figures.attribution.figure import attribution_figure, attribution_spec
from actwidget.figures.comparison.content import ComparisonContent, Side
from actwidget.figures.comparison.figure import comparison_order, comparison_spec
from actwidget.figures.every_sample import every_sample_spec
from actwidget.figures.message import message_figure
from actwidget.figures.overlay import Placement, overlay_spec
from actwidget.figures.overview.figure import overview_spec
from actwidget.figures.parts.input_image import is_picture, small_picture
from actwidget.figures.scalar import scalar_spec
from actwidget.figures.still import still_pngs
from actwidget.figures.values import values_spec
from actwidget.figures.weights.content import KernelCloseup, WeightContent
from actwidget.figures.weights.draw import draw_weight
from actwidget.figures.weights.figure import weights_spec

__all__ = [
    "ORDERS",
    "ActivationContent",
    "Answer",
    "ComparisonContent",
    "KernelCloseup",
    "Picture",
    "Placement",
    "Side",
    "Source",
    "WeightContent",
    "activation_figure",
    "activation_spec",
    "answer_order",
    "answer_spec",
    "attribution_figure",
    "attribution_spec",
    "channel_order",
    "comparison_order",
    "comparison_spec",
    "draw_weight",
    "every_sample_spec",
    "is_picture",
    "message_figure",
    "overlay_spec",
    "overview_spec",
    "picture",
    "scalar_spec",
    "small_picture",
    "still_pngs",
    "values_spec",
    "weights_spec",
]
