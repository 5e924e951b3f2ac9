"""A histogram as Plotly draws it fastest: one outline for all bins, and invisible cells for hover."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from plotly.colors import hex_to_rgb

from actwidget.figures.parts.palette import ACCENT, MUTED
from actwidget.figures.parts.tiles import invisible_heatmap

if TYPE_CHECKING:
    from numpy.typing import NDArray

AREA = f"rgba{(*hex_to_rgb(MUTED), 0.6)}"


def histogram_traces(
    edges: NDArray[Any], heights: NDArray[Any], hover: str, part: NDArray[Any] | None = None, **axes: str
) -> tuple[list[dict[str, Any]], list[float]]:
    """The traces of a histogram, and the range of its vertical axis.

    Args:
        edges: Those of the bins, evenly spaced, shape `(bins + 1,)`.
        heights: Shape `(bins,)`.
        hover: A hover template; `%{x}` is the centre of a bin, `%{z}` its height, `%{customdata[0]}` that of the part.
        part: The heights of a part of the values, drawn as a line over the others, shape `(bins,)`; `None` for no line.
        **axes: `xaxis` and `yaxis`.
    """
    top = 1.05 * float(max(heights.max(initial=0), 0 if part is None else part.max(initial=0))) or 1.0
    left, width = float(edges[0]), float(edges[1] - edges[0])

    def outline(values: NDArray[Any], **line: Any) -> dict[str, Any]:
        trace = {"type": "scatter", "mode": "lines", "x0": left, "dx": width, "hoverinfo": "skip", **axes}
        return {**trace, "y": np.append(values, values[-1:]).astype(np.float32), "line": {"shape": "hv", **line}}

    area = {**outline(heights, width=0), "fill": "tozeroy", "fillcolor": AREA}
    cells = invisible_heatmap(heights[np.newaxis], f"{hover}<extra></extra>", x0=left + width / 2, dx=width, **axes)
    cells["y"] = [0, top]  # with one row Plotly needs the edges to know its height
    cells["meta"] = "bins"  # a click on a bin selects no channel
    if part is None:
        return [area, cells], [0, top]
    cells["customdata"] = part[np.newaxis, :, np.newaxis].astype(np.float32)
    return [area, outline(part, color=ACCENT, width=2), cells], [0, top]
