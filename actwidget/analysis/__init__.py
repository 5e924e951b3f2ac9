"""Arrays to numbers and pixels, with numpy alone.

What the axes of a layer's output mean (`axes`), whether the layer is healthy (`statistics`), how its values are
distributed (`histogram`), which range its colours span (`limits`), and all of its channels as one picture (`mosaic`).
Every function takes values and returns values; nothing here knows of Keras, Plotly or a notebook.
"""

from __future__ import annotations

from actwidget.analysis.axes import Kind, channels, depths, kind_of, middle
from actwidget.analysis.histogram import Histogram, histogram
from actwidget.analysis.pixels.color_limits import Limits, limits
from actwidget.analysis.pixels.mosaic import (
    GAP_LEVEL,
    LEVELS,
    NAN_LEVEL,
    Mosaic,
    columns_for,
    levels,
    mosaic,
    values_of,
)
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
    "middle",
    "mosaic",
    "statistics",
    "values_of",
]
