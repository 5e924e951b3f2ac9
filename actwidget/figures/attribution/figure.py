"""The figure of attributions: each input with what its values contribute, and beside it a detail and the colours."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.figures.attribution.area import Area
from actwidget.figures.attribution.content import AttributionContent, Part
from actwidget.figures.attribution.panels import panel_of
from actwidget.figures.attribution.reduced import part_of
from actwidget.figures.attribution.scale import scale_of
from actwidget.figures.parts.color_strip import color_strip
from actwidget.figures.parts.heatmap import color_axis, value_ticks
from actwidget.figures.parts.layout import NARROW_HEIGHT, NUMBER_LABELS, base_layout, caption, of_panel_height
from actwidget.figures.parts.nonfinite import nonfinite_legend, nonfinite_text
from actwidget.figures.parts.text import escape, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from actwidget.figures.parts.palette import ColorRange

LEFT, RIGHT, COLORS = (0.0, 0.62), (0.69, 1.0), (0.7, 0.98)
"""The horizontal spans of the inputs, of the detail, and of the strip of colours."""
DETAIL, STRIP = (0.44, 0.93), (0.335, 0.355)
"""The vertical spans of the detail and of the strip of colours: below them the inspector has its place."""
NARROW_LOW = 0.36
"""The share of a narrow figure's height below the inputs."""
NARROW_STRIP = {True: ((0.66, 0.92), (0.2, 0.22)), False: ((0.04, 0.6), (0.25, 0.27))}
"""Where the strip stands on a narrow page: beside a detail, or alone."""
TOP, BOTTOM, SIDES, CAPTION = 30, 16, 24, 22
"""In pixels: above, below and beside the panels, and for a caption above one of them."""
LONGEST_CAPTION = 46
WEIGHTS = {"picture": 3.0, "text": 2.0, "bars": 1.5, "steps": 2.0, "signal": 1.5}
"""How much of the height several inputs take."""
NARROW = 560
"""In pixels: the panels of a narrower figure stand below each other."""


@ignore_float_errors
def attribution_spec(content: AttributionContent) -> dict[str, Any]:
    """Inputs with what their values contribute to an answer, as a dict of `data` and `layout`.

    Args:
        content: What is shown.

    Returns:
        What Plotly draws. A click on a bar of a channel carries its number.
    """
    made = _Made(content, [*content.title])
    for part, area in _areas(content):
        text = " · ".join(filter(None, [part.name, part.note])) if len(content.parts) > 1 else part.note
        made.add(part, area, text)
    number = len(content.parts) + 1
    drawn = [*content.parts]
    if content.detail is not None:
        made.add(content.detail, _detail_area(number, content), content.detail.name)
        drawn.append(content.detail)
        number += 1
    if any(part.has_colors for part in drawn):
        made.add_strip(number)
    every = np.concatenate([np.asarray(part.values, np.float32).reshape(-1) for part in content.parts])
    if legend := nonfinite_text(every):
        made.title.append(nonfinite_legend(legend))
    color = made.color
    layout = base_layout(
        " · ".join(made.title),
        margin={"l": 8, "r": 16, "t": TOP, "b": BOTTOM, "autoexpand": False},
        annotations=made.annotations,
        bargap=0.25,
        meta={"narrow": made.narrow},
        coloraxis=color_axis(color, scale_of(color, is_text=content.has_text)),
        coloraxis2=color_axis(color),
        **made.axes,
    )
    return {"data": made.traces, "layout": of_panel_height(layout)}


@dataclass
class _Made:
    """A figure that is being put together."""

    content: AttributionContent
    title: list[str]
    traces: list[dict[str, Any]] = field(default_factory=list)
    axes: dict[str, Any] = field(default_factory=dict)
    narrow: dict[str, Any] = field(default_factory=dict)
    annotations: list[dict[str, Any]] = field(default_factory=list)

    @cached_property
    def color(self) -> ColorRange:
        """The range of the colours."""
        return self.content.color

    def add(self, part: Part, area: Area, text: str) -> None:
        """Adds a panel, with a caption where there is a text for one."""
        panel = panel_of(part, area, self.color, is_signed=self.content.is_signed)
        self.traces += panel.traces
        self.axes |= panel.layout
        self.narrow |= panel.narrow
        words = [escape(text, LONGEST_CAPTION)] if text else []
        if part is not self.content.detail:
            (words if text else self.title).extend(panel.words)
        if words:
            self._caption(" · ".join(words), area.x[0], area.y[1], (area.narrow_x[0], area.narrow_y[1]))

    def _caption(self, text: str, x: float, y: float, narrow: tuple[float, float]) -> None:
        number = len(self.annotations)
        self.annotations.append(caption(text, x, y))
        self.narrow[f"annotations[{number}].x"], self.narrow[f"annotations[{number}].y"] = narrow

    def add_strip(self, number: int) -> None:
        """Adds the strip of colours, with what they mean, on axes of a number."""
        content, color = self.content, self.color
        coloraxis = "coloraxis" if content.has_text or content.is_signed else "coloraxis2"
        self.traces.append(color_strip(color, xaxis=f"x{number}", yaxis=f"y{number}", coloraxis=coloraxis))
        across = {"domain": COLORS, "anchor": f"y{number}", "fixedrange": True, "showgrid": False, "zeroline": False}
        down = {"visible": False, "domain": STRIP, "range": [0, 1], "anchor": f"x{number}", "fixedrange": True}
        self.axes[f"xaxis{number}"] = {**across, **value_ticks(color.low, color.high, 3), **NUMBER_LABELS}
        self.axes[f"yaxis{number}"] = down
        beyond = content.beyond
        words = [escape(content.meaning, 30), *([f"({percent(beyond)} beyond)"] if beyond else [])]
        x, y = NARROW_STRIP[content.detail is not None]
        place = len(self.annotations)
        self._caption(" ".join(words), RIGHT[0], STRIP[1], (x[0], y[1]))
        self.narrow |= {f"xaxis{number}.domain": x, f"yaxis{number}.domain": y}
        self.narrow[f"annotations[{place}].text"] = "<br>".join(words)


