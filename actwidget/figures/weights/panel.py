"""One of the panels of a weight's figure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Panel:
    """What is drawn in a panel, and its axes.

    Attributes:
        traces: What is drawn.
        axes: Its axes as attributes of the layout: `xaxis`, `yaxis`; `xaxis2`, ...
        caption: The lines of text above it.
        shapes: Marks on it.
    """

    traces: list[dict[str, Any]]
    axes: dict[str, dict[str, Any]]
    caption: tuple[str, ...] = ()
    shapes: list[dict[str, Any]] = field(default_factory=list)
