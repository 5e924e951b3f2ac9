"""What the layers of a model cost for one sample: multiply-adds, parameters, and the bytes of the activation.

Multiply-adds are counted as in He et al., Deep Residual Learning (2016), table 1, and Howard et al., MobileNets (2017),
section 3.1: a multiplication with the addition that follows counts once, and only products with weights and products of
two tensors count. What works value by value (activation functions, normalization, bias, addition of two branches) and
pooling count 0, as in both papers, although they take time, too.

| layers | multiply-adds of one sample |
|---|---|
| Dense, EinsumDense | positions x inputs x outputs |
| Conv1D to 3D | output positions x kernel size x (input channels / groups) x filters |
| Conv1D to 3DTranspose | input positions x kernel size x input channels x filters |
| DepthwiseConv | output positions x kernel size x input channels x depth multiplier |
| SeparableConv | its depthwise convolution + output positions x (input channels x multiplier) x filters |
| SimpleRNN, GRU, LSTM | steps x (inputs + units) x units x gates |
| ConvLSTM | steps x output positions x kernel size x (input channels + filters) x filters x 4 |
| MultiHeadAttention, GroupQueryAttention | its projections + heads x queries x keys x (key size + value size) |
| Attention, AdditiveAttention | queries x keys x (key size + value size) |
| Dot, matmul, einsum | positions of the output x length of the axes summed over |
| nested models, wrappers, layers of layers | the sum over the calls inside |
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers

from actwidget.capture.semantics.table.lookup import semantics_of
from actwidget.capture.semantics.table.semantics import UNKNOWN
from actwidget.keras_internals.classes import ConvLSTMCell, is_from_keras, operation_classes
from actwidget.keras_internals.graph import function_of
from actwidget.keras_internals.tensors import node_of

if TYPE_CHECKING:
    from actwidget.capture.structure.model_graph import ModelGraph
    from actwidget.capture.structure.node import LayerNode

Shape = tuple[int | None, ...]
Shapes = tuple[Sequence[Shape], Sequence[Shape]]
"""The shapes of the tensors that a call was given and of those that it gave."""

NOT_COUNTED = "value by value, not counted"
POOLED = "pooling, not counted"
_OPEN = "not known: a length is open"
_OWN_CODE = "not known: its own code computes it"
_AND_OWN_CODE = "without what its own code multiplies"


@dataclass(frozen=True)
class Cost:
    """What one call of a layer costs for one sample.

    Attributes:
        multiply_adds: How many multiplications, each with the addition that follows; `None` if that is not known.
        parameters: How many weights the layer has.
        nbytes: The bytes of its output; `None` if a length is open.
        note: What is not counted, or why it is not known; `""` if there is nothing to say.
    """

    multiply_adds: int | None
    parameters: int
    nbytes: int | None
    note: str = ""


def costs_of(graph: ModelGraph, shapes: Mapping[str, Shapes] | None = None) -> dict[str, Cost]:
    """The cost of each node of a model that can be captured, by path.

    Args:
        graph: The model's graph.
        shapes: The shapes of tensors in a real pass, by path, for what the graph leaves open.
    """
    count = _Count(graph, shapes or {})
    found = {}
    for node in graph.nodes.values():
        if node.origin != "opaque":
            multiply_adds, note = count.of(node)
            found[node.path] = Cost(multiply_adds, node.parameters, _nbytes(node, count.output(node)), note)
    return found


def total_multiply_adds(graph: ModelGraph, costs: Mapping[str, Cost]) -> tuple[int, bool]:
    """The multiply-adds of the whole model, and whether all of them are known: nested models count once."""
    own = [costs[node.path] for node in graph.tree.children if node.path in costs]
    known = [cost.multiply_adds for cost in own if cost.multiply_adds is not None]
    return sum(known), len(known) == len(own) and not any(cost.note == _AND_OWN_CODE for cost in own)


def total_bytes(graph: ModelGraph, costs: Mapping[str, Cost]) -> int:
    """The bytes of all activations; the output of a nested model is that of a layer inside it."""
    return sum(cost.nbytes or 0 for path, cost in costs.items() if not isinstance(graph.operations[path], keras.Model))


def _nbytes(node: LayerNode, shape: Shape | None) -> int | None:
    if shape is None or None in shape[1:]:
        return None
    item = {"string": None, "bool": 1, "bfloat16": 2}.get(node.dtype, 0)
    size = np.dtype(node.dtype or "float32").itemsize if item == 0 else item
    return None if size is None else size * math.prod(length or 0 for length in shape[1:])


Counted = tuple[int | None, str]
"""Multiply-adds, and a note."""


class _Open(Exception):  # noqa: N818 - no error: it ends a count
    """A length that a formula needs is not known."""


class _Count:
    """Counts multiply-adds of one model."""

    def __init__(self, graph: ModelGraph, shapes: Mapping[str, Shapes]) -> None:
        self.graph = graph
        self.shapes = shapes
        self._by_path: dict[str, Counted] = {}

    def of(self, node: LayerNode) -> Counted:
        """The multiply-adds of a node."""
        if node.path not in self._by_path:
            try:
                self._by_path[node.path] = self._counted(node)
            except _Open:
                self._by_path[node.path] = None, _OPEN
        return self._by_path[node.path]

    def output(self, node: LayerNode) -> Shape | None:
        """The shape of a node's value, with the batch axis."""
        call, number = self.graph.call_of(node.path)
        _, outputs = self.shapes.get(call, ((), ()))
        if number < len(outputs) and node.path not in self.graph.asides:
            return tuple(outputs[number])
        return node.output_shape

    def inputs(self, node: LayerNode) -> list[Shape]:
        """The shapes of the tensors that a node's call is given.

        Raises:
            _Open: They are not known.
        """
        call, _ = self.graph.call_of(node.path)
        if call in self.shapes:
            return [tuple(shape) for shape in self.shapes[call][0]]
        if (place := self.graph.places.get(node.path)) is None:
            raise _Open
        return [tuple(tensor.shape) for tensor in node_of(place.tensor).input_tensors]

    def _counted(self, node: LayerNode) -> Counted:
        operation = self.graph.operations[node.path]
        # What a layer computes on the way, such as a gate, has the layer as its operation.
        is_part = node.path in self.graph.asides and node.class_name != type(operation).__name__
        if is_part or isinstance(operation, ConvLSTMCell) or self.graph.call_of(node.path)[1]:
            return 0, "counted with its layer"
        if (formula := _formula(operation)) is not None:
            return formula(self, node, operation)
        if isinstance(operation, layers.MultiHeadAttention | layers.GroupQueryAttention):
            return self._attention(node)
        if node.children:
            is_whole = isinstance(operation, _CONTAINERS) or function_of(operation) is not None
            return self._inside(node, is_whole=is_whole)
        return _without_products(operation)

    def _inside(self, node: LayerNode, *, is_whole: bool) -> Counted:
        """The sum over the calls inside a node."""
        counted = [self.of(child) for child in node.children if child.origin != "opaque"]
        known = [multiply_adds for multiply_adds, _ in counted if multiply_adds is not None]
        if not known:
            return None, _OWN_CODE
        complete = is_whole and len(known) == len(counted) and all(note != _AND_OWN_CODE for _, note in counted)
        return sum(known), "" if complete else _AND_OWN_CODE

    def _attention(self, node: LayerNode) -> Counted:
        inner = {child.name: child for child in node.children}
        if not {"query", "key", "value"} <= inner.keys():
            return None, _OWN_CODE
        projections, _ = self._inside(node, is_whole=True)
        query, key, value = (_sizes(self.output(inner[name])) for name in ("query", "key", "value"))
        # (..., positions, heads, size): of grouped queries there are more heads than of keys and values.
        products = math.prod(query[:-1]) * math.prod(key[:-2]) * (key[-1] + value[-1])
        return (projections or 0) + products, ""


