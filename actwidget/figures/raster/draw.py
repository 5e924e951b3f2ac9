"""The picture of a figure: its traces, shapes and texts, each where Plotly would have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw

from actwidget.figures.raster.axes import Axis, axes_of, keep_ratio
from actwidget.figures.raster.text import INK, draw_text, text_width, wrapped_to
from actwidget.figures.raster.traces import DRAWN, Box, Canvas, color_of, draw_table, extent, is_visible

if TYPE_CHECKING:
    from collections.abc import Mapping

MUTED, GRID = "#57606a", "#e3e6ea"
SHARP = 2
"""Lines are drawn this many times as large, then reduced: so they have soft edges."""
_ALIGN = {"left": 0.0, "top": 0.0, "right": 1.0, "bottom": 1.0}

Traces = list[dict[str, Any]]


def draw_figure(figure: Mapping[str, Any], width: int, *, coarse: float = 1) -> Image.Image:
    """A picture of a figure, as high as its layout says, on white.

    Args:
        figure: A dict of `data` and `layout`, with its pictures in it as data URIs.
        width: In pixels.
        coarse: Pictures within the figure get pixels of this size, which makes the file smaller.
    """
    layout = figure["layout"]
    height = int(layout.get("height") or 450)
    margin = {"l": 80, "r": 80, "t": 100, "b": 80, **(layout.get("margin") or {})}
    box = (margin["l"], margin["t"], max(width - margin["r"], margin["l"] + 1), height - margin["b"])
    traces: Traces = [{"xaxis": "x", "yaxis": "y", **trace} for trace in figure["data"] if is_visible(trace)]
    tables = [trace for trace in traces if trace["type"] == "table"]
    traces = [trace for trace in traces if trace["type"] != "table"]
    axes = _axes(layout, traces, box)
    canvas = Canvas(Image.new("RGB", (width * SHARP, height * SHARP), "white"), SHARP, coarse, layout)
    _draw_panels(canvas, traces, axes)
    for shape in layout.get("shapes") or ():
        _draw_shape(canvas, shape, axes, box)
    for trace in tables:
        draw_table(canvas, trace, box)
    picture = canvas.image.reduce(SHARP)
    draw = ImageDraw.Draw(picture)
    size = (layout.get("font") or {}).get("size", 12)
    for place, text, own_size, color, align in canvas.texts:
        draw_text(draw, place, text, own_size, color, align=align)
    for axis in () if tables and not traces else axes.values():
        _label(draw, axis, axes, box, size)
    for annotation in layout.get("annotations") or ():
        _annotate(draw, annotation, axes, box, size)
    title = layout.get("title") or {}
    if title.get("text"):
        font = (title.get("font") or {}).get("size", 17)
        draw_text(draw, (margin["l"], 6), wrapped_to(title["text"], font, width - margin["l"]), font)
    return picture


def _axes(layout: Mapping[str, Any], traces: Traces, box: Box) -> dict[str, Axis]:
    used = {trace[kind] for trace in traces for kind in ("xaxis", "yaxis")}
    axes = axes_of(layout, used, box)
    for name, axis in axes.items():
        own = [] if axis.has_range else [trace for trace in traces if trace[f"{name[0]}axis"] == name]
        found = [extent(trace, axis) for trace in own]
        ends = [each for each in found if each is not None]
        axis.fit((min(low for low, _ in ends), max(high for _, high in ends)) if ends else (0.0, 1.0))
    for name, axis in axes.items():
        other = axes.get(axis.options.get("scaleanchor") or "")
        if other is not None and other.name[0] != name[0]:
            keep_ratio(*((axis, other) if name[0] == "x" else (other, axis)))
    return axes


def _draw_panels(canvas: Canvas, traces: Traces, axes: Mapping[str, Axis]) -> None:
    panels = dict.fromkeys((trace["xaxis"], trace["yaxis"]) for trace in traces)
    for x, y in panels:
        across, down = axes[x], axes[y]
        for axis, other in ((across, down), (down, across)):
            for place in axis.grid():
                at = float(axis.scaled(place))
                ends = [(at, other.start), (at, other.stop)]
                canvas.line(ends if axis is across else [(y, x) for x, y in ends], GRID, 1)
        with canvas.clipped((across.start, down.stop, across.stop, down.start)):
            own = [trace for trace in traces if (trace["xaxis"], trace["yaxis"]) == (x, y)]
            for trace in _side_by_side(own, canvas.layout):
                DRAWN[trace["type"]](canvas, trace, across, down)


def _side_by_side(traces: Traces, layout: Mapping[str, Any]) -> Traces:
    """The traces of a panel; bars that stand beside each other have their number and how many there are."""
    bars = [trace for trace in traces if trace["type"] == "bar" and trace.get("width") is None]
    if layout.get("barmode", "group") != "group" or len(bars) < 2:
        return traces
    numbers = {id(trace): number for number, trace in enumerate(bars)}
    return [{**trace, "beside": (numbers[id(trace)], len(bars))} if id(trace) in numbers else trace for trace in traces]


def _draw_shape(canvas: Canvas, shape: Mapping[str, Any], axes: Mapping[str, Axis], box: Box) -> None:
    x0, x1 = (_on(shape.get("xref", "x"), "x", shape.get(end), axes, box) for end in ("x0", "x1"))
    y0, y1 = (_on(shape.get("yref", "y"), "y", shape.get(end), axes, box) for end in ("y0", "y1"))
    if x0 is None or x1 is None or y0 is None or y1 is None:  # a path, or an axis that is not there
        return
    line = {"color": INK, "width": 2, **(shape.get("line") or {})}
    if shape.get("type") == "line":
        canvas.line([(x0, y0), (x1, y1)], line["color"], line["width"])
        return
    fill = color_of(shape["fillcolor"], shape.get("opacity", 1)) if shape.get("fillcolor") else None
    half = line["width"] / 2
    edges = (min(x0, x1) - half, min(y0, y1) - half, max(x0, x1) + half, max(y0, y1) + half)
    canvas.box(edges, fill, line["color"], line["width"], is_round=shape.get("type") == "circle")


def _on(ref: str, kind: str, value: Any, axes: Mapping[str, Axis], box: Box) -> float | None:
    """The pixel of a place that is given on an axis, on the domain of an axis, or on the paper."""
    name, _, is_domain = ref.partition(" ")
    if value is None:
        return None
    if name == "paper":
        return float(box[0] + value * (box[2] - box[0]) if kind == "x" else box[3] - value * (box[3] - box[1]))
    if name not in axes:
        return None
    axis = axes[name]
    return float(axis.start + value * (axis.stop - axis.start) if is_domain else axis.pixels([value])[0])


def _label(draw: ImageDraw.ImageDraw, axis: Axis, axes: Mapping[str, Axis], box: Box, size: float) -> None:
    """The numbers or names along an axis, and its title."""
    if axis.options.get("visible") is False:
        return
    is_across = axis.name[0] == "x"
    other = axes.get(axis.options.get("anchor") or ("y" if is_across else "x")) or next(
        each for each in axes.values() if each.name[0] != axis.name[0]
    )
    is_far = axis.options.get("side") in {"top", "right"}
    sign = (-1 if is_far else 1) if is_across else (1 if is_far else -1)
    edge = other.stop if is_far else other.start
    if axis.options.get("anchor") == "free":  # it stands at a place of the figure, beside no other axis
        edge = _on("paper", "y" if is_across else "x", axis.options.get("position") or 0, axes, box) or 0.0
    edge += 4 * sign
    ticks, last, room = axis.ticks(), float("-inf"), 0.0
    for place, text in ticks:
        at, width = float(axis.scaled(place)), text_width(text, size - 1)
        if is_across and at - width / 2 < last + 4:
            continue  # it would touch the label before it
        last, room = at + width / 2, max(room, width)
        align = (0.5, 1.0 if is_far else 0.0) if is_across else (0.0 if is_far else 1.0, 0.5)
        draw_text(draw, (at, edge) if is_across else (edge, at), text, size - 1, MUTED, align=align)
    title = (axis.options.get("title") or {}).get("text")
    middle = (axis.start + axis.stop) / 2
    if title and is_across:
        down = edge + sign * (1.4 * size if ticks else 0)
        draw_text(draw, (middle, down), title, size, MUTED, align=(0.5, 1.0 if is_far else 0.0))
    elif title:
        upright = Image.new("L", (int(text_width(title, size)) + 2, int(1.5 * size)))
        draw_text(ImageDraw.Draw(upright), (0, 0), title, size, "white")
        upright = upright.rotate(90, expand=True)
        left = max(0, int(edge - room - upright.width - 4))
        draw.bitmap((left, int(middle - upright.height / 2)), upright, MUTED)


def _annotate(
    draw: ImageDraw.ImageDraw, note: Mapping[str, Any], axes: Mapping[str, Axis], box: Box, size: float
) -> None:
    x = _on(note.get("xref", "x"), "x", note.get("x"), axes, box)
    y = _on(note.get("yref", "y"), "y", note.get("y"), axes, box)
    if x is None or y is None or note.get("visible") is False:
        return
    font = note.get("font") or {}
    text = wrapped_to(note.get("text", ""), font.get("size", size), draw.im.size[0])
    align = (_ALIGN.get(note.get("xanchor", "auto"), 0.5), _ALIGN.get(note.get("yanchor", "auto"), 0.5))
    place = (x + note.get("xshift", 0), y - note.get("yshift", 0))
    draw_text(draw, place, text, font.get("size", size), font.get("color") or INK, align=align)
