"""The picture that excites a channel most, beside the sample, the channel's map of it, and the climb step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from actwidget.analysis.pixels.pooling import magnitude_pooled
from actwidget.figures.parts.heatmap import color_axis, reduction_factor
from actwidget.figures.parts.input_image import input_picture
from actwidget.figures.parts.layout import HEIGHT, NARROW_HEIGHT, NUMBER_LABELS, base_layout, caption
from actwidget.figures.parts.palette import ACCENT, MUTED, ColorRange
from actwidget.figures.parts.text import NARROW_LIMIT, escape, number

if TYPE_CHECKING:
    from numpy.typing import NDArray

Domain = tuple[float, float]
LARGE: tuple[Domain, Domain] = ((0.0, 0.6), (0.0, 1.0))
SAMPLE: tuple[Domain, Domain] = ((0.66, 0.82), (0.58, 0.94))
MAP: tuple[Domain, Domain] = ((0.84, 1.0), (0.58, 0.94))
CURVE: tuple[Domain, Domain] = ((0.7, 1.0), (0.08, 0.44))
NARROW_LARGE: tuple[Domain, Domain] = ((0.0, 1.0), (0.46, 1.0))
NARROW_SAMPLE: tuple[Domain, Domain] = ((0.0, 0.22), (0.06, 0.36))
NARROW_MAP: tuple[Domain, Domain] = ((0.25, 0.47), (0.06, 0.36))
NARROW_CURVE: tuple[Domain, Domain] = ((0.62, 1.0), (0.08, 0.36))
MAP_LIMIT = 64


@dataclass(frozen=True, eq=False)
class IdealInput:
    """What the figure of an ideal input shows.

    Attributes:
        title: The layer's path.
        name: The channel in words: "channel 17".
        image: The picture, shape `(height, width, 1 or 3)`.
        limits: The values of black and white.
        history: The mean of the channel after each step so far, shape `(steps,)`.
        steps: How many steps there will be.
        sample: The input on screen, shape `(height, width, 1 or 3)`; `None` for none.
        sample_name: What it is called.
        values: The channel's map of the sample, shape `(rows, columns)`; `None` where it gives no maps.
        mean: The mean of the channel on the sample; `None` where it is not known.
    """

    title: str
    name: str
    image: NDArray[Any]
    limits: tuple[float, float]
    history: NDArray[Any]
    steps: int
    sample: NDArray[Any] | None = None
    sample_name: str = "the input"
    values: NDArray[Any] | None = None
    mean: float | None = None


def ideal_input_figure(content: IdealInput) -> go.Figure:
    """The figure of an ideal input as Plotly's own object."""
    return go.Figure(ideal_input_spec(content))


def ideal_input_spec(content: IdealInput) -> dict[str, Any]:
    """The figure of an ideal input, as a dict of `data` and `layout`.

    Args:
        content: What it shows.

    Returns:
        On the left the picture; on the right the sample with the channel's map of it, and the curve of the steps.
    """
    made, done = content.history, len(content.history)
    parts = [escape(content.title, NARROW_LIMIT), f"{content.name}: ideal input"]
    if done:
        parts.append(f"mean {number(float(made[-1]))}")
    if done < content.steps:
        parts.append(f"step {done} of {content.steps}")
    low, high = content.limits
    shares = (np.asarray(content.image, np.float32) - low) / (high - low)
    bytes_of = np.rint(np.clip(shares, 0, 1) * 255).astype(np.uint8)
    traces = [*_picture(bytes_of, "x", "y")]
    annotations, narrow_places = [], []

    def named(text: str, wide: tuple[Domain, Domain], narrow: tuple[Domain, Domain]) -> None:
        annotations.append(caption(text, wide[0][0], wide[1][1]))
        narrow_places.append((narrow[0][0], narrow[1][1]))

    if content.sample is not None:
        traces += _picture(content.sample, "x2", "y2")
        named(escape(content.sample_name, 24), SAMPLE, NARROW_SAMPLE)
    color = None
    if content.values is not None and content.values.size:
        heatmap, color = _map(np.asarray(content.values, np.float32))
        traces.append(heatmap)
        named(f"{content.name} of it", MAP, NARROW_MAP)
    traces += _curve(content)
    named("mean by step", CURVE, NARROW_CURVE)
    layout = _layout(" · ".join(parts), content, annotations, narrow_places)
    if color is not None:
        layout["coloraxis"] = color_axis(color)
    return {"data": traces, "layout": layout}