def _areas(content: AttributionContent) -> list[tuple[Part, Area]]:
    """Where the inputs stand: one below the other, each as high as it needs."""
    parts, (width, height) = content.parts, content.room
    inner = (height - TOP - BOTTOM, NARROW_HEIGHT - TOP - BOTTOM)
    is_narrow = width < NARROW
    weights = np.array([WEIGHTS[part.kind] for part in parts])
    ends = np.concatenate([[0.0], np.cumsum(weights / weights.sum())]).tolist()
    is_alone = content.detail is None and not any(part.has_colors for part in parts)
    lowest = 0.02 if is_alone else NARROW_LOW + 0.07
    areas = []
    for number, part in enumerate(parts):
        spans = []
        for low, high, pixels in ((0.0, 0.97, inner[0]), (lowest, 1.0, inner[1])):
            above = CAPTION / pixels if len(parts) > 1 or part.note else 0
            top = high - (high - low) * ends[number] - above
            bottom = high - (high - low) * ends[number + 1] + (8 / pixels if len(parts) > 1 else 0)
            spans.append((bottom, max(top, bottom + 0.02)))
        wide, narrow = spans
        tall = (narrow[1] - narrow[0]) * inner[1] if is_narrow else (wide[1] - wide[0]) * inner[0]
        size = (width - SIDES) * (1.0 if is_narrow else LEFT[1]), tall
        areas.append((part, Area(number + 1, LEFT, wide, size, (0.0, 1.0), narrow)))
    return areas


def _detail_area(number: int, content: AttributionContent) -> Area:
    """Where the detail stands: beside the inputs, or below them."""
    width, height = content.room
    part = content.detail
    narrow_x = (0.0, 0.5) if part is not None and part.kind == "picture" else (0.0, 0.58)
    narrow_y = (0.0, NARROW_LOW - 0.04)
    if width < NARROW:
        size = (width - SIDES) * narrow_x[1], narrow_y[1] * (NARROW_HEIGHT - TOP - BOTTOM)
    else:
        size = (width - SIDES) * (RIGHT[1] - RIGHT[0]), (DETAIL[1] - DETAIL[0]) * (height - TOP - BOTTOM)
    return Area(number, RIGHT, DETAIL, size, narrow_x, narrow_y)


def attribution_figure(
    title: str,
    panels: Sequence[tuple[NDArray[Any], NDArray[Any] | None]],
    names: Sequence[str],
    *,
    is_signed: bool = True,
    labels: Sequence[str] = (),
) -> go.Figure:
    """The figure of one sample's attributions.

    Args:
        title: Above it: parts separated by dots.
        panels: For each input the attributions of one sample, and that sample of the input; `None` without one.
        names: What the inputs are called.
        is_signed: Whether signs mean anything; otherwise sizes are shown.
        labels: The names of the features of a single input, where they have names.

    Returns:
        A figure of 800 by 480 pixels.
    """
    parts = [
        part_of(values, given, name, is_signed=is_signed, labels=labels)
        for (values, given), name in zip(panels, names, strict=True)
    ]
    content = AttributionContent(
        [escape(each, 60) for each in title.split(" · ")],
        parts,
        detail_of(parts, adds_up=is_signed),
        is_signed=is_signed and any((part.values < 0).any() for part in parts),
        meaning="contribution" if is_signed else "size",
    )
    return go.Figure(attribution_spec(content))


def detail_of(parts: Sequence[Part], *, adds_up: bool) -> Part | None:
    """What stands beside the inputs: what each of several adds up to, a picture's values alone, the strongest words.

    Args:
        parts: The inputs.
        adds_up: Whether sums of the values mean something; otherwise the largest of each input is told.
    """
    if len(parts) > 1:
        sums = np.array([part.values.sum() if adds_up else np.abs(part.values).max(initial=0) for part in parts])
        name = "each input adds up to" if adds_up else "the largest of each input"
        return Part(name, "bars", sums, labels=[part.name for part in parts])
    (part,) = parts
    if part.kind == "picture" and part.pixels is not None:
        return Part("by itself", "picture", part.values)
    if part.kind == "text":
        return Part("the strongest words", "bars", part.values, labels=part.labels)
    return None
