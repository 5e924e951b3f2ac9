"""One weight of a layer at a time: all kernels, one of them close up, and how the values are distributed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np

from actwidget.analysis.kernels.arrange import ArrangedWeight, arranged
from actwidget.capture.access.session import WEIGHTS
from actwidget.capture.semantics.colours import is_given_colours
from actwidget.explorer.controls import Choice
from actwidget.explorer.description.inspection import Inspection
from actwidget.explorer.description.kernel import kernel_inspection, largest
from actwidget.explorer.drawing import Drawing
from actwidget.explorer.navigation import Grid
from actwidget.explorer.registry import View, register
from actwidget.figures.parts.text import between
from actwidget.figures.weights.content import DrawnWeight, KernelCloseup, WeightContent
from actwidget.figures.weights.draw import draw_weight
from actwidget.figures.weights.figure import weights_spec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from actwidget.capture.semantics.weights import Weight
    from actwidget.explorer.controls import Control
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.selection import Selection

WEIGHT = Choice("weight", "weight", "which weight of the layer is shown", {})
MOST_VECTORS = 4
"""How many of the layer's vectors the inspector has a value of."""


@register
class Weights(View):
    """What a layer multiplies its inputs with, and adds to them."""

    name = "weights"
    label = "Weights"
    question = "What has this layer learned?"
    place = 30
    controls = (WEIGHT, "channel", "input_channel")

    def available(self, data: LayerData) -> str | None:
        """Of every layer with weights, also where its values can't be had."""
        return None if data.weights else "This layer has no weights."

    def fitted(self, control: Control, data: LayerData, _selection: Selection) -> Control | None:
        """The layer's weights by name, where it has several."""
        names = list(data.weights)
        if len(names) < 2 or not isinstance(control, Choice):
            return None
        return replace(control, choices=dict(zip(names, _labels(names), strict=True)))

    def draw(self, data: LayerData, selection: Selection) -> Drawing:
        """One weight, with what belongs to the selected channel marked and close up."""
        wanted = selection.option(WEIGHT)
        name = wanted if wanted in data.weights else next(iter(data.weights))
        weight = data.weights[name]
        arrangement = _arranged(data, name, weight, selection.input_channel)
        drawn = _drawn(data, name, weight, arrangement)
        # The heads of attention scores are not the channels that the layer's weights belong to.
        belong = data.is_read_as_computed and data.channel_label != "head"
        known = weight.channels if belong else None
        channels = np.full(drawn.entries, -1, np.int64) if known is None else np.asarray(known, np.int64)
        marks = weight.entries_of(selection.channel) if belong else []
        content = WeightContent(
            title=data.path,
            drawn=drawn,
            closeup=None,
            marks=tuple(marks),
            channels=channels,
            entry_label="kernel" if arrangement.has_maps else _label(data, channels),
            input_label="id" if name == "embeddings" else "input" if weight.kernel is not None else "row",
            gates=weight.gates,
        )
        content = replace(content, closeup=_closeup(content, arrangement))
        figure = weights_spec(content)
        inspection = _inspection(data, content)
        return Drawing.of(figure, _alt(data), grid=_grid(data, content, belong=belong), inspection=inspection)


def _label(data: LayerData, channels: NDArray[np.int64]) -> str:
    return data.channel_label if (channels >= 0).any() else "column"


def _labels(names: list[str]) -> list[str]:
    """Names without the folders that all of those which have some share."""
    paths = [name.split("/")[:-1] for name in names if "/" in name]
    shared = 0
    while paths and all(len(path) > shared and path[shared] == paths[0][shared] for path in paths):
        shared += 1
    return ["/".join(name.split("/")[shared:]) if "/" in name else name for name in names]


def _arranged(data: LayerData, name: str, weight: Weight, input_channel: int | None) -> ArrangedWeight:
    """How a weight is shown; an input channel is chosen for the first kernel that has several."""
    return arranged(
        weight.values,
        weight.kernel,
        depthwise=weight.depthwise,
        groups=weight.groups,
        input_channel=input_channel if name == data.kernel[0] else None,
        in_colour=is_given_colours(data.sources.session.graph, data.path),
    )


