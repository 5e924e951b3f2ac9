"""The cells of the table that depend on how a layer was made, or on the arguments of a call."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from actwidget.capture.semantics.receptive_window import Window
from actwidget.capture.semantics.table.activation_functions import Bounds
from actwidget.capture.semantics.table.semantics import WeightAxes

# Windows: from a layer and the lengths of its input's spatial axes to one window for each of them.


def sliding(layer: Any, lengths: Sequence[int]) -> list[Window]:
    """The windows of a convolution or a pooling."""
    axes = range(len(lengths))
    sizes = getattr(layer, "kernel_size", None) or layer.pool_size
    strides, dilations = _each(layer.strides or sizes, axes), _each(getattr(layer, "dilation_rate", 1), axes)
    make = {"same": Window.same, "causal": Window.causal, "valid": Window}[layer.padding]
    return [make(lengths[axis], _each(sizes, axes)[axis], strides[axis], dilations[axis]) for axis in axes]


def padded(layer: Any, lengths: Sequence[int]) -> list[Window]:
    """The windows of a layer that puts zeros around its input."""
    return [Window(length, 1, before=_before(layer.padding, axis)) for axis, length in enumerate(lengths)]


def cropped(layer: Any, lengths: Sequence[int]) -> list[Window]:
    """The windows of a layer that cuts off the edges of its input."""
    return [Window(length, 1, before=-_before(layer.cropping, axis)) for axis, length in enumerate(lengths)]


def _each(value: Any, axes: range) -> list[int]:
    return list(value) if isinstance(value, (list, tuple)) else [value for _ in axes]


def _before(amounts: Any, axis: int) -> int:
    """Of the amounts of padding or cropping that at the beginning of a spatial axis."""
    pair = amounts[axis] if isinstance(amounts[0], (list, tuple)) else amounts
    return int(pair[0])


# Bounds, and the axes of weights.


def relu_bounds(layer: Any) -> Bounds | None:
    """The bounds of a `ReLU` layer, which has some where it has a `max_value`."""
    low = None if layer.negative_slope else 0.0
    return None if layer.max_value is None else (low, float(layer.max_value))


VECTOR = WeightAxes((), (-1,))


def axes_of_equation(layer: Any) -> dict[str, WeightAxes]:
    """`abc,cde->abde`: of the kernel's axes `c` is an input, `d` and `e` are outputs, `e` the layer's channels."""
    given, kernel, result = layer.equation.replace(" ", "").replace("->", ",").split(",")
    inputs = tuple(axis for axis, letter in enumerate(kernel) if letter in given)
    outputs = tuple(axis for axis, letter in enumerate(kernel) if letter not in given)
    whole = layer.bias_axes == result[-1]
    return {
        "kernel": WeightAxes(inputs, outputs, channels=False),
        "bias": VECTOR if whole else WeightAxes((), (-1,), channels=False),
    }


# The order of steps: from a call, a node of Keras's graph.


def takes_all(node: Any) -> bool:
    """Whether a slice takes all that there is: then it can only turn it around."""
    return bool(node.outputs[0].shape == node.input_tensors[0].shape)


# Samples kept apart: from a layer, or from the call of an operation whose tensors all have the samples first.


def equation_keeps_samples(layer: Any) -> bool:
    """Whether the first axis of an equation goes through, and the kernel has no part in it."""
    given, _, result = layer.equation.replace(" ", "").partition("->")
    values, _, kernel = given.partition(",")
    return bool(values and result) and values[0] == result[0] and values[0] not in kernel


def of_one_rank(node: Any) -> bool:
    """Whether all inputs have as many axes: beside one of more the samples would be laid along another axis."""
    return all(len(tensor.shape) == len(node.outputs[0].shape) for tensor in node.input_tensors)


def along_other_axes(node: Any) -> bool:
    """Whether the axes that an operation works along leave out that of the samples."""
    return _leaves_out_samples(node, len(node.input_tensors[0].shape))


def with_another_axis(node: Any) -> bool:
    """Whether the axes that an operation puts in come behind that of the samples."""
    return _leaves_out_samples(node, len(node.input_tensors[0].shape) + 1)


def _leaves_out_samples(node: Any, count: int) -> bool:
    """Whether none of the axes that an operation names, out of so many, is the first."""
    axes, rank = node.operation.axis, len(node.input_tensors[0].shape)
    named = [axes] if isinstance(axes, int) else axes
    same = all(len(tensor.shape) == rank for tensor in node.input_tensors)
    # Without axes it works along all of them.
    return same and named is not None and all(axis % count for axis in named)


def within_samples(node: Any) -> bool:
    """Whether a reshaping leaves each sample as many values as it had."""
    given, made = node.input_tensors[0].shape[1:], node.outputs[0].shape[1:]
    return None not in given + made and math.prod(given) == math.prod(made)


def leaves_the_first_axis(node: Any) -> bool:
    """Whether a transposition leaves the samples on the first axis."""
    axes = node.operation.axes
    return axes is not None and axes[0] % len(axes) == 0


def of_every_sample(node: Any) -> bool:
    """Whether an indexing takes all samples, `x[:, ...]`."""
    key = [*node.arguments.args, *node.arguments.kwargs.values()][1]
    return isinstance(key, tuple) and isinstance(key[0], slice) and key[0] == slice(None)


def sample_by_sample(node: Any) -> bool:
    """Whether a product of matrices has one matrix, or more, for each sample."""
    return of_one_rank(node) and len(node.outputs[0].shape) > 2
