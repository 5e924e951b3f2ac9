"""Where the panels of the figure stand: the sum, and the layer's values beside it or, on a narrow page, below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from actwidget.figures.message import in_lines
from actwidget.figures.panels import BLANK, GRID_SHARE, RIGHT, completed_axes
from actwidget.figures.parts.layout import HEIGHT, LINE, NARROW_HEIGHT, base_layout, caption
from actwidget.figures.parts.text import wrapped

if TYPE_CHECKING:
    from actwidget.figures.panels import Panel

TEXT = 0.73
"""The share of the sum's width for its text; the bars have the rest."""
CAPTION, WINDOW, GAP, BOTTOM = 18, 118, 8, 8
"""In pixels: the room for a caption, the height of the maps of the window, and the room below both."""
NARROW_PLANE = 150
LIMIT, NARROW_LIMIT = 88, 50
"""How many characters of the caption above the sum fit into a line."""


@dataclass(frozen=True)
class Panels:
    """The panels of the figure.

    Attributes:
        listed: The lines of the sum.
        window: The maps of the window; empty where there is none.
        plane: The layer's values; `None` for a single number.
    """

    listed: Panel
    window: list[Panel]
    plane: Panel | None

    @property
    def all(self) -> list[Panel]:
        """Those that there are, in the order of their traces."""
        return [self.listed, *self.window, *([] if self.plane is None else [self.plane])]


def arithmetic_layout(title: str, panels: Panels, reason: str, meta: dict[str, Any]) -> dict[str, Any]:
    """The layout of the figure; it is as high as every other figure of its width.

    Args:
        title: Above it; Plotly's markup in it is taken as such.
        panels: The panels.
        reason: Why the arithmetic is not known; `""` where it is.
        meta: What changes on a dark page, and what the crosshair needs.
    """
    window, plane, last = panels.window, panels.plane, len(panels.all) - 1
    layout = base_layout(
        title,
        margin={"l": 8, "r": 12, "t": 30, "b": BOTTOM, "autoexpand": False},
        barmode="overlay",
        annotations=[caption("", 0, 0) | {"font": {"size": 11}} for _ in panels.all],
        shapes=[*panels.listed.shapes, *([] if plane is None else plane.shapes)],
        meta={"narrow": {}, **meta},
    )
    layout |= completed_axes(panels.all)
    layout["yaxis"]["anchor"] = "x"
    top, narrow_top = layout["margin"]["t"], layout["meta"]["narrow"].get("margin.t", layout["margin"]["t"])
    layout["height"] = HEIGHT
    above = in_lines(reason, LIMIT) if reason else "<br>".join(wrapped(panels.listed.caption[0], LIMIT))
    narrow_above = in_lines(reason) if reason else "<br>".join(wrapped(panels.listed.caption[0], NARROW_LIMIT))
    wide = _Places(top, HEIGHT, has_bars="xaxis2" in layout)
    wide.stack(layout, window, above, GRID_SHARE, HEIGHT - BOTTOM)
    if plane is not None:
        wide.put(layout, "xaxis3", (RIGHT, 1.0), top + CAPTION, HEIGHT * (1 - BLANK) - CAPTION - LINE)
        wide.caption(layout, last, RIGHT, top + CAPTION, plane.caption[0])
        if "crosshair" in layout["meta"]:
            end = wide.share(HEIGHT * (1 - BLANK) - LINE)
            layout["meta"]["crosshair"]["line"] = (RIGHT, 1.0, end)
    narrow = _Places(narrow_top, NARROW_HEIGHT, has_bars="xaxis2" in layout)
    lowest = NARROW_HEIGHT - BOTTOM - (0 if plane is None else NARROW_PLANE + CAPTION + LINE + GAP)
    changed: dict[str, Any] = {}
    narrow.stack(changed, window, narrow_above, 1.0, lowest)
    if plane is not None:
        start, end = lowest + GAP + CAPTION, NARROW_HEIGHT - BOTTOM - LINE
        narrow.put(changed, "xaxis3", (0.0, 1.0), start, end)
        narrow.caption(changed, last, 0.0, start, plane.caption[0])
        if "crosshair" in layout["meta"]:
            changed["meta.crosshair.line"] = (0.0, 1.0, narrow.share(end + LINE))
    layout["meta"]["narrow"] |= {**changed, "height": NARROW_HEIGHT, "margin.t": narrow_top}
    return layout


class _Places:
    """Places panels by pixels from the upper edge, in a layout or in what of it changes on a narrow page."""

    def __init__(self, top: int, height: int, *, has_bars: bool) -> None:
        self.top, self.height, self.has_bars = top, height, has_bars

    def share(self, pixels: float) -> float:
        """From pixels below the figure's upper edge to a share of the plot's height."""
        return float(round(1 - (pixels - self.top) / (self.height - self.top - BOTTOM), 4))

    def stack(self, target: dict[str, Any], window: list[Panel], above: str, width: float, lowest: float) -> None:
        """Places the maps of the window side by side, and the sum below them."""
        start: float = self.top
        if window:
            step = width / 3
            for place, panel in enumerate(window):
                across = (round(step * place, 4), round(step * (place + 1) - 0.02, 4))
                self.put(target, f"xaxis{place + 4}", across, start + CAPTION, start + CAPTION + WINDOW)
                self.caption(target, place + 1, across[0], start + CAPTION, panel.caption[0])
            start += CAPTION + WINDOW + GAP
        start += CAPTION + LINE * above.count("<br>")
        self.caption(target, 0, 0.0, start, above)
        self.put(target, "xaxis", (0.0, round(width * TEXT, 4)), start, lowest)
        if self.has_bars:
            _set(target, "xaxis2", "domain", (round(width * (TEXT + 0.02), 4), width))

    def put(self, target: dict[str, Any], name: str, across: tuple[float, float], start: float, end: float) -> None:
        """Places a panel by the name of its horizontal axis."""
        _set(target, name, "domain", across)
        _set(target, name.replace("x", "y", 1), "domain", (max(self.share(end), 0.0), min(self.share(start), 1.0)))

    def caption(self, target: dict[str, Any], number: int, x: float, pixels: float, text: str) -> None:
        """Places the caption of a panel."""
        values = {"x": x, "y": self.share(pixels), "text": text}
        if "annotations" in target:
            target["annotations"][number] |= values
        else:
            target |= {f"annotations[{number}].{name}": value for name, value in values.items()}


def _set(target: dict[str, Any], axis: str, name: str, value: Any) -> None:
    """Sets an attribute of an axis, in a layout or in what of it changes."""
    if "annotations" in target:
        target[axis][name] = value
    else:
        target[f"{axis}.{name}"] = value