def _drawn(data: LayerData, name: str, weight: Weight, arrangement: ArrangedWeight) -> DrawnWeight:
    """The weight drawn: once, and again only if another of its input channels is to be shown."""
    known: dict[str, tuple[int | None, DrawnWeight]] = data.remembered(WEIGHTS) or {}
    chosen = arrangement.input_channel
    if name in known and known[name][0] == chosen:
        return known[name][1]
    shape = " × ".join(map(str, weight.values.shape)) or "one number"
    words = ", ".join(text for text in (shape, weight.note, arrangement.words) if text)
    made = draw_weight(_labels(list(data.weights))[list(data.weights).index(name)], arrangement.columns,
                       arrangement.pictures, words, arrangement.kind)  # fmt: skip
    known = {**known, name: (chosen, made)}
    data.keep(WEIGHTS, known, sum(each.nbytes for _, each in known.values()))
    return made


def _shown_entries(content: WeightContent) -> tuple[int, ...]:
    """The entries of the close-up: those of the selected channel, or else of the one with the largest norm."""
    if content.marks:
        return content.marks
    return tuple(largest(content.drawn.statistics, content.channels))


def _closeup(content: WeightContent, arrangement: ArrangedWeight) -> KernelCloseup | None:
    if arrangement.kind == "vector" or not content.drawn.entries:
        return None
    entries = _shown_entries(content)
    view = arrangement.view_of(entries)
    label = content.entry_name(entries[0]).partition(",")[0]
    gate = f"{content.gates[0]} gate" if content.gates and arrangement.has_maps else ""
    why = "" if content.marks else "the largest"
    words = ", ".join(text for text in (why, gate, view.words) if text)
    return KernelCloseup(
        view.values, arrangement.values_of(entries), label, words, view.down, view.across, bool(content.marks)
    )


def _inspection(data: LayerData, content: WeightContent) -> Inspection:
    drawn, marks = content.drawn, content.marks
    if drawn.kind == "vector" and not marks:
        return kernel_inspection(f"All of {drawn.name}", drawn.statistics, None, content.channels)
    entries = _shown_entries(content)
    name = content.entry_name(entries[0]).partition(",")[0]
    channel = int(content.channels[entries[0]])
    values = [] if channel < 0 else _in_vectors(data, channel)
    title = name[:1].upper() + name[1:] + ("" if marks else ", the largest")
    return kernel_inspection(title, drawn.statistics, entries, content.channels, values)


def _in_vectors(data: LayerData, channel: int) -> list[tuple[str, NDArray[np.float64]]]:
    """What belongs to a channel in the layer's vectors."""
    found = []
    for name, weight in data.weights.items():
        if weight.values.ndim == 1 and (entries := weight.entries_of(channel)):
            found.append((name, weight.values[entries].astype(np.float64)))
    return found[:MOST_VECTORS]


def _grid(data: LayerData, content: WeightContent, *, belong: bool) -> Grid | None:
    """The channels that keys go through: as the kernels are drawn, or all that any weight of the layer belongs to."""
    own = content.channels[content.channels >= 0]
    if len(own) == len(content.channels) == len(np.unique(own)) and content.drawn.tiles is not None:
        return Grid(own, content.drawn.tiles.columns)
    every = [weight.channels for weight in data.weights.values() if weight.channels is not None]
    return Grid(np.unique(np.concatenate(every))) if every and belong else None


def _alt(data: LayerData) -> str:
    """The alt text: every weight with its shape and, where it has been drawn, its range."""
    known = cast("dict[str, tuple[int | None, DrawnWeight]]", data.remembered(WEIGHTS) or {})
    parts = []
    for name, weight in data.weights.items():
        told = [str(weight.values.shape), weight.note]
        if name in known:
            told.append(between(*known[name][1].statistics.range))
        parts.append(f"{name}: {', '.join(text for text in told if text)}")
    return f"{data.path}, weights: {'; '.join(parts)}"
