"""Convolutions of all kinds: a window of the layer's input, times a kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from actwidget.capture.run.conversion import Array
from actwidget.capture.semantics.table.rules import sliding
from actwidget.explain.computation.rules.activation import activated
from actwidget.explain.computation.rules.indices import grid, is_channels_first, joined_index, spatial, split_index
from actwidget.explain.computation.site import Site, Sum, weight_values


@dataclass(frozen=True)
class Geometry:
    """How a kernel moves over feature maps; the attributes are those of Keras's convolutions."""

    kernel_size: Sequence[int]
    strides: Sequence[int]
    dilation_rate: Sequence[int]
    padding: str
    data_format: str


def window(layer: Any, lengths: Sequence[int], position: Sequence[int]) -> list[list[tuple[int, int]]]:
    """For each axis the taps of a kernel that lie on the input, each with the place that it lies on.

    Args:
        layer: A convolution or a pooling.
        lengths: Of the spatial axes of its input.
        position: Of its output.
    """
    found = []
    for each, at in zip(sliding(layer, lengths), position, strict=True):
        first = at * each.stride - each.before
        taps = [(tap, first + tap * each.dilation) for tap in range(each.size)]
        found.append([(tap, place) for tap, place in taps if 0 <= place < each.length])
    return found


def window_terms(layer: Any, shape: Sequence[int], sample: int, position: Sequence[int]) -> tuple[Array, Array]:
    """The indices of the values in a window, of all channels, and the taps, shape `(taps, axes)`.

    The channels of one tap stand together.
    """
    first = is_channels_first(layer)
    taps, places = _split(window(layer, spatial(shape, first=first), position))
    channels = np.arange(shape[1 if first else -1])
    count = len(channels)
    rows, columns = np.repeat(places, count, axis=0), np.tile(channels, len(places))
    return joined_index(sample, rows, columns, first=first), taps


def _split(axes: list[list[tuple[int, int]]]) -> tuple[Array, Array]:
    """All combinations of taps and places along the axes, each of shape `(taps, axes)`."""
    taps = grid(*([tap for tap, _ in axis] for axis in axes))
    places = grid(*([place for _, place in axis] for axis in axes))
    return taps, places


def convolution(site: Site) -> Sum:
    """`Conv1D` to `Conv3D`: a window of the group's channels, times the filter."""
    return _with_activation(site, _convolution_sum)


def depthwise(site: Site) -> Sum:
    """`DepthwiseConv1D` and `2D`: a window of one channel."""
    return _with_activation(site, _depthwise_sum)


def transposed(site: Site) -> Sum:
    """`Conv1DTranspose` to `Conv3DTranspose`: each place of the input lays the kernel on the output."""
    return _with_activation(site, _transposed_sum)


def separable(site: Site) -> Sum:
    """`SeparableConv1D` and `2D`: each tap's weight is that of the depthwise kernel in all its channels, mixed."""
    return _with_activation(site, _separable_sum)


def _with_activation(site: Site, summed: Any) -> Sum:
    found = summed(site, site.index)

    def line() -> Array:
        places = range(site.output.shape[-1])
        return np.array([summed(site, (*site.index[:-1], last)).total for last in places])

    return activated(found, site.operation.activation, site, line)


def _taps(site: Site, position: Sequence[int]) -> tuple[Array, Array]:
    """The taps that lie on the input, and the places they lie on, each of shape `(taps, axes)`."""
    lengths = spatial(site.input.shape, first=is_channels_first(site.operation))
    return _split(window(site.operation, lengths, position))


def _bias(site: Site, channel: int) -> float | None:
    layer = site.operation
    return None if layer.bias is None else float(weight_values(layer.bias[channel], site.dtype))


def _sum(site: Site, places: Array, weights: Array, channels: Array, channel: int) -> Sum:
    """Terms for each place and channel: weights have the shape `(places, channels)`."""
    count = len(channels)
    indices = joined_index(
        site.index[0],
        np.repeat(places, count, axis=0),
        np.tile(channels, len(places)),
        first=is_channels_first(site.operation),
    )
    return Sum([site.input.products(indices, weights.reshape(-1))], _bias(site, channel))


def _convolution_sum(site: Site, index: tuple[int, ...]) -> Sum:
    layer = site.operation
    _, position, channel = split_index(index, first=is_channels_first(layer))
    taps, places = _taps(site, position)
    kernel = weight_values(keras.ops.convert_to_tensor(layer.kernel)[..., channel], site.dtype)
    weights = kernel[tuple(taps.T)]
    inside = kernel.shape[-1]
    first = channel // (layer.filters // layer.groups) * inside
    return _sum(site, places, weights, np.arange(first, first + inside), channel)


def _depthwise_sum(site: Site, index: tuple[int, ...]) -> Sum:
    layer = site.operation
    _, position, channel = split_index(index, first=is_channels_first(layer))
    taps, places = _taps(site, position)
    source, copy = divmod(channel, layer.depth_multiplier)
    kernel = weight_values(keras.ops.convert_to_tensor(layer.kernel)[..., source, copy], site.dtype)
    return _sum(site, places, kernel[tuple(taps.T)], np.array([source]), channel)


def _separable_sum(site: Site, index: tuple[int, ...]) -> Sum:
    layer = site.operation
    _, position, channel = split_index(index, first=is_channels_first(layer))
    taps, places = _taps(site, position)
    kernel = weight_values(layer.depthwise_kernel, site.dtype)
    mixing = weight_values(keras.ops.convert_to_tensor(layer.pointwise_kernel)[..., channel], site.dtype)
    weights = (kernel[tuple(taps.T)] * mixing.reshape(kernel.shape[-2:])).sum(axis=-1)
    return _sum(site, places, weights, np.arange(kernel.shape[-2]), channel)


def _transposed_sum(site: Site, index: tuple[int, ...]) -> Sum:
    layer = site.operation
    first = is_channels_first(layer)
    _, position, channel = split_index(index, first=first)
    given = spatial(site.input.shape, first=first)
    made = spatial(site.output.shape, first=first)
    axes = []
    for axis, at in enumerate(position):
        size, stride, dilation = layer.kernel_size[axis], layer.strides[axis], layer.dilation_rate[axis]
        covered = (given[axis] - 1) * stride + (size - 1) * dilation + 1
        before = max(covered - made[axis], 0) // 2 if layer.padding == "same" else 0
        found = []
        for tap in range(size):
            place, rest = divmod(at + before - tap * dilation, stride)
            if not rest and 0 <= place < given[axis]:
                found.append((tap, place))
        axes.append(found)
    taps, places = _split(axes)
    kernel = weight_values(keras.ops.convert_to_tensor(layer.kernel)[..., channel, :], site.dtype)
    weights = kernel[tuple(taps.T)]
    return _sum(site, places, weights, np.arange(kernel.shape[-1]), channel)
