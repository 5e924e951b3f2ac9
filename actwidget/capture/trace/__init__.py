"""Finds everything in a model that can be selected, from its graph or, if it has none, by running it once."""

from __future__ import annotations

from actwidget.capture.trace.reading import layer_tree, read, trace

__all__ = ["layer_tree", "read", "trace"]
