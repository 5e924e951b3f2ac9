"""The model's answer: the most probable classes, and all of them by their probability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.figures.answers.content import Answer, by_value
from actwidget.figures.parts.bars import bar_lengths, nonfinite_marker
from actwidget.figures.parts.layout import NUMBER_LABELS, base_layout, caption, of_panel_height
from actwidget.figures.parts.nonfinite import precise
from actwidget.figures.parts.palette import ACCENT, MUTED
from actwidget.figures.parts.text import NARROW_LIMIT, colored, distinct_names, escape
from actwidget.figures.scalar import sample_bars

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOP = 10
"""How many classes are shown by name."""
FEWEST_SLOTS = 5
"""The bars of fewer classes are no thicker than those of so many."""
NAME_LIMIT, NARROW_NAME_LIMIT = 24, 16
"""How many characters of a name stand beside its bar."""
FLOOR = 1e-6
"""On a logarithmic axis a smaller probability is drawn as this one."""
MANY = 50
"""Of more classes the places are on a logarithmic axis, too, so that the first ones have room."""
# The x domains of the bars and of the distribution on a wide page, and their y domains on a narrow one.
WIDE, NARROW = ((0.0, 0.6), (0.67, 1.0)), ((0.42, 1.0), (0.0, 0.26))
BELOW_TITLE = 0.93
"""The upper end of the distribution on a wide page: its caption stands below the title, which may be long."""
SAMPLES = ((0.66, 1.0), (0.0, 0.5))
"""The y domains of two classes, and of the samples below them."""
PERCENTS = {"tickmode": "array", "tickvals": [0, 0.5, 1], "ticktext": ["0 %", "50 %", "100 %"]}
RIGHT = 72
"""The margin for the labels of the right axis, in pixels."""


@ignore_float_errors
def ranked_spec(answer: Answer) -> dict[str, Any]:
    """Classes by their probability or score, as a dict of `data` and `layout`.

    The largest are bars with their names and values. If there are more than these, all of them are beside, as a line
    over their places. The `customdata` of a bar, and of a point of the line, is `[unit]`.

    Args:
        answer: A distribution over classes, labels or scores, or the probability of the second of two classes.
    """
    values = answer.units
    order = by_value(values)
    data, axes, narrow, left = _bars(answer, values, _top(order, answer))
    annotations = []
    if values.size > TOP:
        traces, more = _distribution(answer, values, order)
        data, axes = data + traces, axes | more
        axes["xaxis"]["domain"], axes["xaxis2"]["domain"] = WIDE
        axes["yaxis2"]["domain"] = (0, BELOW_TITLE)
        annotations = [caption(_caption(answer, values, order), WIDE[1][0], BELOW_TITLE)]
        narrow |= {"xaxis.domain": (0, 1), "xaxis2.domain": (0, 1), "annotations[0].x": 0}
        narrow |= {"yaxis.domain": NARROW[0], "yaxis2.domain": NARROW[1], "annotations[0].y": NARROW[1][1]}
    elif answer.every is not None:
        traces, more = _samples(answer)
        data, axes = data + traces, axes | more
        axes["yaxis"]["domain"] = SAMPLES[0]
        annotations = [caption(f"{escape(answer.names[1], 28)}, every sample", 0, SAMPLES[1][1])]
    layout = base_layout(
        " · ".join(_title(answer, values.size)),
        margin={"l": left, "r": RIGHT if values.size > TOP else 24, "t": 34, "b": 40, "autoexpand": False},
        annotations=annotations,
        bargap=0.25,
        meta={"narrow": narrow},
        **axes,
    )
    return {"data": data, "layout": of_panel_height(layout)}


def _title(answer: Answer, count: int) -> list[str]:
    parts = [escape(answer.title, NARROW_LIMIT)]
    match answer.kind:
        case "two classes":
            parts.append("two classes")
        case "classes":
            parts.append(f"{count:,} classes" if count <= TOP else f"the {TOP} most probable of {count:,} classes")
        case "labels":
            parts += [f"{count:,} labels", "independent, need not add up to 100 %"]
        case _ if answer.is_logits:
            parts.append(f"logits of {count:,} classes, no softmax")
        case _:
            parts.append(f"{count:,} values, no softmax (logits, if they stand for classes)")
    if answer.true is not None:
        parts.append("✓ the true class")
    if answer.chosen is not None:
        name = answer.names[answer.chosen]
        parts.append(colored(f"{escape(name, 32)}: {answer.in_words(float(answer.units[answer.chosen]))}", ACCENT))
    return parts if answer.sample is None else [*parts, f"sample {answer.sample}"]


def _top(order: NDArray[np.intp], answer: Answer) -> list[int]:
    """The units that are shown as bars; the last of them give way to the true class and to the chosen unit."""
    top = order[:TOP].tolist()
    wanted = [unit for unit in dict.fromkeys((answer.true, answer.chosen)) if unit is not None and unit not in top]
    rest = sorted(wanted, key=order.tolist().index)
    return [*top[: TOP - len(rest)], *rest]


def _bars(
    answer: Answer, values: NDArray[np.float64], units: list[int]
) -> tuple[list[dict[str, Any]], dict[str, Any], dict[str, Any], int]:
    """The bars of some units: their traces and axes, what changes on a narrow page, and the margin for their names."""
    shown = values[units]
    lengths = bar_lengths(shown)
    texts = [answer.in_words(value) for value in shown.tolist()]
    chosen = answer.chosen
    colors = [ACCENT if unit == chosen else MUTED for unit in units]
    details = [f"{value:.4%}" if answer.is_share and np.isfinite(value) else precise(value) for value in shown.tolist()]
    bar = {
        "type": "bar",
        "orientation": "h",
        "x": lengths.tolist(),
        "y": list(range(len(units))),
        # The outline shows where a bar of length zero is.
        "marker": nonfinite_marker({"color": colors, "line": {"width": 1, "color": colors}}, np.isfinite(shown)),
        "customdata": [[0 if answer.kind == "two classes" else unit] for unit in units],
        "hovertext": [
            f"<b>{escape(answer.names[unit], 60)}</b><br>{detail}" for unit, detail in zip(units, details, strict=True)
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    # Plotly itself would write to the left of a bar below zero, over the names.
    written = {
        "type": "scatter",
        "mode": "text",
        "x": np.maximum(lengths, 0).tolist(),
        "y": list(range(len(units))),
        "text": [f"\u00a0{text}" for text in texts],
        "textposition": "middle right",
        "textfont": {"size": 12},
        "hoverinfo": "skip",
        "cliponaxis": False,
    }
    marked = ["✓ " if unit == answer.true else "" for unit in units]

    def labels(limit: int) -> list[str]:
        short = distinct_names([answer.names[unit] for unit in units], limit)
        words = [mark + name for mark, name in zip(marked, short, strict=True)]
        return [colored(word, ACCENT) if unit == chosen else word for word, unit in zip(words, units, strict=True)]

    def room(limit: int) -> int:
        return 16 + round(
            max(_pixels(mark + answer.names[unit][:limit]) for mark, unit in zip(marked, units, strict=True))
        )

    slots = max(len(units), FEWEST_SLOTS if answer.every is None else 2)
    axes: dict[str, Any] = {
        "xaxis": {**_value_axis(answer, lengths), "fixedrange": True},
        "yaxis": {
            "range": [slots - 0.4, -0.6],
            "tickmode": "array",
            "tickvals": list(range(len(units))),
            "ticktext": labels(NAME_LIMIT),
            "tickfont": {"size": 12},
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
    }
    narrow = {"yaxis.ticktext": labels(NARROW_NAME_LIMIT), "margin.l": room(NARROW_NAME_LIMIT)}
    return [bar, written], axes, narrow, room(NAME_LIMIT)


def _value_axis(answer: Answer, lengths: NDArray[np.float64]) -> dict[str, Any]:
    """The axis of the bars, with room for the values that are written behind them."""
    low, high = min(float(lengths.min(initial=0)), 0.0), max(float(lengths.max(initial=0)), 0.0)
    if answer.is_share:
        # Probabilities count up to 100 %, unless all of them are small.
        high = next((each for each in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if each >= high), 1.0)
        ticks = [high * part for part in (0, 0.25, 0.5, 0.75, 1)]
        texts = [f"{100 * tick:.4g} %" for tick in ticks]
        return {
            "range": [0, 1.22 * high],
            "tickmode": "array",
            "tickvals": ticks[::2],
            "ticktext": texts[::2],
            "zeroline": False,
            **NUMBER_LABELS,
        }
    room = max(0.25 * (high - low), 0.25 * high) or 1.0
    title = "logit" if answer.is_logits else "value"
    return {"range": [low, high + room], "title": {"text": title, "standoff": 4}, "nticks": 6, **NUMBER_LABELS}


def _distribution(
    answer: Answer, values: NDArray[np.float64], order: NDArray[np.intp]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """All units by their values: the traces and the axes."""
    is_log, count = answer.kind == "classes", values.size
    heights = np.maximum(values[order], FLOOR) if is_log else values[order]
    places = np.arange(1, count + 1)
    names = [escape(answer.names[unit], 40) for unit in order.tolist()]
    details = [answer.in_words(value) for value in values[order].tolist()]
    axes = {"xaxis": "x2", "yaxis": "y2"}
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": places.astype(np.int32),
        "y": heights.astype(np.float32),
        "line": {"color": MUTED, "width": 2},
        "customdata": [[unit] for unit in order.tolist()],
        "hovertext": [
            f"<b>{name}</b><br>{detail}<br>number {place:,} of {count:,}"
            for name, detail, place in zip(names, details, places.tolist(), strict=True)
        ],
        "hoverinfo": "text",
        **axes,
    }
    traces: list[dict[str, Any]] = [line]
    for unit, color, symbol in ((answer.true, MUTED, "diamond"), (answer.chosen, ACCENT, "circle")):
        if unit is not None:
            at = int(np.flatnonzero(order == unit)[0])
            dot = {"type": "scatter", "mode": "markers", "x": [at + 1], "y": [float(heights[at])], "hoverinfo": "skip"}
            marker = {"color": color, "symbol": symbol, "size": 9}
            traces.append({**dot, "marker": marker, "cliponaxis": False, **axes})
    noun = {"classes": "class", "labels": "label"}.get(answer.kind, "class" if answer.is_logits else "value")
    label = {"text": f"rank of the {noun}", "standoff": 4}
    x_axis: dict[str, Any] = {"title": label, "fixedrange": True, "anchor": "y2"}
    y_axis: dict[str, Any] = {"side": "right", "fixedrange": True, "anchor": "x2", **NUMBER_LABELS}
    if count > MANY:
        ends = [10**power for power in range(6) if 10**power < count * 0.3]
        x_axis |= {"type": "log", "range": [0, float(np.log10(count))]}
        x_axis |= {
            "tickmode": "array",
            "tickvals": [*ends, count],
            "ticktext": [f"{each:,}" for each in [*ends, count]],
        }
    else:
        x_axis |= {"range": [0.5, count + 0.5], "nticks": 5}
    x_axis |= NUMBER_LABELS
    if is_log:
        lowest = max(float(heights.min()), FLOOR) if np.isfinite(heights).all() else FLOOR
        powers = range(0, int(np.floor(np.log10(lowest))) - 1, -1)
        y_axis |= {"type": "log", "range": [1.08 * min(powers) - 0.1, 0.1], "tickmode": "array"}
        ticks = [10.0**power for power in powers][:: 2 if len(powers) > 5 else 1]
        y_axis |= {"tickvals": ticks, "ticktext": [f"{100 * tick:.4g} %".replace("1e-0", "1e-") for tick in ticks]}
    elif answer.is_share:
        y_axis |= {"range": [-0.02, 1.04], **PERCENTS}
    else:
        y_axis |= {"nticks": 6}
    return traces, {"xaxis2": x_axis, "yaxis2": y_axis}


def _samples(answer: Answer) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The probability of the second of two classes for each sample: the traces and the axes."""
    every = np.asarray(answer.every).reshape(-1)
    traces, x_axis, y_axis = sample_bars(every, answer.sample)
    for trace in traces:
        if "hovertext" in trace:
            texts = [answer.in_words(value) for value in every.tolist()]
            trace["hovertext"] = [f"<b>sample {index}</b><br>{text}" for index, text in enumerate(texts)]
    y_axis |= {"range": [0, 1], **PERCENTS, "domain": SAMPLES[1], "anchor": "x2"}
    axes = {"xaxis": "x2", "yaxis": "y2"}
    return [{**trace, **axes} for trace in traces], {"xaxis2": {**x_axis, "anchor": "y2"}, "yaxis2": y_axis}


def _caption(answer: Answer, values: NDArray[np.float64], order: NDArray[np.intp]) -> str:
    """What the distribution tells, above it."""
    count = f"all {values.size:,}"
    if answer.kind != "classes":
        return f"{count}, by {'probability' if answer.is_share else 'value'}"
    most = int(np.searchsorted(np.cumsum(values[order]), 0.99)) + 1
    return f"{count}: {min(most, values.size):,} make up 99 %"


def _pixels(text: str) -> float:
    """About how wide a text is at 12 pixels; a letter of Chinese or Japanese is twice as wide as a Latin one."""
    return sum(12.5 if ord(letter) > 0x2E80 else 6.9 for letter in text)
