"""Where the panels of a figure stand: beside the grid and, where there is less room, below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actwidget.figures.parts.text import seen_length, stacked

if TYPE_CHECKING:
    from collections.abc import Sequence

HEIGHT = 480
NARROW_HEIGHT = 600
"""On a narrow page, so that all panels are in sight at once beside the tree."""
# Of a figure by itself; the explorer gives it the colours of its page.
PAPER = {"paper_bgcolor": "white", "plot_bgcolor": "white"}
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
# (x domain, y domain) of the grid, the close-up and the histogram.
WIDE = (((0.0, 0.62), (0.0, 1.0)), ((0.69, 1.0), (0.46, 1.0)), ((0.69, 1.0), (0.0, 0.3)))
# On a narrow page the grid takes the whole width; below it these are the x domains of the close-up and the histogram.
NARROW = ((0, 0.44), (0.71, 1))
# The close-up's x domain where names stand to its left.
LABELLED = ((0.81, 1.0), (0.3, 0.58))
# How many characters of the one's caption fit beside the other's.
NARROW_CAPTION_LIMIT = 18
LINE = 16
"""The height of a title's line."""
LINE_LIMIT, CAPTION_LIMIT = 88, 50
"""How many characters of a title fit into a line, and beside a caption, where panels stand side by side."""
LOW, TICKS = 180, 36
"""On a narrow page, in pixels: the height of the panels below the grid, and of the labels of an axis."""
UPRIGHT = 90
"""The angle of labels that would not fit side by side."""
UPRIGHT_ROOM = 24
"""How much more room they need under an axis."""
# The close-up's y domain where such labels stand under it.
UPRIGHT_DOMAIN = (0.51, 1.0)
# The labels of an axis that are short numbers. Of all others Plotly measures each, to see whether it fits.
NUMBERED = {"tickangle": 0, "ticklabeloverflow": "allow"}


def layout(
    *,
    title: str,
    titles: tuple[str, str],
    axes: Sequence[dict[str, Any]],
    shapes: list[dict[str, Any]],
    labelled: bool = False,
) -> dict[str, Any]:
    """The layout of a figure with three panels.

    `layout.meta["narrow"]` holds what changes where the panels stack, as attribute paths that `Plotly.relayout` takes.

    Args:
        title: Above the grid; Plotly's markup in it is taken as such.
        titles: Above the close-up and above the histogram.
        axes: The axes of the three panels: `xaxis`, `yaxis`; `xaxis2`, ...
        shapes: Marks on the grid.
        labelled: Whether the close-up has names to its left.
    """
    merged = {name: dict(axis) for panel in axes for name, axis in panel.items()}
    upright = merged["xaxis"].get("tickangle") == UPRIGHT
    for number, (x_domain, y_domain) in enumerate(WIDE, start=1):
        suffix = "" if number == 1 else str(number)
        x_axis, y_axis = merged[f"xaxis{suffix}"], merged[f"yaxis{suffix}"]
        x_axis |= {"domain": x_domain, "anchor": f"y{suffix}"}
        y_axis |= {"domain": y_domain, "anchor": f"x{suffix}", "constraintoward": "top"}
        for axis in (x_axis, y_axis):
            axis.setdefault("fixedrange", True)
            if axis.get("visible", True) and "ticktext" not in axis:
                axis.update(NUMBERED)
            if "title" in axis:
                axis["title"] = {"standoff": 4, "font": {"size": 11}, **axis["title"]}
    if labelled:
        merged["xaxis2"]["domain"] = LABELLED[0]
    if merged["xaxis2"].get("tickangle") == UPRIGHT:
        merged["yaxis2"]["domain"] = UPRIGHT_DOMAIN
    if "coloraxis" in merged:
        bottom, top = merged["yaxis2"]["domain"]
        merged["coloraxis"]["colorbar"] |= {"y": top, "len": top - bottom, **NUMBERED}
    narrow = _narrow(merged, titles, labelled=labelled)
    annotations = [caption(text, x[0], y[1]) for text, (x, y) in zip(titles, WIDE[1:], strict=True)]
    return plain(
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
        shapes=shapes,
        meta={"narrow": narrow},
        **merged,
    )


def _narrow(axes: dict[str, Any], titles: tuple[str, str], *, labelled: bool) -> dict[str, Any]:
    """What changes on a narrow page: the close-up and the histogram stand side by side below the grid."""
    steps = axes["xaxis"]
    words = steps["ticktext"] if {"tickangle", "ticktext"} <= steps.keys() else []
    upright = bool(words) and (steps["tickangle"] == UPRIGHT or needs_upright(words, 45))
    changed: dict[str, Any] = {"xaxis.tickangle": UPRIGHT} if upright else {}
    lines = stacked(titles[0], NARROW_CAPTION_LIMIT)
    between = LINE * max(len(lines), titles[1].count("<br>") + 1) + 8
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


def needs_upright(texts: Sequence[str], room: int) -> bool:
    """Whether labels would not fit side by side under an axis that is as long as `room` characters."""
    return len(texts) * (max(map(len, texts), default=0) + 0.5) > room


def plain(title: str, *, captioned: bool = False, **more: Any) -> dict[str, Any]:
    """The layout of a figure that places its panels itself.

    A long title takes several lines, and on a narrow page more of them; the figure is as much higher.

    Args:
        title: Above the figure; Plotly's markup in it is taken as such.
        captioned: Whether a caption stands beside the last line of the title, on the right: one that would reach it
            gets room to itself.
        **more: Attributes to add, or to set in place of the usual ones.
    """
    lines, stack = stacked(title, LINE_LIMIT), stacked(title)
    result = {
        "title": {
            "text": "<br>".join(lines),
            "font": {"size": 12},
            "x": 0,
            "xanchor": "left",
            "xref": "paper",
            "y": 1,
            "yanchor": "top",
            "pad": {"t": _title_pad(lines)},
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
    wide_more = LINE * (len(lines) - 1 + (captioned and seen_length(lines[-1]) > CAPTION_LIMIT))
    narrow_more = LINE * (len(stack) - 1)
    if wide_more:
        result |= {"height": height + wide_more, "margin": {**result["margin"], "t": top + wide_more}}
    if stack != lines:
        narrow |= {"title.text": "<br>".join(stack), "title.pad.t": _title_pad(stack)}
    if wide_more or narrow_more:
        narrow |= {"margin.t": top + narrow_more, "height": narrow.get("height", height) + narrow_more}
    result["meta"] = {**result["meta"], "narrow": narrow}
    return result


def _title_pad(lines: list[str]) -> int:
    """Of a title of several lines Plotly puts the top higher by half of what they add."""
    return 6 + 8 * (len(lines) - 1)


def caption(text: str, x: float, y: float) -> dict[str, Any]:
    """A line above a panel whose upper left corner is at `(x, y)` of the paper."""
    place = {"x": x, "y": y, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom", "yshift": 4}
    return {"text": text, **place, "align": "left", "showarrow": False, "font": {"size": 12}}
