"""Arrays to numbers and pixels, with numpy alone.

What the axes of a layer's output mean (`axes`), whether the layer is healthy (`statistics`), how its values are
distributed (`histogram`), and all of its channels as one picture (`mosaic`). Every function takes values and returns
values; nothing here knows of Keras, Plotly or a notebook.
"""

from __future__ import annotations

from actwidget.analysis.axes import Kind, channels, kind_of, middle
from actwidget.analysis.histogram import Histogram, histogram
from actwidget.analysis.mosaic import (
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
    "Mosaic",
    "Statistics",
    "channels",
    "columns_for",
    "histogram",
    "kind_of",
    "levels",
    "middle",
    "mosaic",
    "statistics",
    "values_of",
]
