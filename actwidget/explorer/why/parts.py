"""What the figure shows of an answer: the inputs, or the channels of a layer, with what they contribute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.analysis.axes import kind_of
from actwidget.capture.semantics.channel_axis import keeps_steps
from actwidget.explorer.layer_data import LayerData
from actwidget.figures.attribution.content import Part
from actwidget.figures.attribution.figure import detail_of
from actwidget.figures.attribution.reduced import part_of, reduced
from actwidget.figures.overlay import Placement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actwidget.explorer.layer_values import Array
    from actwidget.explorer.why.question import Question
    from actwidget.explorer.why.running import Finding

Parts = tuple[list[Part], Part | None]


def parts_of(data: LayerData, question: Question, finding: Finding, channel: int | None) -> Parts:
    """The parts of the figure, and the detail beside them."""
    attributions, sample = finding.attributions, finding.sample
    if question.how.is_map:
        path = str(attributions.layer)
        return _of_map(
            data if path == data.path else LayerData(data.sources, path, data.sample), attributions.values[sample]
        )
    if question.path:
        return _of_layer(data, question, attributions.values[sample], channel)
    return _of_inputs(data, question, finding)


def _of_inputs(data: LayerData, question: Question, finding: Finding) -> Parts:
    """The values of each input."""
    attributions, sample = finding.attributions, finding.sample
    values = attributions.values if attributions.magnitudes is None else attributions.magnitudes
    batch, pictures = data.sources.session.batch, data.sources.pictures
    given = [] if batch is None else batch.samples
    if question.method == "attention_rollout":
        tokens = _tokens(data, values[sample], np.asarray(given[0][data.sample]))
        return _with_detail([part_of(values[sample], None, "positions", is_signed=False, labels=tokens)], question)
    flat = keras.tree.flatten(values)
    parts = []
    for place, (each, array) in enumerate(zip(flat, given, strict=False)):
        if each is None or array is None:
            continue
        own = np.asarray(array[data.sample])
        tokens = _tokens(data, each[sample], own) if place == 0 or len(given) == 1 else []
        parts.append(part_of(each[sample], own, pictures.name(place), is_signed=question.how.is_signed, labels=tokens))
    return _with_detail(_together(parts), question)


def _with_detail(parts: list[Part], question: Question) -> Parts:
    return parts, detail_of(parts, adds_up=question.how.adds_up)


def _together(parts: list[Part]) -> list[Part]:
    """Numbers and vectors of several inputs as one list of bars."""
    bars = [part for part in parts if part.kind == "bars"]
    if len(bars) < 2:
        return parts
    every = Part(
        "features",
        "bars",
        np.concatenate([part.values for part in bars]),
        labels=[label for part in bars for label in part.labels],
    )
    return [*(part for part in parts if part.kind != "bars"), every]


def _tokens(data: LayerData, values: Array, given: Array) -> Sequence[str]:
    """A text for each value: the tokens or the names of columns that were given, or words that a text layer knows."""
    own = data.sources.annotations.tokens
    if own is not None and len(own[data.sample]) >= values.size and values.ndim == 1:
        return own[data.sample][: values.size]
    batch = data.sources.session.batch
    if batch is not None and len(batch.columns) == values.size and values.ndim == 1:
        return batch.columns
    return _words(data, values.size) if given.dtype.kind in "OSU" else []


def _words(data: LayerData, count: int) -> Sequence[str]:
    """What a layer that divides texts into words made of the sample."""
    graph = data.sources.session.graph
    for path, operation in graph.operations.items():
        if not isinstance(operation, keras.layers.TextVectorization) or path not in graph.nodes:
            continue
        row = data.sources.session.row(path, data.sample)
        if row is not None and row.value.shape == (count,) and row.value.dtype.kind in "iu":
            words = list(operation.get_vocabulary())
            return [words[index] if 0 < index < len(words) else "·" for index in row.value.tolist()]
    return [f"token {number}" for number in range(count)]


def _of_map(layer: LayerData, values: Array) -> Parts:
    """A class activation map over the picture that its layer depends on, or over the tokens of its steps."""
    if values.ndim == 2 and (picture := layer.picture) is not None:
        part = Part(picture.name, "picture", values, pixels=picture.pixels, place=_place(layer, picture.place))
        return [part], Part("by itself", "picture", values)
    if values.ndim == 1:
        part = _of_steps(layer, values)
    else:
        batch = layer.sources.session.batch
        given = None if batch is None else batch.samples[0][layer.sample]
        part = part_of(values, given, layer.path, is_signed=False)
    return [part], detail_of([part], adds_up=True)


def _place(layer: LayerData, picture: int) -> Placement | None:
    """Where a layer's cells lie over a picture."""
    field = layer.receptive_field((0, 0), picture)
    if field is None or field.axes != (1, 2) or field.spacing is None:
        return None
    down, across = field.spacing
    return Placement(down.first, across.first, down.step, across.step)


