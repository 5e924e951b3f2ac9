"""Which layer holds a weight, what the axes of the weight are, and whose channels come of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from actwidget.keras_internals.graph import function_of
from actwidget.keras_internals.layers import child_layers, output_layer_of_attention
from actwidget.keras_internals.tensors import producer


@dataclass(frozen=True)
class Reading:
    """What the axes of a weight are; those that are neither inputs nor outputs are space or time.

    Attributes:
        inputs: The axes of what the weight is multiplied with.
        outputs: The axes of what comes of it.
        own: Whether each input has outputs of its own, as in a depthwise convolution.
        channels: Whether the outputs are channels of what the layer gives, gate after gate where it has gates.
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    own: bool = False
    channels: bool = True


UNKNOWN = Reading((), (), channels=False)
_FILTERS = Reading((-2,), (-1,))
_TRANSPOSED = Reading((-1,), (-2,))
_DEPTHWISE = Reading((-2,), (-1,), own=True)
_HIDDEN = Reading((-2,), (-1,), own=True, channels=False)
_VECTOR = Reading((), (-1,))

_CONVOLUTIONS = (layers.Conv1D, layers.Conv2D, layers.Conv3D)
_NORMALIZATIONS = (
    layers.BatchNormalization,
    layers.GroupNormalization,
    layers.LayerNormalization,
    layers.RMSNormalization,
)
_TRANSPOSED_CONVOLUTIONS = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
_CONVOLUTIONS_IN_TIME = (layers.ConvLSTM1D, layers.ConvLSTM2D, layers.ConvLSTM3D)
_RECURRENT = (layers.SimpleRNN, layers.LSTM, layers.GRU, layers.SimpleRNNCell, layers.LSTMCell, layers.GRUCell)
# By name too: what a class of the user's adds to one of Keras's is not known.
_READINGS: list[tuple[tuple[type, ...], dict[str, Reading]]] = [
    (_CONVOLUTIONS, {"kernel": _FILTERS, "bias": _VECTOR}),
    (_TRANSPOSED_CONVOLUTIONS, {"kernel": _TRANSPOSED, "bias": _VECTOR}),
    ((layers.DepthwiseConv1D, layers.DepthwiseConv2D), {"kernel": _DEPTHWISE, "bias": _VECTOR}),
    (
        (layers.SeparableConv1D, layers.SeparableConv2D),
        {"depthwise_kernel": _HIDDEN, "pointwise_kernel": _FILTERS, "bias": _VECTOR},
    ),
    (_RECURRENT + _CONVOLUTIONS_IN_TIME, {"kernel": _FILTERS, "recurrent_kernel": _FILTERS, "bias": _VECTOR}),
    ((layers.Dense,), {"kernel": _FILTERS, "kernel_scale": _VECTOR, "bias": _VECTOR}),
    (_NORMALIZATIONS, dict.fromkeys(("gamma", "beta", "scale", "moving_mean", "moving_variance"), _VECTOR)),
]


@dataclass(frozen=True)
class Owner:
    """The layer that holds a weight.

    Attributes:
        layer: The innermost one of which it is known how its weights are read, or else the innermost.
        first: Which channel of the outermost layer its first output is; `None` where its outputs are none of those.
    """

    layer: keras.Layer
    first: int | None

    @property
    def width(self) -> int | None:
        """How many channels the layer gives, where it is a number of its own: for each of them there can be gates."""
        return _width(self.layer)

    @property
    def groups(self) -> int:
        """Into how many groups a convolution's channels fall, each of which sees inputs of its own alone."""
        return int(self.layer.groups) if isinstance(self.layer, _CONVOLUTIONS) else 1

    def reading(self, name: str) -> Reading:
        """How a weight is read by the name that Keras gives it."""
        return (_readings(self.layer) or {}).get(name, UNKNOWN)


def owners_of(layer: keras.Layer) -> dict[int, Owner]:
    """The owner of each weight of a layer, by the identity of its variable."""
    found: dict[int, Owner] = {}
    # Along another axis than the last a LayerNormalization scales channels in some layouts alone, and steps in others.
    along = not isinstance(layer, (layers.LayerNormalization, layers.RMSNormalization)) or _is_last_axis(layer)
    _claim(Owner(layer, 0 if along else None), found, set())
    return found


def _claim(owner: Owner, found: dict[int, Owner], seen: set[int]) -> None:
    layer = owner.layer
    if id(layer) in seen:
        return
    seen.add(id(layer))
    if _readings(layer) is None:
        for inner in _inner(owner):
            _claim(inner, found, seen)
    for weight in layer.weights:
        found.setdefault(id(weight), owner)


def _inner(owner: Owner) -> Iterable[Owner]:
    """The layers just inside another, those that give its output first."""
    ends = _ends(owner.layer) if owner.first is not None else []
    for layer, offset in ends:
        yield Owner(layer, (owner.first or 0) + offset if _is_last_axis(layer) else None)
    for layer in child_layers(owner.layer):
        yield Owner(layer, None)


def _ends(layer: keras.Layer) -> list[tuple[keras.Layer, int]]:
    """The inner layers whose outputs are a layer's own, and which of its channels the first of each is."""
    ends: list[Any]
    match layer:
        case layers.Bidirectional():
            apart = _width(layer.forward_layer) if layer.merge_mode == "concat" else 0
            known = layer.merge_mode is not None and apart is not None
            ends = [(layer.forward_layer, 0), (layer.backward_layer, apart)] if known else []
        case layers.TimeDistributed() | layers.SpectralNormalization():
            ends = [(layer.layer, 0)]
        case layers.RNN():
            ends = [(layer.cell, 0)]
        case layers.StackedRNNCells():
            ends = [(layer.cells[-1], 0)]
        case layers.MultiHeadAttention() | layers.GroupQueryAttention():
            ends = [(output_layer_of_attention(layer), 0)] if layer.built else []
        case _:
            outputs = keras.tree.flatten(getattr(function_of(layer), "outputs", []))
            ends = [(producer(outputs[0]), 0)] if len(outputs) == 1 else []
    return [(inner, offset) for inner, offset in ends if isinstance(inner, keras.Layer)]


def _width(layer: keras.Layer) -> int | None:
    for name in ("units", "filters"):
        if isinstance(width := getattr(layer, name, None), int):
            return width
    return None


def _is_last_axis(layer: keras.Layer) -> bool:
    """Whether a layer's channels are on the last axis of its output."""
    axis = layer.axis if isinstance(layer, _NORMALIZATIONS) else -1
    return getattr(layer, "data_format", None) != "channels_first" and axis in (-1, [-1])


def _readings(layer: keras.Layer) -> dict[str, Reading] | None:
    """How the weights of a layer are read, by name; `None` where nothing is known of its class."""
    if isinstance(layer, layers.EinsumDense):
        return _by_equation(layer)
    return next((readings for classes, readings in _READINGS if isinstance(layer, classes)), None)


def _by_equation(layer: Any) -> dict[str, Reading]:
    """`abc,cde->abde`: of the kernel's axes `c` is an input, `d` and `e` are outputs, `e` the layer's channels."""
    given, kernel, result = layer.equation.replace(" ", "").replace("->", ",").split(",")
    inputs = tuple(axis for axis, letter in enumerate(kernel) if letter in given)
    outputs = tuple(axis for axis, letter in enumerate(kernel) if letter not in given)
    whole = layer.bias_axes == result[-1]
    return {
        "kernel": Reading(inputs, outputs, channels=False),
        "bias": _VECTOR if whole else Reading((), (-1,), channels=False),
    }
