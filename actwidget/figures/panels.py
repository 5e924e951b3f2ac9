"""What the figures of an activation and of a weight have in common: panels, where they stand, and their axes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from actwidget.figures.parts.layout import NUMBER_LABELS

if TYPE_CHECKING:
    from collections.abc import Iterable

GRID_SHARE, RIGHT = 0.66, 0.69
"""The grid's share of a wide figure, and where the panels to the right of it begin."""
BLANK = 0.3
"""The share of a wide figure's height, at its lower right, where the inspector's facts and buttons lie over it."""
NUMBERED = (0.745, 1.0)
"""The x domain on the right of a wide figure for a close-up with numbers to its left."""
# In pixels: the labels of an axis and its title, the strip of colours with the space above it, the histogram, and the
# panels below the grid of a narrow page.
TICKS, AXIS_TITLE, STRIP, STRIP_GAP, BARS, LOW = 18, 18, 8, 2, 70, 140


@dataclass(frozen=True)
class Panel:
    """One of the panels.

    Attributes:
        traces: What is drawn in it.
        axes: Its axes as attributes of the layout: `xaxis`, `yaxis`; `xaxis2`, ...
        caption: The lines of text above it; the grid has the figure's title instead.
        narrow_caption: The same on a narrow page, if it is another there.
        shapes: Marks on it.
    """

    traces: list[dict[str, Any]]
    axes: dict[str, dict[str, Any]]
    caption: tuple[str, ...] = ()
    narrow_caption: tuple[str, ...] = ()
    shapes: list[dict[str, Any]] = field(default_factory=list)


def completed_axes(panels: Iterable[Panel]) -> dict[str, dict[str, Any]]:
    """The axes of all panels, with what does not depend on where they stand.

    Args:
        panels: The panels.

    Returns:
        From each axis's name in the layout to its attributes.
    """
    axes = {name: dict(axis) for panel in panels for name, axis in panel.axes.items()}
    for name, axis in axes.items():
        if name.startswith("coloraxis"):
            continue
        axis.setdefault("fixedrange", True)
        if axis.get("visible", True) and "ticktext" not in axis:
            axis.update(NUMBER_LABELS)
        if "title" in axis:
            axis["title"] = {"standoff": 4, "font": {"size": 11}, **axis["title"]}
        other = name.replace("x", "y", 1) if name[0] == "x" else name.replace("y", "x", 1)
        axis.setdefault("anchor", other.replace("axis", ""))
    return axes
