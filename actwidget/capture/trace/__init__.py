"""A model read, and run once where only that shows its calls: everything in it that can be selected."""

from __future__ import annotations

from actwidget.capture.trace.reading import layer_tree, read, trace

__all__ = ["layer_tree", "read", "trace"]
