"""Which layers and operations of Keras's treat each sample alike, whatever other samples are in the batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import keras

from actwidget.capture.semantics.pointwise import is_known_activation
from actwidget.keras_internals.classes import is_from_keras, operation_classes
from actwidget.keras_internals.graph import function_of, graph_nodes, nodes_for
from actwidget.keras_internals.layers import flat_layers

if TYPE_CHECKING:
    from actwidget.capture.structure.model_graph import ModelGraph
    from actwidget.capture.structure.node import LayerNode

# fmt: off
_LAYERS = {
    "InputLayer", "Dense", "Embedding", "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose",
    "Conv3DTranspose", "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D",
    "Flatten", "Reshape", "Permute", "RepeatVector", "Masking", "Rescaling", "Normalization",
    "BatchNormalization", "LayerNormalization", "RMSNormalization", "GroupNormalization", "UnitNormalization",
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianNoise", "GaussianDropout",
    "AlphaDropout", "ActivityRegularization", "Identity", "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax",
    "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate",
    "MultiHeadAttention", "GroupQueryAttention", "EinsumDense", "Attention", "AdditiveAttention",
    "SimpleRNN", "LSTM", "GRU", "SimpleRNNCell", "LSTMCell", "GRUCell", "Bidirectional", "TimeDistributed",
    *(f"{kind}{rank}D" for rank in (1, 2, 3) for kind in (
        "MaxPooling", "AveragePooling", "GlobalMaxPooling", "GlobalAveragePooling", "ZeroPadding", "Cropping",
        "UpSampling",
    )),
}
_VALUE_BY_VALUE = {
    "Add", "Subtract", "Multiply", "Divide", "TrueDivide", "Negative", "Absolute", "Square", "Sqrt", "Rsqrt", "Exp",
    "Log", "Power", "Clip", "Cast", "Maximum", "Minimum", "Where", "Equal", "NotEqual", "Less", "LessEqual", "Greater",
    "GreaterEqual", "LogicalAnd", "LogicalOr", "LogicalNot", "Relu", "Relu6", "Sigmoid", "HardSigmoid", "Silu",
    "HardSilu", "Gelu", "Elu", "Selu", "Tanh", "Softplus", "LeakyRelu",
}
_ALONG_AXES = {"Mean", "Sum", "Max", "Min", "Any", "All", "Prod", "Std", "Var", "Softmax", "ExpandDims", "Concatenate"}
# fmt: on
# What these give of a sample depends on the longest one beside it.
_BY_THE_LONGEST = (keras.layers.TextVectorization,)


def treats_alike(graph: ModelGraph, nodes: Iterable[LayerNode]) -> bool | None:
    """Whether the values of some nodes can be had sample by sample.

    Args:
        graph: The model's graph.
        nodes: Those whose values are wanted.

    Returns:
        `True` where every call on the way is one of Keras's own that is known to treat the samples alike, `False` where
        one does not, and `None` where only a trial can tell.
    """
    nodes = list(nodes)
    # A value without an axis of samples can't be put together; a stateful layer takes its own number of samples.
    if graph.stateful or any(not node.output_shape or node.output_shape[0] is not None for node in nodes):
        return False
    # Where it depends on the batch which layers are called, parts of it could call others.
    if graph.allow_unreached:
        return False
    if any(_asks_for_the_longest(layer) for layer in flat_layers(graph.root)) or _is_ragged(graph):
        return False
    function = function_of(graph.root)
    if function is None or graph.edits:
        return None
    tensors = [graph.tensors.get(node.path) for node in nodes]
    calls = graph_nodes(function) if None in tensors else nodes_for(function, tensors)
    return True if all(map(_is_alike, calls)) else None


def _asks_for_the_longest(layer: keras.Layer) -> bool:
    if not isinstance(layer, _BY_THE_LONGEST) or getattr(layer, "_output_mode", "int") != "int":
        return False
    return getattr(layer, "_output_sequence_length", None) is None


def _is_ragged(graph: ModelGraph) -> bool:
    return any(getattr(tensor, "ragged", False) for tensor in keras.tree.flatten(graph.inputs) if tensor is not None)


def _is_alike(node: Any) -> bool:
    """Whether one call in a functional graph is known to treat samples alike."""
    operation = node.operation
    if (inner := function_of(operation)) is not None:
        return all(map(_is_alike, graph_nodes(inner)))
    if not is_from_keras(operation) or "call" in vars(operation) or node.arguments.kwargs.get("training"):
        return False
    if isinstance(operation, keras.Layer):
        layers = flat_layers(operation)
        return all(map(_is_alike_layer, layers)) and _keeps_rank(node, operation)
    return _is_alike_operation(node)


def _is_alike_layer(layer: keras.Layer) -> bool:
    if not is_from_keras(layer) or type(layer).__name__ not in _LAYERS or "call" in vars(layer):
        return False
    if getattr(layer, "quantization_mode", None) is not None:
        return False
    functions = [getattr(layer, name, None) for name in ("activation", "recurrent_activation")]
    if not all(each is None or is_known_activation(each) or _is_layer(each) for each in functions):
        return False
    if isinstance(layer, keras.layers.EinsumDense):
        return _keeps_first(layer.equation)
    named = getattr(layer, "axis", -1), getattr(layer, "_attention_axes", None) or -1
    return all(map(_spares_samples, named))


def _is_layer(activation: Any) -> bool:
    return isinstance(activation, keras.Layer) and _is_alike_layer(activation)


def _spares_samples(axes: Any) -> bool:
    """Whether a layer's own axes leave that of the samples out; negative ones count from the end of several axes."""
    return axes is not None and 0 not in ([axes] if isinstance(axes, int) else list(axes))


