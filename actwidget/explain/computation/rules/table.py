"""The one table of rules: for each class of layers and operations how one of its values is computed."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import keras

from actwidget.capture.structure.call_names import is_composite
from actwidget.explain.computation.rules import (
    activation,
    attention,
    convolution,
    dense,
    merging,
    normalization,
    pooling,
    rearranging,
    recurrent,
    reduction,
    time_distributed,
)
from actwidget.explain.computation.site import Rule, Site, Sum, Tensor, UnknownArithmeticError
from actwidget.keras_internals.classes import operation_classes
from actwidget.keras_internals.layers import output_layer_of_attention

LAYERS: dict[str, Rule] = {
    "Dense": dense.dense,
    "EinsumDense": dense.einsum_dense,
    "Embedding": dense.embedding,
    "ReversibleEmbedding": dense.reversible_embedding,
    "Conv1D": convolution.convolution,
    "Conv2D": convolution.convolution,
    "Conv3D": convolution.convolution,
    "Conv1DTranspose": convolution.transposed,
    "Conv2DTranspose": convolution.transposed,
    "Conv3DTranspose": convolution.transposed,
    "DepthwiseConv1D": convolution.depthwise,
    "DepthwiseConv2D": convolution.depthwise,
    "SeparableConv1D": convolution.separable,
    "SeparableConv2D": convolution.separable,
    "MaxPooling1D": pooling.max_pooling,
    "MaxPooling2D": pooling.max_pooling,
    "MaxPooling3D": pooling.max_pooling,
    "AveragePooling1D": pooling.average_pooling,
    "AveragePooling2D": pooling.average_pooling,
    "AveragePooling3D": pooling.average_pooling,
    "GlobalMaxPooling1D": pooling.global_max_pooling,
    "GlobalMaxPooling2D": pooling.global_max_pooling,
    "GlobalMaxPooling3D": pooling.global_max_pooling,
    "GlobalAveragePooling1D": pooling.global_average_pooling,
    "GlobalAveragePooling2D": pooling.global_average_pooling,
    "GlobalAveragePooling3D": pooling.global_average_pooling,
    "AdaptiveMaxPooling1D": pooling.adaptive_max_pooling,
    "AdaptiveMaxPooling2D": pooling.adaptive_max_pooling,
    "AdaptiveMaxPooling3D": pooling.adaptive_max_pooling,
    "AdaptiveAveragePooling1D": pooling.adaptive_average_pooling,
    "AdaptiveAveragePooling2D": pooling.adaptive_average_pooling,
    "AdaptiveAveragePooling3D": pooling.adaptive_average_pooling,
    "SimpleRNN": recurrent.recurrent,
    "GRU": recurrent.recurrent,
    "LSTM": recurrent.recurrent,
    "RNN": recurrent.recurrent,
    "ConvLSTM1D": recurrent.recurrent,
    "ConvLSTM2D": recurrent.recurrent,
    "ConvLSTM3D": recurrent.recurrent,
    "Bidirectional": recurrent.bidirectional,
    "Attention": attention.attended,
    "AdditiveAttention": attention.attended,
    "TimeDistributed": time_distributed.distributed,
    "BatchNormalization": normalization.batch_normalization,
    "LayerNormalization": normalization.layer_normalization,
    "GroupNormalization": normalization.group_normalization,
    "RMSNormalization": normalization.rms_normalization,
    "UnitNormalization": normalization.unit_normalization,
    "Normalization": normalization.normalization,
    "Rescaling": normalization.rescaling,
    "Activation": activation.activation,
    "ReLU": activation.by_itself,
    "LeakyReLU": activation.by_itself,
    "ELU": activation.by_itself,
    "PReLU": activation.prelu,
    "Softmax": activation.along_axis,
    "Masking": activation.masking,
    "Add": merging.weighted(1.0),
    "Subtract": merging.weighted(1.0, -1.0),
    "Multiply": merging.multiply,
    "Average": merging.average,
    "Maximum": merging.largest,
    "Minimum": merging.smallest,
    "Concatenate": rearranging.moved,
    "Dot": reduction.dot,
    "Flatten": rearranging.moved,
    "Reshape": rearranging.moved,
    "Permute": rearranging.moved,
    "RepeatVector": rearranging.moved,
    "ZeroPadding1D": rearranging.moved,
    "ZeroPadding2D": rearranging.moved,
    "ZeroPadding3D": rearranging.moved,
    "Cropping1D": rearranging.moved,
    "Cropping2D": rearranging.moved,
    "Cropping3D": rearranging.moved,
    "UpSampling1D": rearranging.up_sampling,
    "UpSampling2D": rearranging.up_sampling,
    "UpSampling3D": rearranging.up_sampling,
}
"""By the name that the class has in `keras.layers`."""

# fmt: off
_BY_ITSELF = (
    "Relu", "Relu6", "ReLU", "LeakyRelu", "Elu", "Selu", "Celu", "Gelu", "Silu", "HardSilu", "Softplus", "Softsign",
    "SoftShrink", "HardShrink", "TanhShrink", "SparsePlus", "Squareplus", "LogSigmoid", "SparseSigmoid", "Sigmoid",
    "HardSigmoid", "Tanh", "HardTanh", "Threshold", "Absolute", "Square", "Sqrt", "Rsqrt", "Exp", "Exp2", "Expm1",
    "Log", "Log1p", "Log2", "Log10", "Power", "Clip", "Sin", "Cos", "Tan", "Sinh", "Cosh", "Arcsin", "Arccos",
    "Arctan", "Arcsinh", "Arccosh", "Arctanh", "Erf", "Erfc", "Erfinv", "Sign", "Floor", "Ceil", "Round", "Trunc",
    "Reciprocal", "Equal", "NotEqual", "Less", "LessEqual", "Greater", "GreaterEqual", "LogicalNot", "Isfinite",
    "Isinf", "Isnan", "Mod", "FloorDivide", "NanToNum", "Cbrt", "Sinc", "Deg2rad", "Rad2deg",
)
_MOVED = (
    "Reshape", "ExpandDims", "Squeeze", "Transpose", "Swapaxes", "Moveaxis", "Concatenate", "Stack", "Repeat", "Tile",
    "BroadcastTo", "GetItem", "Flip", "Fliplr", "Flipud", "Roll", "Rot90", "Ravel", "Split", "ArraySplit", "Unstack",
    "Hstack", "Vstack", "Dstack", "Hsplit", "Vsplit", "Dsplit", "Take", "TakeAlongAxis", "Slice", "Tril", "Triu",
    "Diagonal", "Append", "Rearrange", "DepthToSpace", "SpaceToDepth", "Copy", "StopGradient", "CropImages",
)
# fmt: on

OPERATIONS: dict[str, Rule] = {
    **dict.fromkeys(_BY_ITSELF, activation.by_itself),
    **dict.fromkeys(_MOVED, rearranging.moved),
    "Softmax": activation.along_axis,
    "LogSoftmax": activation.along_axis,
    "Sparsemax": activation.along_axis,
    "Cast": merging.weighted(1.0),
    "Add": merging.weighted(1.0),
    "Subtract": merging.weighted(1.0, -1.0),
    "Negative": merging.weighted(-1.0),
    "Multiply": merging.multiply,
    "Divide": merging.divide,
    "TrueDivide": merging.divide,
    "Maximum": merging.largest,
    "Minimum": merging.smallest,
    "Where": rearranging.chosen,
    "Sum": reduction.summed,
    "Mean": reduction.mean,
    "Max": reduction.largest,
    "Min": reduction.smallest,
    "Amax": reduction.largest,
    "Amin": reduction.smallest,
    "Any": reduction.largest,
    "All": reduction.smallest,
    "Matmul": reduction.matmul,
    "Einsum": reduction.einsum,
}
"""By the name of the class behind the function, such as `Relu6` for `keras.ops.relu6`."""


@functools.cache
def rules() -> Mapping[type, Rule]:
    """The table: each class of this release of Keras that has a rule, with its rule."""
    layers = {getattr(keras.layers, name, None): rule for name, rule in LAYERS.items()}
    operations = {operation_classes().get(name): rule for name, rule in OPERATIONS.items()}
    return {cls: rule for cls, rule in {**layers, **operations}.items() if cls is not None}


def rule_of(operation: Any) -> Rule:
    """The rule for the class of a layer or operation; one for a class that has none says so.

    A class that is derived from one of Keras's is another class, of which nothing is known, whatever its name.
    """
    return rules().get(type(operation), unknown)


def rule_at(site: Site, computed: Tensor | None, outer: Any, inner: str) -> Rule:
    """The rule for a value.

    Args:
        site: The value.
        computed: The output that holds it, with the path whose activation it is already: what a layer passes on.
        outer: The layer in which the call is made.
        inner: For a value that the layer computes on the way its path below the layer; otherwise `""`.
    """
    if computed is not None and (computed.path is not None or isinstance(site.operation, keras.layers.InputLayer)):
        return functools.partial(passed_on, computed)
    if inner:
        return _rule_inside(site.operation, inner)
    if isinstance(outer, attention.HEADED):
        path = site.path.rpartition("/")[0]
        if site.operation is output_layer_of_attention(outer):
            return functools.partial(attention.projected, layer=outer, path=path)
        if isinstance(site.operation, keras.layers.Softmax):
            return functools.partial(attention.headed_softmax, layer=outer, path=path)
    rule = rule_of(site.operation)
    behind = "" if computed is None or not is_composite(site.operation) else computed.reason
    return functools.partial(unknown, behind=behind) if rule is unknown else rule


def _rule_inside(layer: Any, inner: str) -> Rule:
    """The rule for what a layer computes on the way, by its path below the layer."""
    if isinstance(layer, keras.layers.TimeDistributed):
        return functools.partial(time_distributed.wrapped, name=inner, rule_of=rule_of)
    if isinstance(layer, keras.layers.RNN):
        return functools.partial(recurrent.inside, name=inner)
    return attention.headed_scores if isinstance(layer, attention.HEADED) else attention.scores


def passed_on(computed: Tensor, site: Site) -> Sum:
    """What a layer gives as it got it, from outside or from a layer inside it."""
    return Sum([computed.products([site.index])])


def unknown(site: Site, behind: str = "") -> Sum:
    """A class of which nothing is known.

    Raises:
        UnknownArithmeticError: Always.
    """
    kind = type(site.operation).__name__
    made = f"; what it gives is {behind}" if behind else ""
    message = f"How {kind} {site.operation.name!r} computes its values is not known here{made}. Go on with its inputs."
    raise UnknownArithmeticError(message)
