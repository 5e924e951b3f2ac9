"""The table names every layer and operation of Keras, and what it says holds for what they give."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from actwidget.capture.semantics.table import lookup
from actwidget.capture.semantics.table.layers import LAYERS
from actwidget.capture.semantics.table.lookup import inherited_semantics, rows, semantics_of
from actwidget.capture.semantics.table.operations import OPERATIONS
from actwidget.capture.semantics.table.semantics import UNKNOWN
from actwidget.keras_internals import versions
from actwidget.keras_internals.classes import operation_classes
from actwidget.keras_internals.versions import NO_RMS_NORMALIZATION, NO_SPARSE_SIGMOID
from tests.layer_classes import PREPARING, RANDOM

not_where = pytest.mark.not_where

# fmt: off
UNKNOWN_LAYERS = {
    "draws at random, or draws one picture on another": RANDOM,
    "prepares pictures, sounds or words; data before the network": PREPARING,
    "runs what it is given: a function, another layer, a cell, a module of another package": (
        "FlaxLayer", "JaxLayer", "Lambda", "Pipeline", "RNN", "SpectralNormalization", "StackedRNNCells", "TFSMLayer",
        "TorchModuleWrapper",
    ),
    "a base of others, which does nothing itself": ("Layer", "Wrapper"),
    "has windows of different sizes": (
        "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D", "AdaptiveMaxPooling1D",
        "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D",
    ),
    "works in two directions, as its call says": ("ReversibleEmbedding",),
}
UNKNOWN_OPERATIONS = {
    "a base of others, or never made by a function of keras.ops": (
        "Abs", "BitwiseNot", "Conj", "Function", "LeftShift", "Mish", "Operation", "RightShift", "SegmentReduction",
    ),
    "runs a function that it is given": (
        "AssociativeScan", "Cond", "ForiLoop", "JVP", "Map", "Scan", "Switch", "VectorizedMap", "WhileLoop",
    ),
    "makes new values, not activations": (
        "Arange", "Array", "EmptyLike", "Full", "FullLike", "Geomspace", "Linspace", "Logspace", "Meshgrid", "Ndim",
        "OnesLike", "Size", "Vander", "ZerosLike",
    ),
    "chooses, puts in or puts together values by what its arguments say": (
        "Append", "ArraySplit", "Copy", "ConvertToTensor", "Diag", "Diagflat", "Diagonal", "Dsplit", "Dstack",
        "Fold", "Hsplit", "Hstack", "Pad", "Ravel", "Rearrange", "SaturateCast", "Scatter", "ScatterUpdate", "Select",
        "Slice", "SliceUpdate", "Split", "StopGradient", "Take", "TakeAlongAxis", "Tril", "Triu", "Unfold",
        "Unstack", "View", "ViewAsComplex", "ViewAsReal", "Vsplit", "Vstack", "DepthToSpace", "SpaceToDepth",
    ),
    "mixes values in a way of its own": (
        "Argmax", "Argmin", "Argpartition", "Bincount", "CDist", "Corrcoef", "Correlate", "CountNonzero", "Cross",
        "Cumprod", "Cumsum", "Diff", "Digitize", "ExtractSequences", "Flipud", "Glu", "Histogram", "InTopK", "Inner",
        "IsIn", "Kron", "Logsumexp", "Median", "Amax", "Amin", "Moments", "Nanargmax", "Nanargmin", "Nancumprod",
        "Nancumsum", "Nanmax", "Nanmean", "Nanmedian", "Nanmin", "Nanpercentile", "Nanprod", "Nanquantile", "Nanstd",
        "Nansum", "Nanvar", "Nonzero", "Normalize", "Outer", "Percentile", "Ptp", "Quantile", "SearchSorted",
        "SegmentMax", "SegmentMin", "SegmentProd", "SegmentSum", "Tensordot", "TopK", "Trace", "Trapezoid", "Unique",
        "UnravelIndex", "Vdot", "AllClose",
    ),
    "the work of a layer, given its weights": (
        "AdaptiveAveragePool", "AdaptiveMaxPool", "AveragePool", "BatchNorm", "Conv", "ConvTranspose", "DepthwiseConv",
        "DotProductAttention", "LayerNorm", "MaxPool", "RMSNorm", "SeparableConv",
    ),
    "a loss or a measure": (
        "BinaryCrossentropy", "CTCDecode", "CTCLoss", "CategoricalCrossentropy", "PSNR", "SSIM",
        "SparseCategoricalCrossentropy",
    ),
    "works on pictures, signals or matrices": (
        "AffineTransform", "Cholesky", "CholeskyInverse", "CropImages", "Det", "Eig", "Eigh", "ElasticTransform",
        "ExtractPatches", "FFT", "FFT2", "GaussianBlur", "HSVToRGB", "IFFT2", "IRFFT", "ISTFT", "Inv", "Logdet",
        "Lstsq", "LuFactor", "MapCoordinates", "MatrixRank", "Norm", "PadImages", "PerspectiveTransform", "Pinv", "Qr",
        "RFFT", "RGBToGrayscale", "RGBToHSV", "Resize", "SVD", "STFT", "ScaleAndTranslate", "Slogdet", "SobelEdges",
        "Solve", "SolveTriangular",
    ),
    "works value by value, on numbers that are seldom activations": (
        "Angle", "Arccos", "Arccosh", "Arcsin", "Arcsinh", "Arctan", "Arctan2", "Arctanh", "BitwiseAnd",
        "BitwiseInvert", "BitwiseLeftShift", "BitwiseOr", "BitwiseRightShift", "BitwiseXor", "Cbrt", "Ceil",
        "Conjugate", "Cos", "Cosh", "Deg2rad", "DivideNoNan", "Erf", "Erfc", "Erfinv", "Exp2", "Expm1", "Fabs", "Floor",
        "FloorDivide", "Fmax", "Fmin", "Fmod", "Gcd", "Heaviside", "Hypot", "I0", "Imag", "Isclose", "Isfinite",
        "Isinf", "Isnan", "Isneginf", "Isposinf", "Isreal", "Lcm", "Ldexp", "Log10", "Log1p", "Log2", "Logaddexp",
        "Logaddexp2", "LogicalXor", "Mod", "NanToNum", "Nextafter", "Polar", "Rad2deg", "Real", "Reciprocal", "Round",
        "Sign", "Signbit", "Sin", "Sinc", "Sinh", "Tan", "Threshold", "Trunc",
    ),
}
# Operations up to Keras 3.14 at most, which make new values or work on pictures.
OLDER_OPERATIONS = (
    "Bartlett", "Blackman", "Empty", "ExtractPatches3D", "Eye", "Hamming", "Hanning", "Identity", "Kaiser", "Ones",
    "Tri", "Zeros",
)
# fmt: on


def is_newest():
    """Whether the installed Keras is the newest known release, whose classes are those that the table names."""
    return versions._installed("keras") >= next(known.newest for known in versions.KNOWN if known.package == "keras")


def layer_classes():
    """The layer classes of `keras.layers`, by the name under which the table looks for them."""
    found = {name: value for name, value in vars(layers).items() if isinstance(value, type)}
    return {name: value for name, value in found.items() if issubclass(value, keras.Layer)}


@pytest.mark.parametrize(
    ("present", "known", "unknown", "place"),
    [
        (layer_classes(), LAYERS, UNKNOWN_LAYERS, "table/layers.py"),
        (operation_classes(), OPERATIONS, UNKNOWN_OPERATIONS, "table/operations.py"),
    ],
    ids=["layers", "operations"],
)
def test_every_class_has_a_row_or_a_reason_for_having_none(present, known, unknown, place):
    reasons = [name for names in unknown.values() for name in names]
    named = [present[name] for name in [*known, *reasons] if name in present]
    older = () if is_newest() else OLDER_OPERATIONS
    left = sorted({cls.__name__ for cls in present.values()} - {cls.__name__ for cls in named} - {*older})
    assert not left, f"Keras has new classes. Give each a row in {place}, or a reason in this test: {left}"
    twice = sorted({cls.__name__ for cls in named if named.count(cls) > 1})
    assert not twice, f"Each class has one row or one reason, these have more: {twice}"
    gone = sorted({*known, *reasons} - present.keys()) if is_newest() else []
    assert not gone, f"This Keras has no such classes. Correct the names here and in {place}: {gone}"


def test_a_class_that_this_keras_lacks_is_left_out(monkeypatch):
    monkeypatch.setitem(LAYERS, "Conv4D", LAYERS["Conv3D"])
    monkeypatch.setitem(OPERATIONS, "Relu7", OPERATIONS["Relu6"])
    assert lookup.rows.__wrapped__() == rows()


def test_a_class_of_the_users_is_another_class_whatever_its_name():
    class Dense(layers.Dense):
        pass

    assert semantics_of(layers.Dense(2)) is LAYERS["Dense"]
    assert semantics_of(Dense(2)) is UNKNOWN
    assert inherited_semantics(Dense(2)) is LAYERS["Dense"]
    assert semantics_of(layers.Add()) is LAYERS["Add"]
    assert semantics_of(operation_classes()["Add"]()) is OPERATIONS["Add"]


def test_whatever_has_an_activation_function_has_its_bounds():
    for name, cls in layer_classes().items():
        takes = "activation" in cls.__init__.__code__.co_varnames
        row = rows().get(cls, UNKNOWN)
        assert takes == (row.bounds in ("activation", "gated activation")), name


X = np.random.default_rng(3).uniform(0.2, 0.8, (2, 3, 4)).astype("float32")


def dependence(function, values=X):
    """For each value of the output whether it changes with each value of the input, as a matrix."""
    before = ops.convert_to_numpy(function(values))
    changed = []
    for index in np.ndindex(values.shape):
        step = np.zeros_like(values)
        step[index] = 0.7
        afterwards = [ops.convert_to_numpy(function(values + sign * step)) for sign in (1, -1)]
        changed.append(np.any([after.ravel() != before.ravel() for after in afterwards], axis=0))
    return np.stack(changed, axis=1), before.shape


FUNCTIONS = {
    name: getattr(ops, name, None)
    for name in (
        *("relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "hard_silu", "softplus"),
        *("softsign", "soft_shrink", "hard_shrink", "tanh_shrink", "sparse_plus", "squareplus", "log_sigmoid"),
        *("sparse_sigmoid", "sigmoid", "hard_sigmoid", "tanh", "hard_tanh", "absolute", "square", "sqrt", "rsqrt"),
        *("exp", "log", "negative"),
    )
} | {"power": lambda x: ops.power(x, 3), "capped relu": lambda x: keras.activations.relu(x, max_value=0.9)}


def operation_behind(function):
    x = keras.Input(X.shape[1:])
    return keras.Model(x, function(x)).operations[-1]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[not_where(NO_SPARSE_SIGMOID)] if name == "sparse_sigmoid" else [])
        for name in FUNCTIONS
    ],
)
def test_what_works_value_by_value_changes_at_the_same_place_alone(name):
    row = semantics_of(operation_behind(FUNCTIONS[name]))
    assert (row.reach, row.mixes, row.keeps_channel_axis) == ("same position", None, True)
    changed, shape = dependence(FUNCTIONS[name])
    assert shape == X.shape
    assert np.array_equal(changed, np.eye(X.size, dtype=bool))


ALONG_AN_AXIS = {
    "softmax": (layers.Softmax, ops.softmax),
    "layer normalization": (layers.LayerNormalization, None),
    "root mean square normalization": (getattr(layers, "RMSNormalization", None), None),
    "logarithm of a softmax": (None, ops.log_softmax),
}


@pytest.mark.parametrize(
    # Along another axis than the last a RMSNormalization of Keras 3.15 raises.
    ("name", "axis"),
    [
        pytest.param(name, axis, marks=[not_where(NO_RMS_NORMALIZATION)] if "root" in name else [])
        for name in ALONG_AN_AXIS
        for axis in (1, 2)
        if axis == 2 or "root" not in name
    ],
)
def test_what_mixes_along_its_axis_changes_along_that_axis_alone(name, axis):
    along = np.indices(X.shape).reshape(3, -1)
    others = [each for each in range(3) if each != axis]
    together = (along[others][:, :, np.newaxis] == along[others][:, np.newaxis, :]).all(axis=0)
    layer, function = ALONG_AN_AXIS[name]
    makers = [each for each in (layer and layer(axis=axis), function and (lambda x: function(x, axis=axis))) if each]
    for make in makers:
        row = semantics_of(make if isinstance(make, keras.Layer) else operation_behind(make))
        assert (row.reach, row.mixes) == ("same position", "named axis")
        changed, _ = dependence(make)
        assert np.array_equal(changed, together)


REDUCTIONS = ("mean", "sum", "max", "min", "prod", "std", "var", "average")


@pytest.mark.parametrize("name", REDUCTIONS)
def test_of_a_vector_a_reduction_needs_everything(name):
    function = getattr(ops, name)
    x = keras.Input((4,))
    row = semantics_of(keras.Model(x, function(x, axis=-1)).operations[-1])
    assert row.reach == "everything of a vector"
    changed, _ = dependence(lambda x: function(x, axis=-1), np.array([[0.1, 0.2, 0.4, 0.7]], "float32"))
    assert changed.all()