def _keeps_first(equation: str) -> bool:
    """Whether an einsum's first axis goes through, and the kernel has no part in it."""
    given, _, result = equation.replace(" ", "").partition("->")
    values, _, kernel = given.partition(",")
    return bool(values and result) and values[0] == result[0] and values[0] not in kernel


def _keeps_rank(node: Any, layer: keras.Layer) -> bool:
    """Whether the axes that a layer names from the end can't be that of the samples."""
    named = type(layer).__name__ in {"Softmax", "Concatenate", "Activation"} or hasattr(layer, "axis")
    return not named or all(_is_open(tensor) and len(tensor.shape) > _depth(layer) for tensor in node.input_tensors)


def _depth(layer: keras.Layer) -> int:
    """The farthest axis from the end that a layer names."""
    axes = getattr(layer, "axis", -1)
    return max([1, *(-axis for axis in ([axes] if isinstance(axes, int) else axes) if axis < 0)])


def _is_open(tensor: Any) -> bool:
    """Whether a symbolic tensor's first axis is as long as there are samples."""
    return bool(tensor.shape) and tensor.shape[0] is None


def _is_alike_operation(node: Any) -> bool:
    """The same for an operation that is no layer."""
    tells = _TELLS.get(type(node.operation).__name__)
    return tells is not None and all(map(_is_open, [*node.input_tensors, *node.outputs])) and tells(node)


def _of_one_rank(node: Any) -> bool:
    """Beside a tensor of more axes the samples of one would be laid along another axis."""
    return all(len(tensor.shape) == len(node.outputs[0].shape) for tensor in node.input_tensors)


def _along_other_axes(node: Any) -> bool:
    axes, rank = node.operation.axis, len(node.input_tensors[0].shape)
    room = rank + isinstance(node.operation, operation_classes()["ExpandDims"])
    given = [axes] if isinstance(axes, int) else axes
    # Without axes it goes over all of them.
    same = all(len(tensor.shape) == rank for tensor in node.input_tensors)
    return same and given is not None and all(axis % room for axis in given)


def _within_samples(node: Any) -> bool:
    given, made = node.input_tensors[0].shape[1:], node.outputs[0].shape[1:]
    return None not in given + made and math.prod(given) == math.prod(made)


def _leaves_the_first_axis(node: Any) -> bool:
    axes = node.operation.axes
    return axes is not None and axes[0] % len(axes) == 0


def _of_every_sample(node: Any) -> bool:
    key = [*node.arguments.args, *node.arguments.kwargs.values()][1]
    return isinstance(key, tuple) and isinstance(key[0], slice) and key[0] == slice(None)


def _sample_by_sample(node: Any) -> bool:
    return _of_one_rank(node) and len(node.outputs[0].shape) > 2


_TELLS: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(_VALUE_BY_VALUE, _of_one_rank),
    **dict.fromkeys(_ALONG_AXES, _along_other_axes),
    "Reshape": _within_samples,
    "Transpose": _leaves_the_first_axis,
    "GetItem": _of_every_sample,
    "Matmul": _sample_by_sample,
}
