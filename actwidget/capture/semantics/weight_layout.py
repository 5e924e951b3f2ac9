"""Which layer holds a weight, what the axes of the weight are, and which channels come of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from actwidget.capture.semantics.table.lookup import inherited_semantics
from actwidget.capture.semantics.table.semantics import WeightAxes
from actwidget.keras_internals.graph import function_of
from actwidget.keras_internals.layers import child_layers, output_layer_of_attention
from actwidget.keras_internals.tensors import producer

UNKNOWN_AXES = WeightAxes((), (), channels=False)


@dataclass(frozen=True)
class WeightHolder:
    """The layer that holds a weight.

    Attributes:
        layer: The innermost one of which it is known what its weights are, or else the innermost.
        first_channel: Which channel of the outermost layer its first output is; `None` where it is none of those.
    """

    layer: keras.Layer
    first_channel: int | None

    @property
    def width(self) -> int | None:
        """How many channels the layer gives, where it is a number of its own: for each of them there can be gates."""
        return _width(self.layer)

    @property
    def groups(self) -> int:
        """Into how many groups a convolution's channels fall, each of which sees inputs of its own alone."""
        layout = inherited_semantics(self.layer).weights
        return int(self.layer.groups) if layout is not None and layout.has_groups else 1

    @property
    def gates(self) -> tuple[str, ...]:
        """The gates of a recurrent layer, in the order in which they divide the last axis of its weights."""
        layout = inherited_semantics(self.layer).weights
        return () if layout is None else layout.gates

    def axes_of(self, name: str) -> WeightAxes:
        """What the axes of a weight are, by the name that Keras gives it."""
        layout = inherited_semantics(self.layer).weights
        if layout is None:
            return UNKNOWN_AXES
        axes = layout.axes(self.layer) if callable(layout.axes) else layout.axes
        # By name: what a class of the user's adds to one of Keras's is not known.
        return axes.get(name, UNKNOWN_AXES)


def weight_holders(layer: keras.Layer) -> dict[int, WeightHolder]:
    """The holder of each weight of a layer, by the identity of its variable."""
    found: dict[int, WeightHolder] = {}
    # Along another axis than the last a LayerNormalization scales channels in some layouts alone, and steps in others.
    are_channels = inherited_semantics(layer).axis != "normalized" or _has_channels_last(layer)
    _assign(WeightHolder(layer, 0 if are_channels else None), found, set())
    return found


def _assign(holder: WeightHolder, found: dict[int, WeightHolder], seen: set[int]) -> None:
    layer = holder.layer
    if id(layer) in seen:
        return
    seen.add(id(layer))
    if inherited_semantics(layer).weights is None:
        for inner in _inner(holder):
            _assign(inner, found, seen)
    for weight in layer.weights:
        found.setdefault(id(weight), holder)


def _inner(holder: WeightHolder) -> Iterable[WeightHolder]:
    """The layers just inside another, those that give its output first."""
    first = holder.first_channel
    for layer, offset in [] if first is None else _output_layers(holder.layer):
        yield WeightHolder(layer, (first or 0) + offset if _has_channels_last(layer) else None)
    for layer in child_layers(holder.layer):
        yield WeightHolder(layer, None)


def _output_layers(layer: keras.Layer) -> list[tuple[keras.Layer, int]]:
    """The inner layers whose outputs are a layer's own, and which of its channels the first of each is."""
    found: list[Any]
    match layer:
        case layers.Bidirectional():
            width = _width(layer.forward_layer) if layer.merge_mode == "concat" else 0
            known = layer.merge_mode is not None and width is not None
            found = [(layer.forward_layer, 0), (layer.backward_layer, width)] if known else []
        case layers.TimeDistributed() | layers.SpectralNormalization():
            found = [(layer.layer, 0)]
        case layers.RNN():
            found = [(layer.cell, 0)]
        case layers.StackedRNNCells():
            found = [(layer.cells[-1], 0)]
        case layers.MultiHeadAttention() | layers.GroupQueryAttention():
            found = [(output_layer_of_attention(layer), 0)] if layer.built else []
        case _:
            outputs = keras.tree.flatten(getattr(function_of(layer), "outputs", []))
            found = [(producer(outputs[0]), 0)] if len(outputs) == 1 else []
    return [(inner, offset) for inner, offset in found if isinstance(inner, keras.Layer)]


def _width(layer: keras.Layer) -> int | None:
    for name in ("units", "filters"):
        if isinstance(width := getattr(layer, name, None), int):
            return width
    return None


def _has_channels_last(layer: keras.Layer) -> bool:
    """Whether a layer's channels are on the last axis of its output."""
    axis = -1 if inherited_semantics(layer).axis is None else layer.axis
    return getattr(layer, "data_format", None) != "channels_first" and axis in (-1, [-1])
