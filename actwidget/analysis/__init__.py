"""Arrays to numbers and pixels, with numpy alone.

What the axes of a layer's output mean (`channels`, `kind_of`), whether the layer is healthy (`statistics`), how its
values are distributed (`histogram`), which range its colours span (`limits`), and all of its channels as one picture
(`mosaic`). `running` holds the same for values that come in parts.
Every function takes values and returns values; nothing here knows of Keras, Plotly or a notebook.
"""

from __future__ import annotations

from actwidget.analysis.axes import Kind, channels, depths, kind_of, slice_label
from actwidget.analysis.histogram import Histogram, histogram
from actwidget.analysis.pixels.color_limits import Limits, limits
from actwidget.analysis.pixels.levels import GAP_LEVEL, LEVELS, NAN_LEVEL, levels, values_of
from actwidget.analysis.pixels.mosaic import Mosaic, columns_for, mosaic
from actwidget.analysis.statistics import ChannelStatistics, Statistics, statistics

__all__ = [
    "GAP_LEVEL",
    "LEVELS",
    "NAN_LEVEL",
    "ChannelStatistics",
    "Histogram",
    "Kind",
    "Limits",
    "Mosaic",
    "Statistics",
    "channels",
    "columns_for",
    "depths",
    "histogram",
    "kind_of",
    "levels",
    "limits",
    "mosaic",
    "slice_label",
    "statistics",
    "values_of",
]

middle = slice_label
"""The name of `slice_label` in actwidget 0.1."""
