"""Where the three panels of an activation's figure stand: side by side or, where there is less room, stacked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from actwidget.figures.parts.layout import (
    HEIGHT,
    LINE,
    NARROW_HEIGHT,
    NUMBER_LABELS,
    UPRIGHT,
    WIDE,
    base_layout,
    caption,
    needs_upright,
)
from actwidget.figures.parts.text import wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

# On a narrow page the grid takes the whole width; below it these are the x domains of the close-up and the histogram.
NARROW = ((0, 0.44), (0.71, 1))
# The close-up's x domain where names stand to its left, on a wide and on a narrow page.
LABELLED = ((0.81, 1.0), (0.3, 0.58))
# How many characters of the close-up's caption fit beside that of the histogram.
NARROW_CAPTION_LIMIT = 18
LOW, TICKS = 180, 36
"""On a narrow page, in pixels: the height of the panels below the grid, and of the labels of an axis."""
UPRIGHT_ROOM = 24
"""How many more pixels upright labels need under an axis."""
# The close-up's y domain where such labels stand under it.
UPRIGHT_DOMAIN = (0.51, 1.0)


@dataclass(frozen=True)
class Panel:
    """One of the three panels.

    Attributes:
        traces: What is drawn in it.
        axes: Its axes as attributes of the layout: `xaxis`, `yaxis`; `xaxis2`, ...
        caption: The text above it; the grid has the figure's title instead.
        shapes: Marks on it.
    """

    traces: list[dict[str, Any]]
    axes: dict[str, dict[str, Any]]
    caption: str = ""
    shapes: list[dict[str, Any]] = field(default_factory=list)


def panel_layout(title: str, grid: Panel, closeup: Panel, distribution: Panel, *, labelled: bool) -> dict[str, Any]:
    """The layout of a figure with three panels.

    `layout.meta["narrow"]` holds what changes where the panels stack, as attribute paths that `Plotly.relayout` takes.

    Args:
        title: Above the grid; Plotly's markup in it is taken as such.
        grid: The panel of all channels.
        closeup: The panel of one channel.
        distribution: The panel of the histogram.
        labelled: Whether the close-up has names to its left.
    """
    captions = closeup.caption, distribution.caption
    merged = {name: dict(axis) for panel in (grid, closeup, distribution) for name, axis in panel.axes.items()}
    upright = merged["xaxis"].get("tickangle") == UPRIGHT
    for place, (x_domain, y_domain) in enumerate(WIDE, start=1):
        suffix = "" if place == 1 else str(place)
        x_axis, y_axis = merged[f"xaxis{suffix}"], merged[f"yaxis{suffix}"]
        x_axis |= {"domain": x_domain, "anchor": f"y{suffix}"}
        y_axis |= {"domain": y_domain, "anchor": f"x{suffix}", "constraintoward": "top"}
        for axis in (x_axis, y_axis):
            axis.setdefault("fixedrange", True)
            if axis.get("visible", True) and "ticktext" not in axis:
                axis.update(NUMBER_LABELS)
            if "title" in axis:
                axis["title"] = {"standoff": 4, "font": {"size": 11}, **axis["title"]}
    if labelled:
        merged["xaxis2"]["domain"] = LABELLED[0]
    if merged["xaxis2"].get("tickangle") == UPRIGHT:
        merged["yaxis2"]["domain"] = UPRIGHT_DOMAIN
    if "coloraxis" in merged:
        bottom, top = merged["yaxis2"]["domain"]
        merged["coloraxis"]["colorbar"] |= {"y": top, "len": top - bottom, **NUMBER_LABELS}
    narrow = _narrow(merged, captions, labelled=labelled)
    annotations = [caption(text, x[0], y[1]) for text, (x, y) in zip(captions, WIDE[1:], strict=True)]
    return base_layout(
        title,
        captioned=True,
        height=HEIGHT + UPRIGHT_ROOM * upright,
        # Room for a colour bar's numbers, so that Plotly need not draw it twice to find out.
        margin={
            "l": 8 if merged["xaxis"].get("visible") is False else 48,
            "r": 72 if "coloraxis" in merged else 44,
            "t": 30,
            "b": 36 + UPRIGHT_ROOM * upright,
            "autoexpand": False,
        },
        bargap=0.1,
        annotations=annotations,
        shapes=grid.shapes,
        meta={"narrow": narrow},
        **merged,
    )


def _narrow(axes: dict[str, Any], captions: tuple[str, str], *, labelled: bool) -> dict[str, Any]:
    """What changes on a narrow page: the close-up and the histogram stand side by side below the grid."""
    steps = axes["xaxis"]
    words: Sequence[str] = steps["ticktext"] if {"tickangle", "ticktext"} <= steps.keys() else []
    upright = bool(words) and (steps["tickangle"] == UPRIGHT or needs_upright(words, 45))
    changed: dict[str, Any] = {"xaxis.tickangle": UPRIGHT} if upright else {}
    lines = wrapped(captions[0], NARROW_CAPTION_LIMIT)
    between = LINE * max(len(lines), captions[1].count("<br>") + 1) + 8
    if steps.get("visible", True):
        between += TICKS + UPRIGHT_ROOM * upright
    tall = NARROW_HEIGHT - 30 - TICKS
    low, grid = (round(pixels / tall, 3) for pixels in (LOW, LOW + between))
    changed |= {f"xaxis{suffix}.constraintoward": "left" for suffix in ("", "2")}
    changed |= {"xaxis.domain": (0, 1), "yaxis.domain": (grid, 1)}
    changed |= {"xaxis2.domain": LABELLED[1] if labelled else NARROW[0], "yaxis2.domain": (0, low)}
    changed |= {"xaxis3.domain": NARROW[1], "yaxis3.domain": (0, low), "xaxis3.nticks": 3}
    if axes["xaxis2"].get("tickangle") == UPRIGHT:
        changed["yaxis2.domain"] = (UPRIGHT_ROOM / tall, low)
    if "coloraxis" in axes:
        bottom, top = changed["yaxis2.domain"]
        bar = {"x": NARROW[0][1], "y": top, "len": top - bottom}
        changed |= {f"coloraxis.colorbar.{name}": value for name, value in bar.items()}
    if len(lines) > 1:
        changed["annotations[0].text"] = "<br>".join(lines)
    changed |= {f"annotations[{index}].y": low for index in (0, 1)}
    changed |= {
        "annotations[0].x": 0,
        "annotations[1].x": 1,
        "annotations[1].xanchor": "right",
        "annotations[1].xshift": 12,
    }
    bare = all(axes[name].get("visible", True) is False for name in ("xaxis", "yaxis2"))
    changed |= {"margin.l": 8 if bare else 48, "margin.r": 16, "margin.b": TICKS}
    return {"height": NARROW_HEIGHT, **changed}