def _sizes(shape: Shape | None) -> list[int]:
    """The lengths of the axes behind that of the samples."""
    if shape is None or None in shape[1:]:
        raise _Open
    return [int(length or 0) for length in shape[1:]]


_CONTAINERS = (
    keras.Sequential,
    layers.Bidirectional,
    layers.TimeDistributed,
    layers.SpectralNormalization,
    layers.RNN,
    layers.StackedRNNCells,
)
"""Besides functional models what does nothing but call what is inside it."""
_POOLING = tuple(
    getattr(layers, f"{globally}{kind}Pooling{axes}D")
    for globally in ("", "Global")
    for kind in ("Max", "Average")
    for axes in (1, 2, 3)
)


def _without_products(operation: Any) -> Counted:
    """What is counted of a layer for which there is no formula."""
    if isinstance(operation, _POOLING):
        return 0, POOLED
    is_code = isinstance(operation, layers.Lambda | keras.Model | layers.RNN | layers.Wrapper)
    is_known = semantics_of(operation) is not UNKNOWN or not getattr(operation, "weights", None)
    return (0, NOT_COUNTED) if is_from_keras(operation) and is_known and not is_code else (None, _OWN_CODE)


# Formulas: from the count, a node and its layer to multiply-adds and a note.

Formula = Callable[[_Count, "LayerNode", Any], Counted]


def _size(*weights: Any) -> int:
    return sum(math.prod(weight.shape) for weight in weights)


def _positions(sizes: list[int], channels: int) -> int:
    """How many positions an output has, whichever axis holds its channels."""
    return math.prod(sizes) // max(1, channels)


def _dense(count: _Count, node: LayerNode, layer: Any) -> Counted:
    # The kernel of a quantized layer can be packed, so its shape does not tell.
    return math.prod(_sizes(count.output(node))) * int(layer.input_spec.axes[-1]), ""


def _einsum_dense(count: _Count, node: LayerNode, layer: Any) -> Counted:
    given, _, result = layer.equation.replace(" ", "").partition("->")
    kernel = given.split(",")[1]
    summed = math.prod(
        length for letter, length in zip(kernel, layer.kernel.shape, strict=True) if letter not in result
    )
    return math.prod(_sizes(count.output(node))) * summed, ""


