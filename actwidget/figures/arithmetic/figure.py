"""The figure of one value's arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.figures.arithmetic.layout import Panels, arithmetic_layout
from actwidget.figures.arithmetic.lines import in_words, lines
from actwidget.figures.arithmetic.maps import crosshair, plane_panel, window_colors, window_panels
from actwidget.figures.parts.heatmap import color_axis, dark_axis
from actwidget.figures.parts.text import NARROW_LIMIT, escape

if TYPE_CHECKING:
    from actwidget.figures.arithmetic.content import ArithmeticContent


@ignore_float_errors
def arithmetic_spec(content: ArithmeticContent) -> dict[str, Any]:
    """How one value is computed, as a dict of `data` and `layout`, which Plotly has not checked.

    On the left the sum line by line, where a click leads to the value that a term takes: its `customdata` is
    `[path, place]`. Above it, for layers that take a window of their input, the window, its weights and the products as
    maps. On the right the layer's values, of which a click chooses another one.

    Args:
        content: What it shows.

    Returns:
        A dict of `data` and `layout`.
    """
    listed = lines(content.rows, escape(content.caption, 160))
    window = [] if content.window is None else window_panels(content.window)
    plane = None if content.plane is None else plane_panel(content.plane)
    dark: dict[str, Any] = {}
    if content.window is not None:
        for place, (panel, color) in enumerate(zip(window, window_colors(content.window), strict=True)):
            panel.axes[f"coloraxis{place + 2}"] = color_axis(color)
            dark |= dark_axis(color, f"coloraxis{place + 2}")
    meta: dict[str, Any] = {}
    if content.plane is not None:
        dark |= dark_axis(content.plane.color)
        found = crosshair(content.plane, len(listed.traces) + len(window))
        meta |= {} if found is None else {"crosshair": found}
    panels = Panels(listed, window, plane)
    layout = arithmetic_layout(_title(content), panels, content.reason, {"dark": dark, **meta})
    return {"data": [trace for panel in panels.all for trace in panel.traces], "layout": layout}


def _title(content: ArithmeticContent) -> str:
    captured = f"captured {in_words(content.value)}"
    if content.result is not None:
        captured += f", computed {in_words(content.result)}"
    parts = [escape(content.title, NARROW_LIMIT), escape(content.place, NARROW_LIMIT), captured]
    if content.sample is not None:
        parts.append(f"sample {content.sample}")
    return " · ".join(filter(None, parts))
