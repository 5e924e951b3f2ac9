"""Where the panels of an activation's figure stand: side by side or, where there is less room, stacked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
from actwidget.figures.parts.layout import (
    HEIGHT,
    LINE,
    NARROW_HEIGHT,
    UPRIGHT,
    base_layout,
    caption,
    needs_upright,
)
from actwidget.figures.parts.text import wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

# The x domains on the right of a wide figure: of a close-up beside an input and of that input; of a close-up with
# names to its left.
BESIDE, SOURCE, NAMED = (RIGHT, 0.87), (0.885, 1.0), (0.81, 1.0)
# On a narrow page the grid takes the whole width; below it these are the x domains of the others.
NARROW, NARROW_SOURCE, NARROW_LOW = (0.0, 0.4), (0.43, 0.6), (0.68, 1.0)
NARROW_NUMBERED, NARROW_NAMED = (0.0, 0.58), (0.3, 0.58)
NARROW_CAPTION_LIMIT = 30
"""How many characters of the close-up's caption fit beside that of the histogram."""
UPRIGHT_ROOM = 26
"""How many pixels upright labels of an axis need in addition."""
MARGIN, TOP = 8, 30


@dataclass(frozen=True)
class Panels:
    """The panels of a figure.

    Attributes:
        grid: All channels.
        closeup: One channel.
        distribution: The histogram.
        strip: The colours, as the axis of the histogram; `None` where no values are coloured.
        source: The input picture; `None` where there is none.
        are_named: Whether the close-up has names to its left.
    """

    grid: Panel
    closeup: Panel
    distribution: Panel
    strip: Panel | None = None
    source: Panel | None = None
    are_named: bool = False

    @property
    def all(self) -> list[Panel]:
        """Those that there are, in the order of their traces."""
        panels = (self.grid, self.closeup, self.distribution, self.strip, self.source)
        return [panel for panel in panels if panel is not None]


def grid_room(width: int, height: int, *, narrow: bool) -> tuple[float, float]:
    """The room for the tiles of a figure whose title takes one or two lines.

    Args:
        width: Of the figure, in pixels.
        height: Of the figure.
        narrow: Whether the panels stack.

    Returns:
        The width and the height of the grid.
    """
    inner = width - 2 * MARGIN
    if narrow:
        return float(max(inner, 1)), float(height - TOP - LINE - (TICKS + 4 + LOW + 2 * LINE + 8))
    return float(max(inner * GRID_SHARE, 1)), float(height - TOP - LINE / 2 - MARGIN)


def panel_layout(title: str, panels: Panels, **more: Any) -> dict[str, Any]:
    """The layout of a figure with its panels.

    It is as high as every other figure of its width. `layout.meta["narrow"]` holds what changes where the panels stack,
    as attribute paths that `Plotly.relayout` takes.

    Args:
        title: Above the grid; Plotly's markup in it is taken as such.
        panels: The panels.
        **more: Of the layout: what changes on a dark page, and what the crosshair needs, as `dark` and `crosshair`.
    """
    axes = completed_axes(panels.all)
    for name, axis in axes.items():
        if name.startswith("yaxis"):
            axis.setdefault("constraintoward", "top")
    bare = axes["xaxis"].get("visible") is False
    upright = axes["xaxis"].get("tickangle") == UPRIGHT
    layout = base_layout(
        title,
        captioned=True,
        margin={
            "l": MARGIN if bare else 48,
            "r": MARGIN,
            "t": TOP,
            "b": MARGIN if bare else TICKS + AXIS_TITLE + UPRIGHT_ROOM * upright,
            "autoexpand": False,
        },
        bargap=0.1,
        annotations=[
            caption("<br>".join(panel.caption), 0, 0) | {"font": {"size": 11}}
            for panel in (panels.closeup, panels.distribution)
        ],
        shapes=panels.grid.shapes,
        meta={"narrow": {}, **more},
        **axes,
    )
    layout["height"] = HEIGHT
    _place_wide(layout, panels)
    layout["meta"]["narrow"] |= _narrow(layout, panels)
    return layout


def _below_closeup(axes: dict[str, Any]) -> int:
    """The pixels that the close-up needs below it, for its labels."""
    ticks = axes["xaxis2"]
    if ticks.get("tickangle") == UPRIGHT:
        return TICKS + UPRIGHT_ROOM
    if ticks.get("visible", True) is not False and ticks.get("showticklabels", True):
        return TICKS + 4
    return 8


