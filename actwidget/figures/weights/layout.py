"""Where the panels of a weight's figure stand: side by side or, where there is less room, stacked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actwidget.figures.panels import (
    AXIS_TITLE,
    BARS,
    BLANK,
    GRID_SHARE,
    LOW,
    NUMBERED,
    RIGHT,
    STRIP,
    STRIP_GAP,
    TICKS,
    Panel,
    completed_axes,
)
from actwidget.figures.parts.layout import HEIGHT, LINE, NARROW_HEIGHT, base_layout, caption
from actwidget.figures.parts.text import wrapped

WIDE_LIMIT = 46
"""How many characters of a caption fit into a line on the right of a wide figure."""
NARROW_CLOSEUP, NARROW_RIGHT = (0.0, 0.56), (0.66, 1.0)
NARROW_LIMITS = (30, 24)
"""How many characters of the captions of the close-up and of the histogram fit on a narrow page."""
SIDE = 48
"""The room to the left of labelled axes, in pixels."""


@dataclass(frozen=True)
class Panels:
    """The panels of the figure.

    Attributes:
        grid: All kernels.
        distribution: The histogram.
        closeup: One kernel; `None` for a vector.
        strip: The colours as the axis of the histogram; `None` where no values are coloured.
    """

    grid: Panel
    distribution: Panel
    closeup: Panel | None = None
    strip: Panel | None = None

    @property
    def all(self) -> list[Panel]:
        """Those that there are, in the order of their traces."""
        return [each for each in (self.grid, self.closeup, self.distribution, self.strip) if each is not None]


def weight_layout(title: str, panels: Panels, dark: dict[str, Any]) -> dict[str, Any]:
    """The layout of a figure with its panels; it is as high as every other figure of its width.

    Args:
        title: Above the grid; Plotly's markup in it is taken as such.
        panels: The panels.
        dark: What changes on a dark page.
    """
    axes = completed_axes(panels.all)
    bare = axes["xaxis"].get("visible") is False
    bottom = 8 if bare else TICKS + AXIS_TITLE
    captions = [panel.caption for panel in (panels.closeup, panels.distribution) if panel is not None]
    layout = base_layout(
        title,
        captioned=True,
        margin={"l": 8 if bare else SIDE, "r": 12, "t": 30, "b": bottom, "autoexpand": False},
        bargap=0.1,
        annotations=[caption("", 0, 0) | {"font": {"size": 11}} for _ in captions],
        shapes=panels.grid.shapes,
        meta={"narrow": {}, "dark": dark},
        **axes,
    )
    layout["height"] = HEIGHT
    _place_wide(layout, panels)
    layout["meta"]["narrow"] |= _narrow(layout, panels)
    return layout


def _lines(panel: Panel | None, limit: int) -> list[str]:
    return [] if panel is None else [part for line in panel.caption for part in wrapped(line, limit)]


def _below(panel: Panel) -> int:
    """The pixels that a close-up needs below it for its labels."""
    axis = panel.axes["xaxis2"]
    if axis.get("visible", True) is False:
        return 8
    return TICKS + (AXIS_TITLE if "title" in axis else 4)


def _place_wide(layout: dict[str, Any], panels: Panels) -> None:
    """Sets the places of the panels of a wide figure."""
    bottom = layout["margin"]["b"]
    texts = [_lines(panel, WIDE_LIMIT) for panel in (panels.closeup, panels.distribution) if panel is not None]
    if panels.closeup is not None:
        # Its caption stands above it, beside the title.
        layout["margin"]["t"] = max(layout["margin"]["t"], LINE * len(texts[0]) + 14)
    top = layout["margin"]["t"]

    def height(pixels: float) -> float:
        """From pixels below the figure's upper edge to a share of the plot's height."""
        return float(round(1 - (pixels - top) / (HEIGHT - top - bottom), 4))

    low = HEIGHT * (1 - BLANK) - TICKS - AXIS_TITLE
    bars = low - (STRIP + STRIP_GAP if panels.strip is not None else 0)
    start = bars - BARS if panels.closeup is not None else top + LINE * len(texts[-1])
    layout["xaxis"]["domain"], layout["yaxis"]["domain"] = (0.0, GRID_SHARE), (0.0, 1.0)
    layout["xaxis3"]["domain"], layout["yaxis3"]["domain"] = (RIGHT, 1.0), (height(bars), height(start))
    places = [height(start)]
    if panels.closeup is not None:
        end = start - LINE * len(texts[1]) - 4 - _below(panels.closeup)
        numbered = panels.closeup.axes["yaxis2"].get("visible", True)
        layout["xaxis2"]["domain"] = NUMBERED if numbered else (RIGHT, 1.0)
        layout["yaxis2"]["domain"] = (height(end), 1.0)
        places = [1.0, *places]
    if panels.strip is not None:
        layout["yaxis4"]["domain"] = (height(low), height(low - STRIP))
    for annotation, lines, y in zip(layout["annotations"], texts, places, strict=True):
        annotation |= {"x": RIGHT, "y": y, "text": "<br>".join(lines)}


def _narrow(layout: dict[str, Any], panels: Panels) -> dict[str, Any]:
    """What changes on a narrow page: the close-up and the histogram stand side by side below the grid."""
    shown = [panel for panel in (panels.closeup, panels.distribution) if panel is not None]
    limits = NARROW_LIMITS if panels.closeup is not None else (60,)
    texts = [_lines(panel, limit) for panel, limit in zip(shown, limits, strict=True)]
    bottom = max(TICKS + AXIS_TITLE, 0 if panels.closeup is None else _below(panels.closeup)) + 4
    top = layout["meta"]["narrow"].get("margin.t", layout["margin"]["t"])

    def height(pixels: float) -> float:
        return float(round(1 - (pixels - top) / (NARROW_HEIGHT - top - bottom), 4))

    low = NARROW_HEIGHT - bottom
    above = LINE * max(map(len, texts)) + 8
    labelled = layout["xaxis"].get("visible", True)
    end = low - LOW - above - (TICKS + AXIS_TITLE if labelled else 0)
    right = NARROW_RIGHT if panels.closeup is not None else (0.0, 1.0)
    strip = STRIP + STRIP_GAP if panels.strip is not None else 0
    changed: dict[str, Any] = {"xaxis.domain": (0, 1), "yaxis.domain": (height(end), 1), "margin.t": top}
    changed |= {"xaxis3.domain": right, "yaxis3.domain": (height(low - strip), height(low - LOW)), "xaxis3.nticks": 3}
    lefts = [right[0]]
    if panels.closeup is not None:
        numbered = panels.closeup.axes["yaxis2"].get("visible", True) and not labelled
        left = 0.12 if numbered else NARROW_CLOSEUP[0]
        changed |= {"xaxis2.domain": (left, NARROW_CLOSEUP[1]), "yaxis2.domain": (0, height(low - LOW))}
        lefts = [0.0, *lefts]
    if panels.strip is not None:
        changed["yaxis4.domain"] = (0, height(low - STRIP))
    for index, (lines, x) in enumerate(zip(texts, lefts, strict=True)):
        changed |= {f"annotations[{index}].x": x, f"annotations[{index}].y": height(low - LOW)}
        changed[f"annotations[{index}].text"] = "<br>".join(lines)
    changed["margin.b"] = bottom
    return {"height": NARROW_HEIGHT, **changed}
