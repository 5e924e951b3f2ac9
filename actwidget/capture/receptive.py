"""Which part of the input a position of a feature map depends on, read off the model's graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras

from actwidget.capture.level import function_of, graph_nodes

if TYPE_CHECKING:
    from actwidget.capture.graph import ModelGraph

Span = tuple[int, int]
"""The first index and the one after the last, as for a slice."""
Spans = tuple[Span, ...]
"""One for each spatial axis."""


class _UnknownReachError(Exception):
    """An operation about which it is not known what it looks at."""


@dataclass(frozen=True)
class Window:
    """How a convolution or a pooling moves along an axis.

    Attributes:
        length: Of the axis that it moves along.
        size: Of the kernel or the pool.
        stride: From one position to the next.
        dilation: Distance between two taps of the kernel.
        before: How many zeros are put before the first value; below zero so many values are cut off.
    """

    length: int
    size: int
    stride: int = 1
    dilation: int = 1
    before: int = 0

    @classmethod
    def same(cls, length: int, size: int, stride: int = 1, dilation: int = 1) -> Window:
        """The window of `padding="same"`: the zeros are halved, the odd one goes behind.

        >>> Window.same(112, 3, 2).before, Window.same(112, 3, 1).before, Window.same(7, 5, 1, 2).before
        (0, 1, 4)
        """
        positions = -(-length // stride)
        missing = max((positions - 1) * stride + (size - 1) * dilation + 1 - length, 0)
        return cls(length, size, stride, dilation, missing // 2)

    @classmethod
    def causal(cls, length: int, size: int, stride: int = 1, dilation: int = 1) -> Window:
        """The window of `padding="causal"`, which sees nothing of what comes later."""
        return cls(length, size, stride, dilation, (size - 1) * dilation)

    def seen(self, span: Span) -> Span:
        """What of the axis the positions of a span can depend on; an empty span where that is padding alone.

        It spans all taps, where dilation leaves gaps.

        >>> Window.same(8, 3).seen((0, 2)), Window(8, 2, 2).seen((1, 2))
        ((0, 3), (2, 4))
        """
        start, stop = span
        if start >= stop:
            return (0, 0)
        first = start * self.stride - self.before
        last = (stop - 1) * self.stride - self.before + (self.size - 1) * self.dilation
        start, stop = max(first, 0), min(last + 1, self.length)
        return (start, stop) if start < stop else (0, 0)


def receptive_field(graph: ModelGraph, path: str, position: Sequence[int]) -> Spans | None:
    """The part of the model's first input that one position of a layer depends on.

    Batch statistics are taken as fixed, as they are outside of training. It is the smallest box around all that can
    have an influence by the layers' shapes; the weights are not looked at.

    Args:
        graph: The model's graph.
        path: A layer of the model's own graph, or inside models nested in it.
        position: One index for each spatial axis: a row and a column of a feature map, a step of a sequence.

    Returns:
        For each spatial axis of the input a span, `(start, stop)`; `None` where it can't be computed: the graph is not
        known, or something on the way moves values in a way that is not known here.
    """
    place = graph.places.get(path)
    if place is None or graph.edits or not keras.tree.flatten(graph.inputs):
        return None
    spans: Spans = tuple((int(index), int(index) + 1) for index in position)
    first = keras.tree.flatten(graph.inputs)[0]
    try:
        wanted = {id(place.tensor): spans}
        function, outer = place.function, place.outer
        while True:
            given = _back(function, wanted)
            if outer is None:
                return given.get(id(first))
            # What a nested model is given stands in the graph around it.
            wanted = {}
            _merge(wanted, _given(function, given, outer.node))
            function, outer = outer.function, outer.outer
    except _UnknownReachError:
        return None


def _given(function: Any, needed: Mapping[int, Spans], node: Any) -> list[tuple[Any, Spans]]:
    """What a call of a nested model needs of the tensors it is given, from what is needed of the model's own inputs."""
    inner, outer = keras.tree.flatten(function.inputs), node.input_tensors
    if len(inner) != len(outer):
        raise _UnknownReachError
    return [(tensor, needed[id(own)]) for own, tensor in zip(inner, outer, strict=True) if id(own) in needed]


def _merge(needed: dict[int, Spans], pairs: Iterable[tuple[Any, Spans]]) -> None:
    """Notes what is needed of each tensor, by its `id`: of one that is needed for several things, all of it."""
    for tensor, spans in pairs:
        known = needed.get(id(tensor))
        needed[id(tensor)] = spans if known is None else tuple(map(_joined, known, spans))


def _back(function: Any, wanted: Mapping[int, Spans]) -> dict[int, Spans]:
    """From what is wanted of some tensors of a graph to what is needed of its inputs, each by the tensor's `id`."""
    needed = dict(wanted)
    for node in reversed(graph_nodes(function)):
        spans = [needed[id(tensor)] for tensor in node.outputs if id(tensor) in needed]
        if node.is_input or not spans:
            continue
        if len(node.outputs) > 1:
            raise _UnknownReachError
        _merge(needed, _needs(node, spans[0]))
    return {id(tensor): needed[id(tensor)] for tensor in function.inputs if id(tensor) in needed}


def _joined(one: Span, other: Span) -> Span:
    if one[0] >= one[1] or other[0] >= other[1]:
        return max(one, other, key=lambda span: span[1] - span[0])
    return min(one[0], other[0]), max(one[1], other[1])


