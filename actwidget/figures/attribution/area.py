"""Where the panels of a figure of attributions stand, and what each of them adds to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Span = tuple[float, float]
HIDDEN: dict[str, Any] = {"visible": False, "fixedrange": True}
PLAIN_AXIS: dict[str, Any] = {"fixedrange": True, "showgrid": False, "zeroline": False}


@dataclass(frozen=True)
class Area:
    """Where a panel stands.

    Attributes:
        number: That of its axes, from 1.
        x: Its horizontal span of the paper on a wide page.
        y: Its vertical span.
        size: Its width and height in pixels.
        narrow_x: Its horizontal span on a narrow page.
        narrow_y: Its vertical span there.
    """

    number: int
    x: Span
    y: Span
    size: tuple[float, float]
    narrow_x: Span
    narrow_y: Span

    @property
    def suffix(self) -> str:
        """What the names of its axes end in."""
        return "" if self.number == 1 else str(self.number)

    @property
    def axes(self) -> dict[str, str]:
        """The axes of its traces."""
        return {"xaxis": f"x{self.suffix}", "yaxis": f"y{self.suffix}"}


@dataclass
class Panel:
    """What a panel adds to a figure.

    Attributes:
        traces: What is drawn.
        layout: The axes.
        narrow: What of these changes on a narrow page.
        words: What has to be said of it.
    """

    traces: list[dict[str, Any]]
    layout: dict[str, Any]
    narrow: dict[str, Any] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)


def axes_of(
    area: Area, across: dict[str, Any], down: dict[str, Any], narrow_x: Span | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The axes of an area, and what changes of them on a narrow page, as arguments of a `Panel`."""
    x, y = f"xaxis{area.suffix}", f"yaxis{area.suffix}"
    layout = {
        x: {"domain": area.x, "anchor": f"y{area.suffix}", **across},
        y: {"domain": area.y, "anchor": f"x{area.suffix}", **down},
    }
    narrow = {f"{x}.domain": narrow_x or area.narrow_x, f"{y}.domain": area.narrow_y}
    return layout, narrow