def _convolution(count: _Count, node: LayerNode, layer: Any) -> Counted:
    return _positions(_sizes(count.output(node)), layer.filters) * _size(layer.kernel), ""


def _transposed(count: _Count, node: LayerNode, layer: Any) -> Counted:
    channels = layer.kernel.shape[-1]
    return _positions(_sizes(count.inputs(node)[0]), channels) * _size(layer.kernel), ""


def _depthwise(count: _Count, node: LayerNode, layer: Any) -> Counted:
    *_, channels, multiplier = layer.kernel.shape
    return _positions(_sizes(count.output(node)), channels * multiplier) * _size(layer.kernel), ""


def _separable(count: _Count, node: LayerNode, layer: Any) -> Counted:
    positions = _positions(_sizes(count.output(node)), layer.filters)
    return positions * _size(layer.depthwise_kernel, layer.pointwise_kernel), ""


def _recurrent(count: _Count, node: LayerNode, layer: Any) -> Counted:
    return _steps(count, node) * _size(layer.cell.kernel, layer.cell.recurrent_kernel), ""


def _steps(count: _Count, node: LayerNode) -> int:
    """The number of steps that a recurrent layer is given: the cell inside it has a value for each of them."""
    try:
        return _sizes(count.inputs(node)[0])[0]
    except _Open:
        cell, *_ = [child for child in node.children if child.origin != "opaque"] or [node]
        return math.prod(_sizes(count.output(cell))[:-1])


def _recurrent_cell(count: _Count, node: LayerNode, layer: Any) -> Counted:
    """A cell, whose value has an axis for the steps if it runs in a layer."""
    return math.prod(_sizes(count.output(node))[:-1]) * _size(layer.kernel, layer.recurrent_kernel), ""


def _convolution_in_time(count: _Count, node: LayerNode, layer: Any) -> Counted:
    steps, sizes = _sizes(count.inputs(node)[0])[0], _sizes(count.output(node))
    positions = _positions(sizes[1:] if layer.return_sequences else sizes, layer.filters)
    return steps * positions * _size(layer.cell.kernel, layer.cell.recurrent_kernel), ""


def _attention(count: _Count, node: LayerNode, _layer: Any) -> Counted:
    query, value, *key = [_sizes(shape) for shape in count.inputs(node)]
    keys = key[0] if key and len(key[0]) == len(value) else value
    return query[-2] * value[-2] * (keys[-1] + value[-1]), ""


def _product(count: _Count, node: LayerNode, _operation: Any) -> Counted:
    """A product of two stacks of matrices."""
    first, *_ = count.inputs(node)
    return math.prod(_sizes(count.output(node))) * _sizes(first)[-1], ""


def _dot(count: _Count, node: LayerNode, layer: Any) -> Counted:
    first, *_ = count.inputs(node)
    axes = layer.axes if isinstance(layer.axes, int) else layer.axes[0]
    return math.prod(_sizes(count.output(node))) * ([0, *_sizes(first)][axes]), ""


def _einsum(count: _Count, node: LayerNode, operation: Any) -> Counted:
    subscripts = operation.subscripts.replace(" ", "")
    given, arrow, result = subscripts.partition("->")
    if "." in subscripts or not arrow or given.count(",") != 1:
        return None, _OWN_CODE
    lengths: dict[str, int | None] = {}
    for letters, shape in zip(given.split(","), count.inputs(node), strict=True):
        lengths |= dict(zip(letters, shape, strict=True))
    lengths.pop(result[:1], None)  # the samples
    if None in lengths.values():
        raise _Open
    return math.prod(length or 0 for length in lengths.values()), ""


def _looked_up(_count: _Count, _node: LayerNode, _layer: Any) -> Counted:
    return 0, "looked up, not counted"


_FORMULAS: dict[type, Formula] = {
    layers.Dense: _dense,
    layers.EinsumDense: _einsum_dense,
    **dict.fromkeys((layers.Conv1D, layers.Conv2D, layers.Conv3D), _convolution),
    **dict.fromkeys((layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose), _transposed),
    **dict.fromkeys((layers.DepthwiseConv1D, layers.DepthwiseConv2D), _depthwise),
    **dict.fromkeys((layers.SeparableConv1D, layers.SeparableConv2D), _separable),
    **dict.fromkeys((layers.SimpleRNN, layers.GRU, layers.LSTM), _recurrent),
    **dict.fromkeys((layers.SimpleRNNCell, layers.GRUCell, layers.LSTMCell), _recurrent_cell),
    **dict.fromkeys((layers.ConvLSTM1D, layers.ConvLSTM2D, layers.ConvLSTM3D), _convolution_in_time),
    **dict.fromkeys((layers.Attention, layers.AdditiveAttention), _attention),
    layers.Dot: _dot,
    layers.Embedding: _looked_up,
}
_OPERATION_FORMULAS: dict[str, Formula] = {"Matmul": _product, "Einsum": _einsum}


def _formula(operation: Any) -> Formula | None:
    """The formula for a layer or an operation of exactly one of Keras's classes."""
    named = {operation_classes().get(name): formula for name, formula in _OPERATION_FORMULAS.items()}
    return _FORMULAS.get(type(operation)) or named.get(type(operation))