def _place_wide(layout: dict[str, Any], panels: Panels) -> None:
    """Sets the domains of the axes of a wide figure."""
    top, bottom = layout["margin"]["t"], layout["margin"]["b"]

    def height(pixels: float) -> float:
        """From pixels below the figure's upper edge to a part of the plot's height."""
        return float(round(1 - (pixels - top) / (HEIGHT - top - bottom), 4))

    low = HEIGHT * (1 - BLANK) - TICKS
    strip = STRIP + STRIP_GAP if panels.strip is not None else 0
    bars = low - strip
    text = bars - BARS
    end = text - LINE * len(panels.distribution.caption) - 6 - _below_closeup(layout)
    x = BESIDE if panels.source is not None else NAMED if panels.are_named else (RIGHT, 1.0)
    if panels.closeup.axes["yaxis2"].get("visible", True) and not panels.are_named:
        x = NUMBERED
    layout["xaxis"]["domain"], layout["yaxis"]["domain"] = (0.0, GRID_SHARE), (0.0, 1.0)
    layout["xaxis2"]["domain"], layout["yaxis2"]["domain"] = x, (height(end), 1.0)
    layout["xaxis3"]["domain"], layout["yaxis3"]["domain"] = (RIGHT, 1.0), (height(bars), height(text))
    if panels.strip is not None:
        layout["yaxis4"]["domain"] = (height(low), height(low - STRIP))
    if panels.source is not None:
        layout["xaxis5"]["domain"], layout["yaxis5"]["domain"] = SOURCE, (height(end), 1.0)
    for annotation, x0, y in zip(layout["annotations"], (RIGHT, RIGHT), (1.0, height(text)), strict=True):
        annotation |= {"x": x0, "y": y}
    if (crosshair := layout["meta"].get("crosshair")) is not None:
        crosshair["line"] = (RIGHT, 1.0, 1.0)


def _narrow(layout: dict[str, Any], panels: Panels) -> dict[str, Any]:
    """What changes on a narrow page: the close-up, the input and the histogram stand side by side below the grid."""
    steps = layout["xaxis"]
    words: Sequence[str] = steps["ticktext"] if {"tickangle", "ticktext"} <= steps.keys() else []
    upright = bool(words) and (steps["tickangle"] == UPRIGHT or needs_upright(words, 45))
    changed: dict[str, Any] = {"xaxis.tickangle": UPRIGHT} if upright else {}
    # No caption stands beside the title's last line there, so the grid begins right below it.
    top = layout["meta"]["narrow"].get("margin.t", TOP) - 6
    bottom = max(_below_closeup(layout), TICKS) + 4

    def height(pixels: float) -> float:
        return float(round(1 - (pixels - top) / (NARROW_HEIGHT - top - bottom), 4))

    lines = [part for line in panels.closeup.caption for part in wrapped(line, NARROW_CAPTION_LIMIT)]
    beside = panels.distribution.narrow_caption or panels.distribution.caption
    above = LINE * max(len(lines), len(beside)) + 8
    low = NARROW_HEIGHT - bottom
    end = low - LOW - above
    if steps.get("visible", True):
        end -= TICKS + AXIS_TITLE + UPRIGHT_ROOM * upright
    x = NARROW if panels.source is not None else NARROW_NAMED if panels.are_named else NARROW_NUMBERED
    strip = STRIP + STRIP_GAP if panels.strip is not None else 0
    changed |= {f"xaxis{suffix}.constraintoward": "left" for suffix in ("", "2")}
    changed |= {"xaxis.domain": (0, 1), "yaxis.domain": (height(end), 1)}
    changed |= {"xaxis2.domain": x, "yaxis2.domain": (0, height(low - LOW))}
    changed |= {"xaxis3.domain": NARROW_LOW, "yaxis3.domain": (height(low - strip), height(low - LOW))}
    changed |= {"xaxis3.nticks": 3}
    if panels.strip is not None:
        changed["yaxis4.domain"] = (0, height(low - STRIP))
    if panels.source is not None:
        changed |= {"xaxis5.domain": NARROW_SOURCE, "yaxis5.domain": (0, height(low - LOW))}
    if "crosshair" in layout["meta"]:
        changed["meta.crosshair.line"] = (0, NARROW_LOW[0] - 0.04, height(low - LOW))
    changed |= {"annotations[0].text": "<br>".join(lines), "annotations[1].text": "<br>".join(beside)}
    changed |= {f"annotations[{index}].y": height(low - LOW) for index in (0, 1)}
    changed |= {"annotations[0].x": 0, "annotations[1].x": NARROW_LOW[0]}
    bare = all(layout[name].get("visible", True) is False for name in ("xaxis", "yaxis2"))
    changed |= {"margin.t": top, "margin.l": MARGIN if bare else 48, "margin.r": MARGIN, "margin.b": bottom}
    return {"height": NARROW_HEIGHT, **changed}
