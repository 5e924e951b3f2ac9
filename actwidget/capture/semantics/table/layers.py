"""The rows of `keras.layers`. A class that has none is unknown: a test lists these classes and says why."""

from __future__ import annotations

from dataclasses import replace

from actwidget.capture.semantics.table.activation_functions import BOUNDS
from actwidget.capture.semantics.table.rules import (
    VECTOR,
    axes_of_equation,
    cropped,
    equation_keeps_samples,
    padded,
    relu_bounds,
    sliding,
)
from actwidget.capture.semantics.table.semantics import Semantics, WeightAxes, WeightLayout

_FILTERS = WeightAxes((-2,), (-1,))
_TRANSPOSED = WeightAxes((-1,), (-2,))
_DEPTHWISE = WeightAxes((-2,), (-1,), depthwise=True)
_HIDDEN = WeightAxes((-2,), (-1,), depthwise=True, channels=False)

_OF_CONVOLUTION = WeightLayout({"kernel": _FILTERS, "bias": VECTOR}, has_groups=True)
_OF_TRANSPOSED = WeightLayout({"kernel": _TRANSPOSED, "bias": VECTOR})
_OF_DEPTHWISE = WeightLayout({"kernel": _DEPTHWISE, "bias": VECTOR})
_OF_SEPARABLE = WeightLayout({"depthwise_kernel": _HIDDEN, "pointwise_kernel": _FILTERS, "bias": VECTOR})
_OF_RECURRENT = WeightLayout({"kernel": _FILTERS, "recurrent_kernel": _FILTERS, "bias": VECTOR})
_OF_LSTM = replace(_OF_RECURRENT, gates=("input", "forget", "cell", "output"))
_OF_GRU = replace(_OF_RECURRENT, gates=("update", "reset", "new state"))
_OF_EMBEDDING = WeightLayout({"embeddings": _FILTERS})
_OF_DENSE = WeightLayout({"kernel": _FILTERS, "kernel_scale": VECTOR, "bias": VECTOR})
_OF_NORMALIZATION = WeightLayout(dict.fromkeys(("gamma", "beta", "scale", "moving_mean", "moving_variance"), VECTOR))

# Rows that several classes share, and from which others differ in a cell or two.

_VALUE_BY_VALUE = Semantics(reach="same position", keeps_channel_axis=True, keeps_samples_apart=True)
_STEP_TO_SCORES = replace(_VALUE_BY_VALUE, scores="step")
_UNCHANGED = replace(_STEP_TO_SCORES, keeps_values=True, keeps_flags=True)
_MAXIMUM = replace(_VALUE_BY_VALUE, keeps_flags=True)
_CONVOLUTION = Semantics(reach=sliding, bounds="activation", weights=_OF_CONVOLUTION, keeps_samples_apart=True)
_DEPTHWISE_CONVOLUTION = replace(_CONVOLUTION, weights=_OF_DEPTHWISE)
_SEPARABLE_CONVOLUTION = replace(_CONVOLUTION, weights=_OF_SEPARABLE)
_TRANSPOSED_CONVOLUTION = Semantics(bounds="activation", weights=_OF_TRANSPOSED, keeps_samples_apart=True)
_POOLING = Semantics(reach=sliding, keeps_samples_apart=True)
_GLOBAL_POOLING = Semantics(reach="everything", keeps_samples_apart=True)
_LAYER_NORMALIZATION = Semantics(
    reach="same position", mixes="named axis", axis="normalized", weights=_OF_NORMALIZATION, keeps_samples_apart=True
)
_SPATIAL_DROPOUT = Semantics(reach="same position", keeps_samples_apart=True)
_PADDED = Semantics(reach=padded, keeps_flags=True, keeps_samples_apart=True)
_CROPPED = Semantics(reach=cropped, keeps_flags=True, keeps_samples_apart=True)
_KEEPS_SAMPLES_APART = Semantics(keeps_samples_apart=True)

_SIMPLE_RNN = Semantics(bounds="activation", weights=_OF_RECURRENT, keeps_samples_apart=True)
_GRU = replace(_SIMPLE_RNN, bounds="gated activation", weights=_OF_GRU)
# Its third output is the cell's state, which adds up.
_LSTM = replace(_GRU, bounded_outputs=2, weights=_OF_LSTM)
_CONVOLUTION_IN_TIME = replace(_LSTM, keeps_samples_apart=False)

