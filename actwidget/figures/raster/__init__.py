"""A figure as a picture with no browser: what Plotly would draw, by Pillow, in its essentials."""

from __future__ import annotations

from actwidget.figures.raster.draw import draw_figure
from actwidget.figures.raster.text import draw_text, fitted

__all__ = ["draw_figure", "draw_text", "fitted"]
