"""A layer's weights: kernels as pictures, vectors as bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from actwidget.analysis.kernels import kernel_pictures, unknown_pictures
from actwidget.capture.access.session import WEIGHTS
from actwidget.explorer.drawing import Drawing
from actwidget.explorer.navigation import Grid
from actwidget.explorer.registry import View, register
from actwidget.figures.weights import MOST, DrawnWeight, draw_weight, drawn_weights_spec, weight_words

if TYPE_CHECKING:
    from actwidget.capture.semantics.weights import Weight
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.layer_values import Array
    from actwidget.explorer.selection import Selection

_Made = dict[str, tuple[int | None, DrawnWeight | str]]
"""For each weight the input channel that its drawing shows, and the drawing, or words where it is not drawn."""


@register
class Weights(View):
    """What a layer multiplies its inputs with, and adds to them."""

    name = "weights"
    label = "Weights"
    question = "What has this layer learned?"
    place = 30
    controls = ("channel", "input_channel")

    def available(self, data: LayerData) -> str | None:
        """Of every layer with weights, also where its values can't be had."""
        return None if data.weights else "This layer has no weights."

    def draw(self, data: LayerData, selection: Selection) -> Drawing:
        """Each weight, with what belongs to the chosen channel marked."""
        weights = data.weights
        # The heads of attention scores are not the channels that the layer's weights belong to.
        belong = data.is_read_as_computed and data.channel_label != "head"
        made = _made(data, selection.input_channel)
        marks = {name: weight.entries_of(selection.channel if belong else None) for name, weight in weights.items()}
        drawn = {name: each for name, (_, each) in made.items() if isinstance(each, DrawnWeight)}
        words = {name: each if isinstance(each, str) else each.words for name, (_, each) in made.items()}
        alt = "; ".join(
            f"{name}: {weight.values.shape}, {f'{weight.note}, ' if weight.note else ''}{words[name]}"
            for name, weight in weights.items()
        )
        figure = drawn_weights_spec(data.path, drawn, marks, more=len(weights) - len(drawn))
        own = [weight.channels for weight in weights.values() if weight.channels is not None]
        grid = Grid(np.flatnonzero(np.bincount(np.concatenate(own)))) if own and belong else None
        return Drawing.of(figure, f"{data.path}, weights: {alt}", grid=grid)


def _made(data: LayerData, input_channel: int | None) -> _Made:
    """The weights drawn: each once, and again only where another of its input channels is to be shown."""
    chosen, weights = data.kernel[0], data.weights
    known: _Made = data.remembered(WEIGHTS) or {}
    made = dict(known)
    for place, (name, weight) in enumerate(weights.items()):
        shown = input_channel if name == chosen else None
        if name not in made or made[name][0] != shown:
            made[name] = shown, _drawn(name, weight, shown) if place < MOST else weight_words(weight.values)
    if made != known:
        nbytes = sum(len(each) if isinstance(each, str) else each.nbytes for _, each in made.values())
        data.keep(WEIGHTS, made, nbytes)
    return made


def _drawn(name: str, weight: Weight, input_channel: int | None) -> DrawnWeight:
    picture, words = _as_pictures(weight, input_channel)
    return draw_weight(name, weight.values, picture, ", ".join(text for text in (weight.note, words) if text))


def _as_pictures(weight: Weight, input_channel: int | None) -> tuple[Array | None, str]:
    """What is drawn of a weight of three and more axes, and what is said of that."""
    kernel = weight.kernel
    if kernel is None:
        shown = unknown_pictures(weight.values)
    elif kernel.ndim == 2 < weight.values.ndim:
        return kernel, f"as a matrix of {kernel.shape[0]} × {kernel.shape[1]}"
    else:
        shown = kernel_pictures(kernel, input_channel=input_channel, depthwise=weight.depthwise, groups=weight.groups)
    return (None, "") if shown is None else (shown.values, shown.words)
