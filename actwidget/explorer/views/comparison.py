"""A layer beside itself on another sample, or beside the same layer of another model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from actwidget.analysis.difference import difference
from actwidget.errors import short
from actwidget.explorer.answers.kind import kind_of_output
from actwidget.explorer.drawing import Drawing
from actwidget.explorer.navigation import Grid
from actwidget.explorer.registry import View, register
from actwidget.explorer.selection import EDITED, OTHER_MODEL
from actwidget.explorer.what_if.comparison import edited_values
from actwidget.explorer.what_if.description import edits_in_words
from actwidget.figures import ComparisonContent, Side, comparison_order, comparison_spec
from actwidget.figures.answers.content import SHARES

if TYPE_CHECKING:
    from actwidget.explorer.answers.predictions import Predictions
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.layer_values import Array
    from actwidget.explorer.selection import Selection

ALONE = "Nothing to compare with: give two samples, or compare=other_model."


@register
class Comparison(View):
    """Two activations of one layer, and how far each channel of them is apart."""

    name = "comparison"
    label = "Compare"
    question = "What differs between two samples, or two models?"
    place = 40
    controls = ("channel", "slice", "compare")

    def available(self, data: LayerData) -> str | None:
        """Besides the usual reasons, a single sample has nothing beside it."""
        is_alone = data.batch_size == 1 and not data.has_other_model and not data.sources.what_if.current
        return data.missing or (ALONE if is_alone else None)

    def samples(self, selection: Selection, count: int) -> list[int]:
        """The selected sample, and where no model is compared the other one, by default the next."""
        if selection.compare in {OTHER_MODEL, EDITED}:
            return [selection.sample]
        other = (selection.sample + 1) % count if selection.compare is None else int(selection.compare)
        return [selection.sample, other]

    def draw(self, data: LayerData, selection: Selection) -> Drawing:
        """Both sides and their difference, the channels that differ most first."""
        if not data.is_numeric:
            return Drawing.message(data.path, "There is nothing to compare here: these values are no numbers.")
        is_edited = selection.compare is None and data.batch_size == 1 and not data.has_other_model
        if selection.compare == OTHER_MODEL and data.has_other_model:
            sides = _models(data)
        elif (is_edited or selection.compare == EDITED) and selection.edits:
            sides = _edited(data, selection)
        else:
            other = self.samples(selection, data.batch_size)[-1]
            if min(other, data.samples - 1) == data.own_sample:
                words = ALONE if data.samples == 1 else "Choose two different samples, or compare=other_model."
                return Drawing.message(data.path, words)
            sides = _samples(data, other)
        shapes = [side.values.shape for side in sides]
        if shapes[0] != shapes[1]:
            return Drawing.message(data.path, f"The shapes differ: {shapes[0]} and {shapes[1]}.")
        return _drawn(data, selection, sides)


def _models(data: LayerData) -> tuple[Side, Side]:
    """The layer in the model, and in the model to compare with."""
    sources, sample = data.sources, data.sample
    name, other = data.model_name, data.other_model_name
    picture, second = _picture(data), data.of_other_model()
    return (
        Side(name, _values(data.value), _answer(sources.predictions, sample), picture),
        Side(
            f"{other} (other)" if other == name else other,
            _values(data.value if second is None else second),
            _answer(sources.other_predictions, sample),
            picture,
        ),
    )


def _edited(data: LayerData, selection: Selection) -> tuple[Side, Side]:
    """The layer in the model, and in the model with the explorer's edits."""
    picture = _picture(data)
    values, answer = edited_values(data, selection.edits)
    return (
        Side("as it is", _values(data.value), _answer(data.sources.predictions, data.sample), picture),
        Side(f"with {short(edits_in_words(selection.edits), 60)}", _values(values), answer, picture),
    )


def _samples(data: LayerData, other: int) -> tuple[Side, Side]:
    """The layer on the sample, and on another one."""
    sides = [
        Side(
            f"sample {each.sample}", _values(each.value), _answer(data.sources.predictions, each.sample), _picture(each)
        )
        for each in (data, data.of_sample(other))
    ]
    return sides[0], sides[1]


def _values(value: Array) -> Array:
    """The values of a sample; a single number as a vector of one."""
    return value if value.ndim else value.reshape(1)


def _picture(data: LayerData) -> Array | None:
    picture = data.picture
    return None if picture is None else picture.pixels


def _answer(predictions: Predictions | None, sample: int) -> str:
    return "" if predictions is None else predictions.answers(sample).words


def _drawn(data: LayerData, selection: Selection, sides: tuple[Side, Side]) -> Drawing:
    batch = data.sources.session.batch
    graph, annotations = data.sources.session.graph, data.sources.annotations
    kind = kind_of_output(graph, data.path, data.value, annotations, [] if batch is None else batch.samples)
    names = data.class_names
    content = ComparisonContent(
        title=data.path,
        sides=sides,
        difference=difference(sides[0].values, sides[1].values),
        channel_label=data.channel_label,
        channel=selection.channel,
        at=None if selection.slice is None else data.slice_at(selection.slice),
        names=[names[1] if names else "class 1"] if data.is_binary else names,
        is_share=kind in SHARES,
    )
    figure = comparison_spec(content)
    order, columns = comparison_order(content, figure)
    words = _in_words(content)
    return Drawing.of(figure, words, tell=lambda: words, grid=Grid(np.asarray(order), columns))


def _in_words(content: ComparisonContent) -> str:
    """The comparison in a sentence or two."""
    apart = content.difference
    first, second = (f"{side.name}{f' ({side.answer})' if side.answer else ''}" for side in content.sides)
    most = ", ".join(
        f"{_named(content, each)} ({content.in_words(float(apart.mean_absolute[each]))}"
        f"{', not finite on one side' if apart.nonfinite[each] else ''})"
        for each in apart.order[:5].tolist()
    )
    label = f"{content.channel_label}s" if content.names is None else "those"
    by = "difference" if content.sides[0].values.ndim == 1 else "mean difference"
    return f"{content.title}: {first} beside {second}; {label} that differ most, by {by}: {most}"


def _named(content: ComparisonContent, channel: int) -> str:
    return str(channel) if content.names is None else content.names[channel]