LAYERS: dict[str, Semantics] = {
    # Core.
    "InputLayer": Semantics(keeps_samples_apart=True, prepares_input=True),
    "Dense": Semantics(
        reach="same position", mixes="last axis", bounds="activation", weights=_OF_DENSE, keeps_samples_apart=True
    ),
    "EinsumDense": Semantics(
        bounds="activation", weights=WeightLayout(axes_of_equation), keeps_samples_apart=equation_keeps_samples
    ),
    "Embedding": Semantics(weights=_OF_EMBEDDING, keeps_samples_apart=True),
    "Masking": Semantics(keeps_flags=True, keeps_samples_apart=True),
    "Identity": _UNCHANGED,
    # Activations.
    "Activation": replace(_STEP_TO_SCORES, bounds="activation"),
    "ReLU": replace(_VALUE_BY_VALUE, bounds=relu_bounds),
    "LeakyReLU": _VALUE_BY_VALUE,
    "PReLU": _VALUE_BY_VALUE,
    "ELU": _VALUE_BY_VALUE,
    "Softmax": replace(_STEP_TO_SCORES, mixes="named axis", bounds=BOUNDS["softmax"]),
    # Convolutions.
    "Conv1D": _CONVOLUTION,
    "Conv2D": _CONVOLUTION,
    "Conv3D": _CONVOLUTION,
    "Conv1DTranspose": _TRANSPOSED_CONVOLUTION,
    "Conv2DTranspose": _TRANSPOSED_CONVOLUTION,
    "Conv3DTranspose": _TRANSPOSED_CONVOLUTION,
    "DepthwiseConv1D": _DEPTHWISE_CONVOLUTION,
    "DepthwiseConv2D": _DEPTHWISE_CONVOLUTION,
    "SeparableConv1D": _SEPARABLE_CONVOLUTION,
    "SeparableConv2D": _SEPARABLE_CONVOLUTION,
    # Pooling.
    "MaxPooling1D": _POOLING,
    "MaxPooling2D": _POOLING,
    "MaxPooling3D": _POOLING,
    "AveragePooling1D": _POOLING,
    "AveragePooling2D": _POOLING,
    "AveragePooling3D": _POOLING,
    "GlobalMaxPooling1D": _GLOBAL_POOLING,
    "GlobalMaxPooling2D": _GLOBAL_POOLING,
    "GlobalMaxPooling3D": _GLOBAL_POOLING,
    "GlobalAveragePooling1D": _GLOBAL_POOLING,
    "GlobalAveragePooling2D": _GLOBAL_POOLING,
    "GlobalAveragePooling3D": _GLOBAL_POOLING,
    # Normalization. What the statistics of a batch normalization mix in training is left out.
    "BatchNormalization": Semantics(
        reach="same position", axis="channels", weights=_OF_NORMALIZATION, keeps_samples_apart=True
    ),
    "GroupNormalization": Semantics(axis="channels", weights=_OF_NORMALIZATION, keeps_samples_apart=True),
    "LayerNormalization": _LAYER_NORMALIZATION,
    "RMSNormalization": _LAYER_NORMALIZATION,
    "UnitNormalization": _KEEPS_SAMPLES_APART,
    # Regularization.
    "Dropout": _UNCHANGED,
    "SpatialDropout1D": _SPATIAL_DROPOUT,
    "SpatialDropout2D": _SPATIAL_DROPOUT,
    "SpatialDropout3D": _SPATIAL_DROPOUT,
    "GaussianNoise": _VALUE_BY_VALUE,
    "GaussianDropout": _VALUE_BY_VALUE,
    "AlphaDropout": _VALUE_BY_VALUE,
    "ActivityRegularization": _VALUE_BY_VALUE,
    # Merging.
    "Add": _STEP_TO_SCORES,
    "Subtract": _STEP_TO_SCORES,
    "Multiply": replace(_STEP_TO_SCORES, keeps_flags=True),
    "Average": _VALUE_BY_VALUE,
    "Maximum": _MAXIMUM,
    "Minimum": _MAXIMUM,
    "Concatenate": replace(_MAXIMUM, mixes="named axis"),
    "Dot": Semantics(scores="product"),
    # Shapes.
    "Flatten": Semantics(reach="everything", keeps_values=True, keeps_flags=True, keeps_samples_apart=True),
    "Reshape": Semantics(reach="everything of a vector", keeps_values=True, keeps_flags=True, keeps_samples_apart=True),
    "Permute": Semantics(keeps_flags=True, keeps_samples_apart=True),
    "RepeatVector": Semantics(keeps_flags=True, keeps_samples_apart=True),
    "ZeroPadding1D": _PADDED,
    "ZeroPadding2D": _PADDED,
    "ZeroPadding3D": _PADDED,
    "Cropping1D": _CROPPED,
    "Cropping2D": _CROPPED,
    "Cropping3D": _CROPPED,
    "UpSampling1D": _KEEPS_SAMPLES_APART,
    "UpSampling2D": _KEEPS_SAMPLES_APART,
    "UpSampling3D": _KEEPS_SAMPLES_APART,
    # Attention.
    "MultiHeadAttention": _KEEPS_SAMPLES_APART,
    "GroupQueryAttention": _KEEPS_SAMPLES_APART,
    "Attention": _KEEPS_SAMPLES_APART,
    "AdditiveAttention": _KEEPS_SAMPLES_APART,
    # Recurrent layers, and the cells that run in them.
    "SimpleRNN": _SIMPLE_RNN,
    "SimpleRNNCell": _SIMPLE_RNN,
    "GRU": _GRU,
    "GRUCell": _GRU,
    "LSTM": _LSTM,
    "LSTMCell": _LSTM,
    "ConvLSTM1D": _CONVOLUTION_IN_TIME,
    "ConvLSTM2D": _CONVOLUTION_IN_TIME,
    "ConvLSTM3D": _CONVOLUTION_IN_TIME,
    "Bidirectional": _KEEPS_SAMPLES_APART,
    "TimeDistributed": _KEEPS_SAMPLES_APART,
    # Preprocessing.
    "Rescaling": replace(_STEP_TO_SCORES, prepares_input=True),
    "Normalization": Semantics(reach="same position", keeps_samples_apart=True, prepares_input=True),
    "StringLookup": Semantics(prepares_input=True),
    "IntegerLookup": Semantics(prepares_input=True),
    "TextVectorization": Semantics(prepares_input=True),
}
"""By the name that the class has in `keras.layers`."""

CONV_LSTM_CELL = Semantics(bounds="gated activation", bounded_outputs=2)
"""The cell of `ConvLSTM2D`, which has no public name."""
