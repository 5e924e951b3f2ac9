"""One number for each sample of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.nonfinite import finite_values
from actwidget.figures.parts.bars import bar_marker, nonfinite_bars
from actwidget.figures.parts.layout import base_layout
from actwidget.figures.parts.nonfinite import nonfinite_legend
from actwidget.figures.parts.palette import ACCENT, MUTED
from actwidget.figures.parts.text import NARROW_LIMIT, between, colored, escape, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MOST_BARS = 200
"""More samples are drawn as a line."""
MOST_LABELS = 32
"""Up to so many samples each have a label."""


@ignore_float_errors
def scalar_spec(
    title: str,
    values: NDArray[Any],
    *,
    sample: int | None = None,
    names: Sequence[str] | None = None,
    meaning: str = "activation",
) -> dict[str, Any]:
    """One number for each sample of the batch, as a dict of `data` and `layout`: bars, or a line for very many.

    Each point's `customdata` is `["sample", index]`.

    Args:
        title: The layer's path.
        values: The numbers, shape `(samples,)` or `(samples, 1)`.
        sample: The sample that is marked.
        names: What the samples are called.
        meaning: What the numbers are.

    Returns:
        A dict of `data` and `layout`.
    """
    line = np.asarray(values).reshape(-1).astype(np.float32)
    finite, extremes = finite_values(line)
    parts = [escape(title, NARROW_LIMIT), f"{line.size:,} sample{'s' * (line.size != 1)}"]
    if extremes is not None:
        parts.append(between(*extremes))
    if finite.size < line.size:
        parts.append(nonfinite_legend(f"{line.size - finite.size:,} NaN or infinite"))
    if sample is not None:
        parts.append(colored(f"sample {sample}: {number(float(line[sample]))}", ACCENT))
    traces, x_axis, y_axis = sample_bars(line, sample, names)
    y_axis |= {"title": {"text": escape(meaning, 40), "standoff": 4}}
    margin = {"l": 56, "r": 16, "t": 30, "b": 56 if names is not None else 36}
    return {
        "data": traces,
        "layout": base_layout(" · ".join(parts), margin=margin, xaxis=x_axis, yaxis=y_axis, bargap=0.1),
    }


def sample_bars(
    values: NDArray[Any], sample: int | None, names: Sequence[str] | None = None
) -> tuple[list[dict[str, Any]], dict[str, Any], dict[str, Any]]:
    """One number for each sample: the traces, the axis of the samples and that of the numbers.

    Args:
        values: The numbers, shape `(samples,)`.
        sample: The sample that is marked.
        names: What the samples are called.
    """
    line = values.astype(np.float32)
    is_line = line.size > MOST_BARS
    shown = (
        [escape(str(name), 24) for name in names] if names is not None else [f"sample {i}" for i in range(line.size)]
    )
    trace: dict[str, Any] = {
        "x": np.arange(line.size, dtype=np.int32),
        "y": line,
        "customdata": [["sample", index] for index in range(line.size)],
        "hovertext": [f"<b>{name}</b><br>{value:.5g}" for name, value in zip(shown, line.tolist(), strict=True)],
        "hoverinfo": "text",
    }
    if is_line:
        trace |= {"type": "scatter", "mode": "lines", "line": {"color": MUTED, "width": 1}}
    else:
        marker = bar_marker([index == sample for index in range(line.size)])
        trace |= {"type": "bar", "marker": {**marker, "line": {"width": 0}}}
        if not np.isfinite(line).all():
            trace |= {**nonfinite_bars(line, marker), "hovertext": trace["hovertext"]}
    traces = [trace]
    if is_line and sample is not None:
        dot = {"type": "scatter", "mode": "markers", "x": [sample], "y": line[sample : sample + 1]}
        traces.append({**dot, "marker": {"color": ACCENT, "size": 9}, "hoverinfo": "skip"})
    x_axis: dict[str, Any] = {"title": {"text": "sample", "standoff": 4}, "showgrid": False, "zeroline": False}
    x_axis |= {"fixedrange": True, "range": [-0.6, max(line.size, 1) - 0.4]}
    if line.size <= MOST_LABELS:
        ticks = shown if names is not None else [str(index) for index in range(line.size)]
        x_axis |= {"tickmode": "array", "tickvals": list(range(line.size)), "ticktext": ticks}
    return traces, x_axis, {"fixedrange": True}
