"""The explorer's lines of text as HTML; everything that a model names is escaped."""

from __future__ import annotations

import html
from math import isfinite
from typing import TYPE_CHECKING

from actwidget.analysis.diagnostics import constant_nonzero, has_enough_values, many_constant, many_saturated
from actwidget.errors import short
from actwidget.figures.parts.text import between, number, percent

if TYPE_CHECKING:
    from actwidget.analysis.meaning import Meaning
    from actwidget.analysis.statistics import Statistics
    from actwidget.capture.structure.node import LayerNode

ORIGINS = {
    "functional": "functional sub-model",
    "composed": "composed sub-model",
    "tapped": "tapped while the model runs",
    "opaque": "not available",
}


def escape(text: str, limit: int = 120) -> str:
    """Text from a model, on one line of bounded length, as HTML shows it literally."""
    return html.escape(short(text, limit))


def shape_text(shape: tuple[int | None, ...] | None) -> str:
    """An output shape without its batch axis: `112 × 112 × 96`."""
    if shape is None:
        return ""
    return " × ".join("?" if axis is None else str(axis) for axis in shape[1:]) or "scalar"


def header(name: str, layers: int, parameters: int) -> str:
    """The model's name and size."""
    return (
        f'<span class="actw-model">{escape(name)}</span>'
        f'<span class="actw-muted">{layers:,} layers · {parameters:,} parameters</span>'
    )


def prediction(label: str, probability: float, thumbnail: str | None) -> str:
    """What the model says about the sample."""
    picture = f'<img class="actw-thumbnail" alt="the input" src="{html.escape(thumbnail)}">' if thumbnail else ""
    if not label:
        return picture
    width = max(0.0, min(1.0, probability)) * 100
    return (
        f'{picture}<span class="actw-prediction">{escape(label)}</span>'
        f'<span class="actw-bar"><span style="width:{width:.1f}%"></span></span>'
        f'<span class="actw-muted">{percent(probability)}</span>'
    )


def title(node: LayerNode) -> str:
    """The selected layer's name, and chips with its class, shape, size and how its value was had."""
    chips = [
        node.class_name,
        shape_text(node.output_shape),
        f"{node.parameters:,} parameters" if node.parameters else "",
        ORIGINS[node.origin],
    ]
    spans = "".join(f'<span class="actw-chip">{escape(chip)}</span>' for chip in chips if chip)
    whole = escape(node.path, 400)
    return f'<span class="actw-path" title="{whole}">{escape(node.path)}</span>{spans}'


def numbers(statistics: Statistics, noun: str, meaning: Meaning = "activations") -> str:
    """The layer's numbers as a list of terms, what warns marked and in words.

    Args:
        statistics: The numbers.
        noun: What a channel is called.
        meaning: What the values stand for: of flags it is told how many are true, of names which there are.
    """
    terms = _terms(statistics, noun, meaning)
    items = "".join(
        f"<div><dt>{term}</dt><dd{' class=actw-warning' if warns else ''}>{escape(text)}</dd></div>"
        for term, text, warns in terms
    )
    return f'<dl class="actw-numbers">{items}</dl>'


def _terms(statistics: Statistics, noun: str, meaning: Meaning) -> list[tuple[str, str, bool]]:
    """The terms, what they say, and whether that is a warning."""
    mean, broken = statistics.mean, statistics.nan + statistics.infinite
    missing = f"{statistics.nan:,} NaN, {statistics.infinite:,} infinite" if broken else "none"
    zeros = ("zeros", percent(statistics.zeros), False)
    if meaning == "flags":
        return [("true", percent(1 - statistics.zeros), False)]
    if meaning == "names":
        return [("range", f"{statistics.minimum:.0f} to {statistics.maximum:.0f}", False), zeros]
    terms = [
        ("range", between(statistics.minimum, statistics.maximum), False),
        ("mean ± sd", f"{number(mean)} ± {number(statistics.standard_deviation)}" if isfinite(mean) else "none", False),
        zeros,
    ]
    measured, dead, constant = meaning == "activations", statistics.dead, constant_nonzero(statistics)
    if measured:
        told = f"{dead:,} of {statistics.channels:,}" if dead else "none"
        terms.append((f"dead {noun}s", told, dead > 0 and has_enough_values(statistics)))
    else:
        constant = statistics.constant  # what is always 0 among them
    if constant and (measured or has_enough_values(statistics)):
        told = f"{constant:,} of {statistics.channels:,}"
        terms.append((f"constant {noun}s", told, measured and many_constant(statistics)))
    if statistics.saturated is not None and statistics.bound is not None:
        # At zero a sigmoid is saturated; a ReLU is not, it rests.
        counted = [bound for bound in statistics.bound if bound or statistics.bound == (0, 1)]
        ends = " or ".join(f"{bound:g}" for bound in counted if bound is not None)
        warns = measured and many_saturated(statistics)
        terms.append((f"saturated at {ends}", percent(statistics.saturated), warns))
    return [*terms, ("NaN or infinite", missing, broken > 0)]


def live(role: str, text: str) -> str:
    """A line that a screen reader speaks when it changes; `role` is `status` or `alert`."""
    return f'<div role="{role}" class="actw-{role}">{escape(text, 2000)}</div>'
