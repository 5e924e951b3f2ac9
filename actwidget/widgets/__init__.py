"""Figures to notebook: ipywidgets and anywidget."""

from __future__ import annotations

from actwidget.widgets.explorer import LayerExplorer
from actwidget.widgets.plot import PlotView
from actwidget.widgets.tree import LayerTree

__all__ = ["LayerExplorer", "LayerTree", "PlotView"]