def _needs(node: Any, spans: Spans) -> list[tuple[Any, Spans]]:
    """What one call needs of each tensor that it is given."""
    operation, inputs = node.operation, node.input_tensors
    if (inner := function_of(operation)) is not None:
        return _given(inner, _back(inner, {id(inner.outputs[0]): spans}), node)
    name = type(operation).__name__
    # A class of the user's can bear the name of one of Keras's.
    if not type(operation).__module__.startswith("keras.src."):
        raise _UnknownReachError
    if name in _WHOLE or (name in _BY_SHAPE and len(inputs[0].shape) == 2):
        return [(tensor, _all(tensor)) for tensor in inputs]
    if name in _POINTWISE and _on_channels(operation, node.outputs[0]):
        return [(tensor, _broadcast(tensor, node.outputs[0], spans, operation)) for tensor in inputs]
    windows = _windows(operation, inputs[0])
    if windows is None or len(windows) != len(spans):
        raise _UnknownReachError
    return [(inputs[0], tuple(window.seen(span) for window, span in zip(windows, spans, strict=True)))]


# fmt: off
_POINTWISE_LAYERS = {
    "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "BatchNormalization", "LayerNormalization",
    "Rescaling", "Normalization", "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
    "GaussianNoise", "GaussianDropout", "AlphaDropout", "Add", "Subtract", "Multiply", "Average", "Maximum",
    "Minimum", "Concatenate", "Identity", "ActivityRegularization", "Dense",
}
_POINTWISE_OPERATIONS = {
    "Divide", "TrueDivide", "Negative", "Absolute", "Square", "Sqrt", "Exp", "Log", "Power", "Clip", "Cast",
    "Relu", "Relu6", "Sigmoid", "HardSigmoid", "Silu", "HardSilu", "Gelu", "Elu", "Selu", "Tanh", "Softplus",
    "LeakyRelu",
}
# fmt: on
_POINTWISE = _POINTWISE_LAYERS | _POINTWISE_OPERATIONS
_WHOLE = {"Flatten", *(f"Global{kind}Pooling{rank}D" for kind in ("Average", "Max") for rank in (1, 2, 3))}
_BY_SHAPE = {"Reshape"}


def _channel_axis(operation: Any, rank: int) -> int:
    first = getattr(operation, "data_format", "channels_last") == "channels_first"
    return 1 if first else rank - 1


def _spatial(tensor: Any, channel_axis: int) -> list[int | None]:
    return [length for axis, length in enumerate(tensor.shape) if axis not in {0, channel_axis}]


def _on_channels(operation: Any, tensor: Any) -> bool:
    """Whether what mixes values along an axis does so along that of the channels alone."""
    axis = getattr(operation, "axis", None)
    if type(operation).__name__ not in {"Softmax", "LayerNormalization", "Concatenate"}:
        return True
    rank = len(tensor.shape)
    axes = [axis] if isinstance(axis, int) else list(axis or [])
    return all(each % rank == rank - 1 for each in axes)


def _all(tensor: Any) -> Spans:
    lengths = tensor.shape[1:-1] if len(tensor.shape) > 2 else ()
    if any(length is None for length in lengths):
        raise _UnknownReachError
    return tuple((0, length) for length in lengths)


def _broadcast(tensor: Any, output: Any, spans: Spans, operation: Any) -> Spans:
    """The same positions; of an axis of length 1 that is stretched over the output's, its only one."""
    rank = len(tensor.shape)
    if rank == 2:
        return ()
    if rank != len(output.shape):
        raise _UnknownReachError
    axis = _channel_axis(operation, rank)
    lengths = zip(_spatial(tensor, axis), _spatial(output, axis), spans, strict=True)
    return tuple((0, 1) if own == 1 and whole != 1 else span for own, whole, span in lengths)


def _windows(operation: Any, tensor: Any) -> list[Window] | None:
    """How a layer moves along each spatial axis of what it is given; `None` where that is not known."""
    known = _spatial(tensor, _channel_axis(operation, len(tensor.shape)))
    lengths = [length for length in known if length is not None]
    if len(lengths) < len(known):
        return None
    name = type(operation).__name__
    axes = range(len(lengths))
    if name.startswith("ZeroPadding"):
        return [Window(lengths[axis], 1, before=_pair(operation.padding, axis)) for axis in axes]
    if name.startswith("Cropping"):
        return [Window(lengths[axis], 1, before=-_pair(operation.cropping, axis)) for axis in axes]
    sizes = getattr(operation, "kernel_size", None) or getattr(operation, "pool_size", None)
    moves = not name.endswith("Transpose") and name.rstrip("123D").endswith(("Conv", "Pooling"))
    if not moves or sizes is None:
        return None
    strides, dilations = _each(operation.strides or sizes, axes), _each(getattr(operation, "dilation_rate", 1), axes)
    make = {"same": Window.same, "causal": Window.causal, "valid": Window}[operation.padding]
    return [make(lengths[axis], _each(sizes, axes)[axis], strides[axis], dilations[axis]) for axis in axes]


def _each(value: Any, axes: range) -> list[int]:
    return list(value) if isinstance(value, (list, tuple)) else [value for _ in axes]


def _pair(value: Any, axis: int) -> int:
    """Of a padding or cropping what stands before an axis."""
    pair = value[axis] if isinstance(value[0], (list, tuple)) else value
    return int(pair[0])
