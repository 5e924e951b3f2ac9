"""Panels that stand in boxes: parts of a figure in shares of its width and in pixels of its height."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from actwidget.figures.parts.layout import HEIGHT, LINE, NARROW_HEIGHT, base_layout, of_panel_height, text_above

TOP, LOW = 30, 8
"""The margins above the panels, for the title, and below them, in pixels."""


def rooms(heights: tuple[int, int] = (HEIGHT, NARROW_HEIGHT)) -> tuple[int, int]:
    """The pixels for the panels below a title of one line, on a narrow page of four; below a longer one they shrink."""
    return heights[0] - TOP - LOW, heights[1] - TOP - 3 * LINE - LOW


class Box(NamedTuple):
    """A part of the figure: shares of its width, and pixels from the upper edge of the room for panels."""

    left: float
    right: float
    top: float
    bottom: float

    def domains(self, room: int) -> tuple[list[float], list[float]]:
        """The domains of a panel's axes."""
        return [self.left, self.right], [max(0.0, round(1 - self.bottom / room, 4)), round(1 - self.top / room, 4)]


@dataclass(frozen=True)
class Panel:
    """A panel with a pair of axes.

    Attributes:
        traces: What is drawn in it.
        wide: Where it stands.
        narrow: Where it stands on a narrow page.
        x: Attributes of its x axis.
        y: Attributes of its y axis.
        caption: The text above it.
        narrow_caption: The same on a narrow page, if it is another there.
        marks: Shapes on it, without their axes; `"xref": "domain"` or `"yref": "domain"` in one says that it is placed
            by shares of the panel in that direction.
    """

    traces: list[dict[str, Any]]
    wide: Box
    narrow: Box
    x: dict[str, Any] = field(default_factory=dict)
    y: dict[str, Any] = field(default_factory=dict)
    caption: str = ""
    narrow_caption: str = ""
    marks: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Words:
    """A text that begins at the upper left corner of a box, `shift` pixels to the right of it."""

    text: str
    wide: Box
    narrow: Box
    narrow_text: str = ""
    shift: int = 0


def hidden_axes(width: float, height: float, x: str, *, origin: float = 0.0) -> tuple[dict[str, Any], dict[str, Any]]:
    """The axes of a picture that keeps its shape and stands in the upper left corner of its panel.

    Args:
        width: Of the picture, in cells.
        height: Of the picture, in cells.
        x: The name of its x axis, as `"x2"`.
        origin: Where its first cell begins.
    """
    hidden = {"visible": False, "constrain": "domain"}
    return (
        {**hidden, "range": [origin, width + origin], "constraintoward": "left"},
        {**hidden, "range": [height + origin, origin], "scaleanchor": x, "constraintoward": "top"},
    )


def axis_of(number: int) -> str:
    """The suffix of the axes of the panel with a number, counted from 0."""
    return "" if number == 0 else str(number + 1)


def assembled(
    title: str,
    panels: list[Panel],
    words: list[Words],
    dark: dict[str, Any],
    *,
    heights: tuple[int, int] = (HEIGHT, NARROW_HEIGHT),
    **more: Any,
) -> dict[str, Any]:
    """A figure of some panels, exactly as high as its place, as a dict of `data` and `layout`.

    Args:
        title: Above the panels; Plotly's markup in it is taken as such.
        panels: The panels, each with its own pair of axes in the same order.
        words: Texts.
        dark: What changes on a dark page.
        heights: The height of the figure in pixels, and that on a narrow page.
        **more: Attributes of the layout.
    """
    data: list[dict[str, Any]] = []
    axes: dict[str, Any] = {}
    shapes: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    narrow: dict[str, Any] = {}
    room, narrow_room = rooms(heights)
    for number, panel in enumerate(panels):
        suffix = axis_of(number)
        x, y = f"x{suffix}", f"y{suffix}"
        data += [{**trace, "xaxis": x, "yaxis": y} for trace in panel.traces]
        shapes += [{**mark, **_axes_of(mark, x, y)} for mark in panel.marks]
        across, down = panel.wide.domains(room)
        axes[f"xaxis{suffix}"] = {"fixedrange": True, "anchor": y, **panel.x, "domain": across}
        axes[f"yaxis{suffix}"] = {"fixedrange": True, "anchor": x, **panel.y, "domain": down}
        across, down = panel.narrow.domains(narrow_room)
        narrow |= {f"xaxis{suffix}.domain": across, f"yaxis{suffix}.domain": down}
        if panel.caption:
            texts = panel.caption, panel.narrow_caption
            place = {"yanchor": "bottom", "align": "left"}
            narrow |= _note(notes, *texts, panel.wide, panel.narrow, heights=heights, **place)
    for each in words:
        narrow |= _note(
            notes,
            each.text,
            each.narrow_text,
            each.wide,
            each.narrow,
            heights=heights,
            yanchor="top",
            align="left",
            xshift=each.shift,
        )
    layout = base_layout(
        title,
        margin={"l": 8, "r": 8, "t": TOP, "b": LOW, "autoexpand": False},
        annotations=notes,
        shapes=shapes,
        meta={"narrow": narrow, "dark": dark},
        **axes,
        **more,
    )
    return {"data": data, "layout": of_panel_height(layout, heights)}


def _axes_of(mark: dict[str, Any], x: str, y: str) -> dict[str, str]:
    """The axes of a mark, by whose values or by whose lengths it is placed."""
    return {name: f"{axis} domain" if mark.get(name) else axis for name, axis in (("xref", x), ("yref", y))}


def _note(
    notes: list[dict[str, Any]],
    text: str,
    narrow_text: str,
    wide: Box,
    narrow: Box,
    *,
    heights: tuple[int, int],
    **more: Any,
) -> dict[str, Any]:
    """Adds a text at the upper left corner of a box; returns what changes on a narrow page."""
    place, (room, narrow_room) = len(notes), rooms(heights)
    notes.append(text_above(text, wide.left, wide.domains(room)[1][1], **more))
    changed = {f"annotations[{place}].x": narrow.left, f"annotations[{place}].y": narrow.domains(narrow_room)[1][1]}
    return changed | ({f"annotations[{place}].text": narrow_text} if narrow_text else {})
