"""What of a sample is shown as an example of a channel: a part of a picture, the words around a step, a line."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.categories import text_of
from actwidget.analysis.dtypes import is_numeric
from actwidget.capture.semantics.channel_axis import keeps_steps
from actwidget.capture.semantics.receptive_field import field_of, inputs_behind
from actwidget.errors import ActwidgetError
from actwidget.explorer.samples.items import as_pictures
from actwidget.figures.examples.content import Shown
from actwidget.figures.parts.input_image import picture_pixels
from actwidget.figures.parts.text import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.layer_values import Array
    from actwidget.scanning.counting.found import Example

MOST_VALUES = 64
"""Of a sample without a picture so many values are read."""


def shown_example(data: LayerData, example: Example, *, whole: bool = False) -> tuple[Shown, str]:
    """An example as the figure shows it.

    Args:
        data: The layer.
        example: The sample and the place of its largest value.
        whole: Whether all of a picture is shown, not only what the value depends on.

    Returns:
        The example, and why its sample can't be shown, in words; `""` if it can.
    """
    source = data.sources.scan
    named = Shown(example.sample, example.value, _label(data, example.label), _place(example.position))
    if source is None:
        return named, ""
    if (missing := source.scan.missing_samples) is not None:
        return named, missing
    try:
        rows = source.inputs(example.sample, data.sources.session)
    except ActwidgetError as error:
        return named, str(error)
    return _with_input(data, example, named, rows, whole=whole), ""


def _with_input(data: LayerData, example: Example, named: Shown, rows: Sequence[Any], *, whole: bool) -> Shown:
    """An example with the input that its layer depends on: a picture if there is one, then a text, then numbers."""
    behind = inputs_behind(data.sources.session.graph, data.path)
    able = {place: row for place, row in enumerate(rows) if row is not None and (behind is None or place in behind)}
    for place, row in able.items():
        if (pictures := as_pictures(row[np.newaxis])) is not None:
            return replace(named, pixels=_part(data, example, place, pictures[0], whole=whole))
    for place, row in able.items():
        is_text = not is_numeric(row.dtype) or row.dtype.kind in "iu"
        if is_text and (words := _words(data, row)) is not None:
            return replace(named, words=words, at=_step(data, example, place, len(words)))
    for place, row in able.items():
        if is_numeric(row.dtype) and row.ndim == 2 and len(row) > 1:
            return replace(named, line=row, span=_span(data, example, place, len(row)))
        if row.ndim <= 1 and row.size:
            return replace(named, words=_features(data, row))
    return named


def _label(data: LayerData, label: int | None) -> str:
    """The class of a sample, by its name if it has one."""
    return "" if label is None else data.sources.annotations.class_name(label)


def _place(position: tuple[int, ...]) -> str:
    """The place of a value in words."""
    if len(position) == 2:
        return f"row {position[0]}, column {position[1]}"
    return f"step {position[0]}" if len(position) == 1 else ", ".join(map(str, position))


def _part(data: LayerData, example: Example, place: int, picture: Array, *, whole: bool) -> Array | None:
    """The pixels that the value depends on, where these are known and not all of them; otherwise the whole picture."""
    pixels = picture_pixels(picture)
    if pixels is None or whole or len(example.position) != 2:
        return pixels
    field = field_of(data.sources.session.graph, data.path, example.position, place)
    if field is None or field.axes != (1, 2):
        return pixels
    spans = [(max(start, 0), min(stop, size)) for (start, stop), size in zip(field.spans, pixels.shape, strict=False)]
    if any(stop <= start for start, stop in spans):
        return pixels
    (top, bottom), (left, right) = spans
    return pixels[top:bottom, left:right]


def _words(data: LayerData, row: Array) -> list[str] | None:
    """The words of a text, or of the ids of tokens; `None` where neither is known."""
    if not is_numeric(row.dtype):
        texts = [text_of(each) for each in np.ravel(row)[:MOST_VALUES]]
        return texts[0].split() if len(texts) == 1 else texts
    vocabulary = data.sources.annotations.vocabulary
    if row.ndim != 1:
        return None
    if vocabulary:
        return [vocabulary.get(int(each), str(int(each))) for each in row]
    return [str(int(each)) for each in row]


def _step(data: LayerData, example: Example, place: int, count: int) -> int | None:
    """The step of an input at which a value stands: the middle of what it depends on, or the same step."""
    if len(example.position) != 1:
        return None
    (start, stop) = _span(data, example, place, count) or (0, count)
    if (start, stop) != (0, count):
        return (start + stop - 1) // 2
    graph, step = data.sources.session.graph, example.position[0]
    return step if keeps_steps(graph, data.path) and step < count else None


def _span(data: LayerData, example: Example, place: int, steps: int) -> tuple[int, int] | None:
    """The steps that a value depends on; `None` for all of them, or where that is not known."""
    if len(example.position) != 1:
        return None
    field = field_of(data.sources.session.graph, data.path, example.position, place)
    if field is None or field.axes != (1,):
        return None
    start, stop = max(field.spans[0][0], 0), min(field.spans[0][1], steps)
    return (start, stop) if start < stop and stop - start < steps else None


def _features(data: LayerData, row: Array) -> list[str]:
    """The values of a vector, with the names of the columns where these are known."""
    batch = data.sources.session.batch
    values = np.ravel(row)[:MOST_VALUES]
    texts = [plain(float(each)) if is_numeric(values.dtype) and np.isreal(each) else str(each) for each in values]
    names = [] if batch is None else list(batch.columns)
    if len(names) == row.size:
        texts = [f"{name} {text}" for name, text in zip(names[: len(texts)], texts, strict=True)]
    return [f"{text}," if place + 1 < row.size else text for place, text in enumerate(texts)]