def _of_steps(layer: LayerData, values: Array) -> Part:
    """One number for each step of a layer: as coloured words where these are known."""
    batch = layer.sources.session.batch
    tokens = layer.tokens
    given = None if batch is None else batch.samples[0][layer.sample]
    is_kept = keeps_steps(layer.sources.session.graph, layer.path)
    if tokens is not None and len(tokens) >= values.size:
        return Part("steps", "text", values, labels=list(tokens)[: values.size])
    if is_kept and given is not None and given.shape == values.shape and given.dtype.kind in "iuOSU":
        return part_of(values, given, "steps", is_signed=True)
    return Part("steps", "signal", values)


def _of_layer(data: LayerData, question: Question, values: Array, channel: int | None) -> Parts:
    """The channels of a layer by what they contribute, and where the selected one, or the first, does so."""
    last: Array = data.sources.values.channels_last(data.path, np.asarray(values, np.float32)[np.newaxis])[0]
    if question.method == "occlusion" and last.ndim > 1:  # a patch covers all channels
        return _of_map(data, last[..., 0])
    by_channel = channel_sums(last, is_signed=question.how.is_signed)
    names = data.class_names
    label = data.channel_label
    shown = int(np.abs(by_channel).argmax()) if channel is None else channel
    part = Part(
        f"{label}s",
        "bars",
        by_channel,
        labels=[
            names[each] if names and len(names) == by_channel.size else f"{label} {each}"
            for each in range(by_channel.size)
        ],
        items=range(by_channel.size),
        marked=channel,
    )
    return [part], _where(data, question, last, shown)


def channel_sums(values: Array, *, is_signed: bool) -> Array:
    """What each channel contributes: the sum over its positions, or where signs mean nothing the norm.

    >>> channel_sums(np.array([[1.0, -2.0], [3.0, -2.0]]), is_signed=True)
    array([ 4., -4.])
    """
    flat = values.reshape(-1, values.shape[-1]) if values.ndim else values.reshape(1, 1)
    summed: Array = flat.sum(axis=0) if is_signed else np.sqrt(np.square(flat).sum(axis=0))
    return summed


def _where(data: LayerData, question: Question, values: Array, channel: int) -> Part | None:
    """Where one channel contributes."""
    name = f"{data.channel_label} {channel}"
    own = values[..., channel] if values.ndim else values
    own = own if question.how.is_signed else np.abs(own)
    kind = kind_of(values.shape, values.dtype)
    if kind == "maps" and own.ndim == 2:
        picture = data.picture
        if picture is None:
            return Part(name, "picture", own)
        return Part(
            f"{name} over {picture.name}", "picture", own, pixels=picture.pixels, place=_place(data, picture.place)
        )
    if own.ndim == 1 and own.size > 1:
        found = _of_steps(data, own)
        return (
            Part(f"{name}, step by step", "signal", own)
            if found.kind != "text"
            else Part(f"{name}, the strongest words", "bars", own, labels=found.labels)
        )
    if own.ndim > 2:
        flat = reduced(np.moveaxis(own, 0, -1), is_signed=question.how.is_signed)
        return Part(f"{name}, over all slices", "picture", flat) if flat.ndim == 2 else None
    return None


def named(parts: Sequence[Part]) -> tuple[list[str], list[Any]]:
    """The names and values that the alt text tells: of words and bars, or of several inputs."""
    (first, *others) = parts
    if others:
        return [part.name for part in parts], [float(part.values.sum()) for part in parts]
    if first.kind in {"bars", "text"}:
        return list(first.labels), list(first.values.tolist())
    return [], []
