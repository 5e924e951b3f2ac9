"""What the layouts of all figures share: sizes, the title and its lines, captions, and the labels of axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actwidget.figures.parts.text import visible_length, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

HEIGHT = 480
NARROW_HEIGHT = 600
"""On a narrow page, so that all panels are in sight at once beside the tree."""
# The background of a figure by itself; the explorer replaces it by that of its page.
PAPER = {"paper_bgcolor": "white", "plot_bgcolor": "white"}
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
# (x domain, y domain) of a large panel on the left, and of an upper and a lower one on the right.
WIDE = (((0.0, 0.62), (0.0, 1.0)), ((0.69, 1.0), (0.46, 1.0)), ((0.69, 1.0), (0.0, 0.3)))
LINE = 16
"""The height of a line of the title, in pixels."""
LINE_LIMIT, CAPTION_LIMIT = 88, 50
"""How many characters of a title fit into a line, and how many where a caption stands beside that line."""
UPRIGHT = 90
"""The angle of labels that would not fit side by side."""
# For axes whose labels are short numbers. Without it Plotly measures each label, to see whether it fits.
NUMBER_LABELS = {"tickangle": 0, "ticklabeloverflow": "allow"}


def needs_upright(texts: Sequence[str], room: int) -> bool:
    """Whether labels would not fit side by side under an axis that is as long as `room` characters."""
    return len(texts) * (max(map(len, texts), default=0) + 0.5) > room


def base_layout(title: str, *, captioned: bool = False, **more: Any) -> dict[str, Any]:
    """The layout of a figure before its panels are placed.

    A long title takes several lines, and on a narrow page more; the figure is higher by as much.

    Args:
        title: Above the figure; Plotly's markup in it is taken as such.
        captioned: Whether a caption stands on the right of the title's last line: a line that would reach the caption
            is set above it.
        **more: Attributes to add, or to set instead of the usual ones.
    """
    lines, narrow_lines = wrapped(title, LINE_LIMIT), wrapped(title)
    result = {
        "title": {
            "text": "<br>".join(lines),
            "font": {"size": 12},
            "x": 0,
            "xanchor": "left",
            "xref": "paper",
            "y": 1,
            "yanchor": "top",
            "pad": {"t": title_pad(lines)},
        },
        "height": HEIGHT,
        "margin": {"l": 8, "r": 8, "t": 30, "b": 36},
        "font": {"family": FONT, "size": 11},
        "showlegend": False,
        **PAPER,
        "dragmode": False,
        "annotations": [],
        "shapes": [],
        "meta": {"narrow": {}},
        **more,
    }
    height, top, narrow = result["height"], result["margin"]["t"], dict(result["meta"]["narrow"])
    extra = LINE * (len(lines) - 1 + (captioned and visible_length(lines[-1]) > CAPTION_LIMIT))
    narrow_extra = LINE * (len(narrow_lines) - 1)
    if extra:
        result |= {"height": height + extra, "margin": {**result["margin"], "t": top + extra}}
    if narrow_lines != lines:
        narrow |= {"title.text": "<br>".join(narrow_lines), "title.pad.t": title_pad(narrow_lines)}
    if extra or narrow_extra:
        narrow |= {"margin.t": top + narrow_extra, "height": narrow.get("height", height) + narrow_extra}
    result["meta"] = {**result["meta"], "narrow": narrow}
    return result


def of_panel_height(layout: dict[str, Any], heights: tuple[int, int] = (HEIGHT, NARROW_HEIGHT)) -> dict[str, Any]:
    """A layout that is exactly as high as its panel, also if its title takes several lines; these begin at its edge.

    Args:
        layout: The layout.
        heights: The height of the panel in pixels, and that on a narrow page.
    """
    narrow = layout["meta"]["narrow"] | {"height": heights[1]}
    title = {**layout["title"], "xref": "container", "pad": {**layout["title"]["pad"], "l": 8}}
    return {**layout, "title": title, "height": heights[0], "meta": {**layout["meta"], "narrow": narrow}}


def title_pad(lines: list[str]) -> int:
    """The padding above the title: Plotly moves a title of several lines up by half a line, however many they are."""
    return 6 + 8 * (len(lines) > 1)


def caption(text: str, x: float, y: float) -> dict[str, Any]:
    """A caption close above a panel whose upper left corner is at `(x, y)` of the paper."""
    return {**text_above(text, x, y, yshift=4, align="left"), "font": {"size": 12}}


def text_above(text: str, x: float, y: float, **more: Any) -> dict[str, Any]:
    """An annotation that begins at `(x, y)` of the paper and stands above that point."""
    place = {"x": x, "y": y, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom"}
    return {"text": text, **place, **more, "showarrow": False}
