"""The notebook widgets, built with ipywidgets and anywidget."""

from __future__ import annotations

from actwidget.widgets.components.plot import PlotView
from actwidget.widgets.components.tree import LayerTree
from actwidget.widgets.explorer import LayerExplorer

__all__ = ["LayerExplorer", "LayerTree", "PlotView"]
