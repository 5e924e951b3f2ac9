"""How each kind of trace is drawn."""

from __future__ import annotations

import base64
import io
import math
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageColor, ImageDraw

from actwidget.figures.raster.axes import Axis, numbers
from actwidget.figures.raster.text import INK, fitted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Color = tuple[int, int, int, int]
Box = tuple[float, float, float, float]
GREY = "#9aa4b2"
_PARTS = re.compile(r"[\d.]+")
_SIZE = 11


def color_of(css: str, opacity: float = 1) -> Color:
    """A colour of CSS as red, green, blue and alpha, each up to 255."""
    if css.startswith("rgb"):
        red, green, blue, *alpha = (float(part) for part in _PARTS.findall(css))
        return round(red), round(green), round(blue), round(255 * opacity * (alpha[0] if alpha else 1))
    red, green, blue, *alpha = ImageColor.getrgb(css)
    return red, green, blue, round(opacity * (alpha[0] if alpha else 255))


def picture_of(uri: str) -> Image.Image:
    """A picture given as a data URI."""
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGBA")


@dataclass
class Canvas:
    """A picture that is drawn `scale` times as large as it will be; all places are given in its final pixels.

    Attributes:
        image: The picture.
        scale: How many times as large it is.
        coarse: The size of the pixels of pictures within it.
        layout: The layout of the figure.
        texts: What is to be written when the picture has its final size: place, text, size, colour, alignment.
    """

    image: Image.Image
    scale: int
    coarse: float
    layout: Mapping[str, Any]
    texts: list[tuple[tuple[float, float], str, float, str, tuple[float, float]]] = field(default_factory=list)
    _clip: Box = (0, 0, 1e9, 1e9)

    @contextmanager
    def clipped(self, box: Box) -> Iterator[None]:
        """Leaves out what is drawn outside of a box."""
        whole, self._clip = self.image, box
        self.image = whole.copy()
        yield
        left, top, right, bottom = (round(self.scale * edge) for edge in box)
        whole.paste(self.image.crop((left, top, right, bottom)), (left, top))
        self.image = whole

    @property
    def _draw(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.image, "RGBA")

    def line(self, points: Sequence[tuple[float, float]], color: str, width: float) -> None:
        """A line through points."""
        scaled = [(self.scale * x, self.scale * y) for x, y in points]
        self._draw.line(scaled, color_of(color), max(1, round(self.scale * width)), joint="curve")

    def area(self, points: Sequence[tuple[float, float]], color: str) -> None:
        """A filled polygon."""
        self._draw.polygon([(self.scale * x, self.scale * y) for x, y in points], color_of(color))

    def box(self, box: Box, fill: Color | None, color: str = "", width: float = 0, *, is_round: bool = False) -> None:
        """A rectangle, or the ellipse in it."""
        left, top, right, bottom = (round(self.scale * edge) for edge in box)
        shape = self._draw.ellipse if is_round else self._draw.rectangle
        ends = (left, top, max(left, right - 1), max(top, bottom - 1))
        shape(ends, fill, color_of(color) if width else None, round(self.scale * width))

    def picture(self, picture: Image.Image, box: Box, opacity: float = 1) -> None:
        """A picture over a box, its pixels crisp."""
        picture, box = self._in_sight(picture, box)
        left, top, right, bottom = (round(edge) for edge in box)
        size = max(1, right - left), max(1, bottom - top)
        small = [min(own, max(1, round(length / self.coarse))) for own, length in zip(picture.size, size, strict=True)]
        if small != [*picture.size]:
            picture = picture.resize((small[0], small[1]), Image.Resampling.BOX)
        large = picture.resize((self.scale * size[0], self.scale * size[1]), Image.Resampling.NEAREST)
        if opacity < 1:
            large.putalpha(large.getchannel("A").point(lambda alpha: round(alpha * opacity)))
        self.image.paste(large, (self.scale * left, self.scale * top), large)

    def _in_sight(self, picture: Image.Image, box: Box) -> tuple[Image.Image, Box]:
        """The whole pixels of a picture that are not clipped, and the box that is theirs."""
        first, last, start, stop = [0, 0], [0, 0], [0.0, 0.0], [0.0, 0.0]
        for axis, size in enumerate(picture.size):
            origin = box[axis]
            pixel = (box[axis + 2] - origin) / size or 1.0
            first[axis] = min(max(0, int((self._clip[axis] - origin) // pixel)), size - 1)
            last[axis] = max(first[axis] + 1, min(size, math.ceil((self._clip[axis + 2] - origin) / pixel)))
            start[axis], stop[axis] = origin + first[axis] * pixel, origin + last[axis] * pixel
        return picture.crop((first[0], first[1], last[0], last[1])), (start[0], start[1], stop[0], stop[1])

    def write(self, place: tuple[float, float], text: str, align: tuple[float, float], color: str = INK) -> None:
        """A line of text, in its place when all is drawn."""
        self.texts.append((place, text, _SIZE, color, align))


def _cells(trace: Mapping[str, Any], kind: str, count: int, axis: Axis) -> tuple[float, float]:
    """The outer edges of the cells of a heatmap, or of the pixels of a picture, along an axis."""
    step = float(trace.get(f"d{kind}", 1) or 1)
    if trace.get(kind) is None:
        first = float(trace.get(f"{kind}0", 0) or 0)
        return first - step / 2, first + (count - 0.5) * step
    places = axis.values(trace[kind]).astype(float)
    if places.size == count + 1:
        return float(places[0]), float(places[-1])
    step = float(places[-1] - places[0]) / (count - 1) if count > 1 else step
    return float(places[0]) - step / 2, float(places[-1]) + step / 2


def _shape(trace: Mapping[str, Any]) -> tuple[int, int]:
    if trace["type"] == "heatmap":
        return _rows_and_columns(trace)
    if trace.get("source"):
        width, height = picture_of(trace["source"]).size
        return height, width
    return _rows_and_columns(trace)


def _rows_and_columns(trace: Mapping[str, Any]) -> tuple[int, int]:
    rows, columns = numbers(trace["z"]).shape[:2]
    return rows, columns


def extent(trace: Mapping[str, Any], axis: Axis) -> tuple[float, float] | None:
    """What a trace covers of an axis whose range is not given: its least and its greatest value; `None` for nothing."""
    kind = axis.name[0]
    if trace["type"] in {"image", "heatmap"}:
        ends = _cells(trace, kind, _shape(trace)[kind == "x"], axis)
        return min(ends), max(ends)
    found = _along(trace, kind, axis)
    is_length = trace["type"] == "bar" and (kind == "x") == (trace.get("orientation") == "h")
    if is_length:
        base = numbers(trace.get("base", 0)).astype(float)
        found = np.concatenate([np.ravel(base), np.ravel(base + found), [0.0] if not base.any() else []])
    found = found[np.isfinite(found)]
    if not found.size:
        return None
    low, high = float(found.min()), float(found.max())
    pad = 0.5 if trace["type"] == "bar" and not is_length else 0.06 * (high - low)
    return low - pad * (not is_length or low < 0), high + pad


def _along(trace: Mapping[str, Any], kind: str, axis: Axis) -> Any:
    """The coordinates of points or bars along an axis; without any they are counted."""
    if trace.get(kind) is not None:
        return axis.values(trace[kind])
    count = numbers(trace["y" if kind == "x" else "x"]).size
    return trace.get(f"{kind}0", 0) + np.arange(count) * float(trace.get(f"d{kind}", 1))


def _place(trace: Mapping[str, Any], shape: tuple[int, int], across: Axis, down: Axis) -> tuple[Box, bool, bool]:
    """The box of a picture, and whether it is turned over along each axis."""
    left, right = across.scaled(_cells(trace, "x", shape[1], across)).tolist()
    top, bottom = down.scaled(_cells(trace, "y", shape[0], down)).tolist()
    return (min(left, right), min(top, bottom), max(left, right), max(top, bottom)), left > right, top > bottom


def _paste(canvas: Canvas, picture: Image.Image, trace: Mapping[str, Any], across: Axis, down: Axis) -> None:
    box, is_mirrored, is_upended = _place(trace, (picture.height, picture.width), across, down)
    if is_mirrored:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if is_upended:
        picture = picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    canvas.picture(picture, box, trace.get("opacity", 1))


def _image(canvas: Canvas, trace: Mapping[str, Any], across: Axis, down: Axis) -> None:
    source = trace.get("source")
    picture = picture_of(source) if source else Image.fromarray(numbers(trace["z"]).astype(np.uint8)).convert("RGBA")
    _paste(canvas, picture, trace, across, down)


def _heatmap(canvas: Canvas, trace: Mapping[str, Any], across: Axis, down: Axis) -> None:
    values = numbers(trace["z"]).astype(float)
    shared = canvas.layout.get(trace.get("coloraxis") or "") or {}
    scale = trace.get("colorscale") or shared.get("colorscale") or [[0, "#440154"], [0.5, "#21918c"], [1, "#fde725"]]
    finite = values[np.isfinite(values)]
    low = trace.get("zmin", shared.get("cmin"))
    high = trace.get("zmax", shared.get("cmax"))
    low = float(finite.min(initial=np.inf)) if low is None else low
    high = float(finite.max(initial=-np.inf)) if high is None else high
    places = [float(place) for place, _ in scale]
    colors = np.array([color_of(color) for _, color in scale], float)
    share = np.clip((values - low) / ((high - low) or 1.0), 0, 1) if finite.size else values
    pixels = np.stack([np.interp(share, places, column) for column in colors.T], axis=-1)
    pixels[~np.isfinite(values)] = 0
    _paste(canvas, Image.fromarray(pixels.round().astype(np.uint8)), trace, across, down)
    if trace.get("texttemplate"):
        _write_in_cells(canvas, trace, pixels, across, down)


def _write_in_cells(canvas: Canvas, trace: Mapping[str, Any], pixels: Any, across: Axis, down: Axis) -> None:
    """The texts of a heatmap, black or white by the luminance of the cell."""
    rows, columns = pixels.shape[:2]
    left, right = across.scaled(_cells(trace, "x", columns, across)).tolist()
    top, bottom = down.scaled(_cells(trace, "y", rows, down)).tolist()
    light = (pixels[..., :3] / 255) ** 2.2 @ [0.2126, 0.7152, 0.0722] > 0.18
    for row, texts in enumerate(trace["text"]):
        for column, text in enumerate(texts):
            place = left + (column + 0.5) * (right - left) / columns, top + (row + 0.5) * (bottom - top) / rows
            color = "#000000" if light[row, column] or not pixels[row, column, 3] else "#ffffff"
            canvas.write(place, str(text), (0.5, 0.5), color)


def _bar(canvas: Canvas, trace: Mapping[str, Any], across: Axis, down: Axis) -> None:
    is_flat = trace.get("orientation") == "h"
    along, length = (down, across) if is_flat else (across, down)
    places = _along(trace, along.name[0], along).astype(float)
    values = np.nan_to_num(_along(trace, length.name[0], length).astype(float))
    base = np.broadcast_to(numbers(trace.get("base", 0)).astype(float), values.shape)
    gap = np.diff(np.unique(places)).min(initial=1 if places.size < 2 else np.inf)
    width = trace.get("width")
    widths = np.broadcast_to(gap * (1 - canvas.layout.get("bargap", 0.2)) if width is None else width, values.shape)
    number, count = trace.get("beside", (0, 1))
    places = places + ((number + 0.5) / count - 0.5) * widths
    widths = widths * ((1 - canvas.layout.get("bargroupgap", 0)) / count if count > 1 else 1)
    marker = trace.get("marker") or {}
    texts, opacity = trace.get("text"), marker.get("opacity", 1) * trace.get("opacity", 1)
    for index in range(values.size):
        low, high = along.scaled([places[index] - widths[index] / 2, places[index] + widths[index] / 2]).tolist()
        start, stop = length.scaled([base[index], base[index] + values[index]]).tolist()
        box = (start, low, stop, high) if is_flat else (low, start, high, stop)
        box = (min(box[::2]), min(box[1::2]), max(box[::2]), max(box[1::2]))
        canvas.box(box, color_of(_each(marker.get("color", GREY), index, GREY), opacity))
        if texts is not None and (text := str(_each(texts, index, ""))):
            place = (box[2] + 4, (box[1] + box[3]) / 2) if is_flat else ((box[0] + box[2]) / 2, box[1])
            canvas.write(place, text, (0, 0.5) if is_flat else (0.5, 1))


def _each(value: Any, index: int, otherwise: Any) -> Any:
    """What an attribute is for one point; it is one for all of them, or a list."""
    if isinstance(value, str | int | float):
        return value
    found = value[index]
    return found if isinstance(found, type(otherwise)) else otherwise if isinstance(otherwise, str) else float(found)


def _scatter(canvas: Canvas, trace: Mapping[str, Any], across: Axis, down: Axis) -> None:
    x, y = across.scaled(_along(trace, "x", across)), down.scaled(_along(trace, "y", down))
    mode = trace.get("mode", "lines")
    line, marker = trace.get("line") or {}, trace.get("marker") or {}
    color = line.get("color") or (marker["color"] if isinstance(marker.get("color"), str) else GREY)
    finite = np.isfinite(x + y)
    gaps = np.flatnonzero(~finite)
    for start, stop in zip([0, *(gaps + 1)], [*gaps, x.size], strict=True):
        points = _stepped(x[start:stop], y[start:stop], line.get("shape"))
        if (fill := trace.get("fill", "none")) != "none" and len(points) > 1:
            zero = float(down.scaled(0.0))
            ends = [] if fill == "toself" else [(points[-1][0], zero), (points[0][0], zero)]
            canvas.area([*points, *ends], trace.get("fillcolor") or f"rgba{(*color_of(color)[:3], 0.4)}")
        if "lines" in mode and line.get("width", 2) > 0 and len(points) > 1:
            canvas.line(points, color, line.get("width", 2))
    for index in np.flatnonzero(finite).tolist() if "markers" in mode or "text" in mode else ():
        if "markers" in mode:
            half = float(_each(marker.get("size", 6), index, 6.0)) / 2
            box = (x[index] - half, y[index] - half, x[index] + half, y[index] + half)
            dot = color_of(_each(marker.get("color", color), index, color), marker.get("opacity", 1))
            is_round = "circle" in str(_each(marker.get("symbol", "circle"), index, "circle"))
            canvas.box(box, dot, is_round=is_round)
        if "text" in mode:
            where = str(trace.get("textposition", "middle center"))
            align = (0.0 if "right" in where else 1.0 if "left" in where else 0.5,
                     1.0 if "top" in where else 0.0 if "bottom" in where else 0.5)  # fmt: skip
            color = str(_each((trace.get("textfont") or {}).get("color", INK), index, INK))
            canvas.write((x[index], y[index]), str(_each(trace.get("text", ""), index, "")), align, color)


def _stepped(x: Any, y: Any, shape: str | None) -> list[tuple[float, float]]:
    """The points of a line, with those between them where it goes in steps."""
    if shape == "hv":
        x, y = np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]
    elif shape == "hvh" and x.size > 1:
        middle = np.repeat((x[1:] + x[:-1]) / 2, 2)
        x, y = np.concatenate([x[:1], middle, x[-1:]]), np.repeat(y, 2)
    return list(zip(x.tolist(), y.tolist(), strict=True))


def draw_table(canvas: Canvas, trace: Mapping[str, Any], box: Box) -> None:
    """The rows of a table that fit, one below the other."""
    heads, columns = trace["header"]["values"], trace["cells"]["values"]
    shares = np.asarray(trace.get("columnwidth") or [1] * len(columns), float)
    edges = box[0] + np.concatenate([[0], np.cumsum(shares) / shares.sum()]) * (box[2] - box[0])
    high = float(trace["cells"].get("height", 24))
    rows = list(zip(*columns, strict=True))[: int((box[3] - box[1]) / high) - 1]
    for place, row in enumerate([heads, *rows]):
        y = box[1] + high * (place + 1)
        canvas.line([(box[0], y), (box[2], y)], GREY if place == 0 else "#e3e6ea", 1)
        for left, right, cell in zip(edges[:-1], edges[1:], row, strict=True):
            canvas.write((left + 4, y - high / 2), fitted(str(cell), _SIZE, right - left - 8), (0, 0.5))


DRAWN = {"image": _image, "heatmap": _heatmap, "bar": _bar, "scatter": _scatter, "scattergl": _scatter}


def is_visible(trace: Mapping[str, Any]) -> bool:
    """Whether a trace is one that can be drawn and seen."""
    return trace["type"] in {*DRAWN, "table"} and trace.get("opacity", 1) > 0 and trace.get("visible", True) is True