def _picture(pixels: NDArray[Any], xaxis: str, yaxis: str) -> list[dict[str, Any]]:
    found = input_picture(pixels)
    if found is None:
        return []
    uri, (height, width) = found
    dx, dy = pixels.shape[1] / width, pixels.shape[0] / height  # the picture that is sent can be smaller
    place = {"dx": dx, "dy": dy, "x0": (dx - 1) / 2, "y0": (dy - 1) / 2, "xaxis": xaxis, "yaxis": yaxis}
    return [{"type": "image", "source": uri, "hoverinfo": "skip", **place}]


def _map(values: NDArray[np.float32]) -> tuple[dict[str, Any], ColorRange]:
    factor = reduction_factor(values.shape, MAP_LIMIT)
    shown = magnitude_pooled(values, (factor, factor)) if factor > 1 else values
    trace = {"type": "heatmap", "z": shown, "coloraxis": "coloraxis", "xaxis": "x3", "yaxis": "y3"}
    return {**trace, "hovertemplate": "%{z:.5g}<extra></extra>"}, ColorRange.over(values)


def _curve(content: IdealInput) -> list[dict[str, Any]]:
    """The steps so far, and a dashed line at what the sample gives."""
    axes = {"type": "scatter", "xaxis": "x4", "yaxis": "y4"}
    steps = np.arange(1, len(content.history) + 1)
    line = {**axes, "mode": "lines" if len(steps) > 1 else "markers", "x": steps, "y": np.asarray(content.history)}
    hover = "after step %{x}: %{y:.5g}<extra></extra>"
    traces = [{**line, "line": {"color": ACCENT, "width": 2}, "hovertemplate": hover}]
    if content.mean is not None and np.isfinite(content.mean):
        level: dict[str, Any] = {"x": [1, content.steps], "y": [content.mean] * 2, "mode": "lines"}
        look = {"color": MUTED, "width": 1, "dash": "dash"}
        hover = f"on {escape(content.sample_name, 24)}: {number(content.mean)}<extra></extra>"
        traces.append({**axes, **level, "line": look, "hovertemplate": hover})
    return traces


def _layout(
    title: str, content: IdealInput, annotations: list[dict[str, Any]], narrow_places: list[tuple[float, float]]
) -> dict[str, Any]:
    narrow: dict[str, Any] = {"height": NARROW_HEIGHT}
    for axis, (across, down) in (
        ("", NARROW_LARGE),
        ("2", NARROW_SAMPLE),
        ("3", NARROW_MAP),
        ("4", NARROW_CURVE),
    ):
        narrow |= {f"xaxis{axis}.domain": across, f"yaxis{axis}.domain": down}
    for index, (x, y) in enumerate(narrow_places):
        narrow |= {f"annotations[{index}].x": x, f"annotations[{index}].y": y}
    axes: dict[str, Any] = {}
    sizes = {"": content.image.shape[:2]}
    if content.sample is not None:
        sizes["2"] = content.sample.shape[:2]
    for axis, (across, down) in (("", LARGE), ("2", SAMPLE), ("3", MAP)):
        hidden = {"visible": False, "constrain": "domain", "fixedrange": True}
        axes[f"xaxis{axis}"] = {**hidden, "domain": across, "anchor": f"y{axis}", "constraintoward": "left"}
        axes[f"yaxis{axis}"] = {**hidden, "domain": down, "anchor": f"x{axis}", "constraintoward": "top"}
        axes[f"yaxis{axis}"] |= {"scaleanchor": f"x{axis}", "autorange": "reversed"}
        if axis in sizes:
            height, width = sizes[axis]
            axes[f"xaxis{axis}"]["range"] = [-0.5, width - 0.5]
            axes[f"yaxis{axis}"] |= {"range": [height - 0.5, -0.5]}
            del axes[f"yaxis{axis}"]["autorange"]
    axes["xaxis4"] = {"domain": CURVE[0], "anchor": "y4", "range": [0.5, content.steps + 0.5], "fixedrange": True}
    axes["xaxis4"] |= {"title": {"text": "step", "standoff": 4, "font": {"size": 11}}, **NUMBER_LABELS}
    axes["yaxis4"] = {"domain": CURVE[1], "anchor": "x4", "fixedrange": True, "nticks": 5, **NUMBER_LABELS}
    margin = {"l": 8, "r": 16, "t": 30, "b": 30, "autoexpand": False}
    layout = base_layout(title, margin=margin, annotations=annotations, meta={"narrow": narrow}, **axes)
    # Every view is as high as the others.
    layout["height"], layout["meta"]["narrow"]["height"] = HEIGHT, NARROW_HEIGHT
    return layout
