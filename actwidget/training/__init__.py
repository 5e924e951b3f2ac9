"""Training seen from inside: a callback that records what the layers do, and the files that it writes."""

from __future__ import annotations

from actwidget.training.loading import load_watch
from actwidget.training.watch import Watch

__all__ = ["Watch", "load_watch"]
