"""Each layer class of Keras 2 is made in Keras 3, or is refused; and what tells that two models disagree tells it."""

from __future__ import annotations

import inspect
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tf_keras import layers

from actwidget.capture.structure.keras_2.agreement import difference
from actwidget.capture.structure.keras_2.configs import ANY, MENDS, RefusedLayerError, made_in_keras_3
from actwidget.capture.structure.keras_2.example import made_up_inputs
from actwidget.capture.structure.keras_2.rebuild import reasons_against
from tests.capture.keras_2_zoo import MODELS

ARGUMENTS = {
    "Activation": ("relu",), "Bidirectional": (layers.LSTM(2),), "CategoryEncoding": (3,), "CenterCrop": (2, 2),
    "Dense": (2,), "DepthwiseConv1D": (2,), "DepthwiseConv2D": (2,), "Discretization": ([1.0, 2.0],), "Dot": (1,),
    "EinsumDense": ("ab,bc->ac", 3), "Embedding": (4, 2), "GroupNormalization": (1,), "Hashing": (3,),
    "HashedCrossing": (3,), "Lambda": (abs,), "MultiHeadAttention": (2, 2), "Permute": ((2, 1),),
    "RNN": (layers.LSTMCell(2),), "RandomCrop": (2, 2), "RandomTranslation": (0.2, 0.2), "RepeatVector": (2,),
    "Rescaling": (0.5,), "Reshape": ((2, 2),), "Resizing": (2, 2), "SpectralNormalization": (layers.Dense(2),),
    "StackedRNNCells": ([layers.LSTMCell(2)],), "TimeDistributed": (layers.Dense(2),), "Wrapper": (layers.Dense(2),),
}  # fmt: skip
ONE_NUMBER = (
    "AlphaDropout Dropout GaussianDropout GaussianNoise SpatialDropout1D SpatialDropout2D SpatialDropout3D "
    "RandomHeight RandomWidth RandomZoom RandomRotation RandomContrast RandomBrightness"
)
TWO_SIZES = (
    "Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose SeparableConv1D SeparableConv2D "
    "ConvLSTM1D ConvLSTM2D ConvLSTM3D LocallyConnected1D LocallyConnected2D"
)
UNITS = "LSTM GRU SimpleRNN LSTMCell GRUCell SimpleRNNCell"
ARGUMENTS |= dict.fromkeys(ONE_NUMBER.split(), (0.2,)) | dict.fromkeys(TWO_SIZES.split(), (2, 2))
ARGUMENTS |= dict.fromkeys(UNITS.split(), (2,))
# Bases of classes, and what takes part in a graph otherwise; the last takes feature columns, which are no tensors.
NO_LAYERS = {"Layer", "AbstractRNNCell", "InputLayer", "Wrapper", "DenseFeatures"}
GONE = {"LocallyConnected1D", "LocallyConnected2D", "RandomHeight", "RandomWidth", "Lambda"}


def classes():
    """The layer classes of Keras 2 that have a public name."""
    found = {name: value for name, value in vars(layers).items() if inspect.isclass(value)}
    names = [name for name, value in found.items() if issubclass(value, layers.Layer)]
    return {found[name]: name for name in sorted(names, reverse=True) if name not in NO_LAYERS}


@pytest.mark.parametrize(("cls", "name"), classes().items(), ids=lambda value: getattr(value, "__name__", ""))
def test_each_layer_class_of_keras_2_is_made_in_keras_3_or_is_one_that_is_gone(cls, name):
    layer = cls(*ARGUMENTS.get(cls.__name__, ARGUMENTS.get(name, ())))
    if name in GONE:
        with pytest.raises(RefusedLayerError):
            made_in_keras_3(layer, "made", lambda model: model)
        return
    made = made_in_keras_3(layer, "made", lambda model: model)
    assert isinstance(made, keras.Layer)
    assert made.name == "made"
    assert made.__class__.__module__.startswith("keras.src.")
    assert_same_settings(layer.get_config(), made.get_config(), name)


def assert_same_settings(old, new, name):
    """What both configs say is equal, and what only the first one says is in the table."""
    mends = [mend for mend in MENDS if name in mend.classes]
    dropped = {"batch_input_shape", "trainable", *(key for mend in mends for key in [*mend.dropped, *mend.renamed])}
    for key, value in old.items():
        if key in {"name", "dtype", "layer", "cell", "cells", "backward_layer"} or (key, value) == ("seed", None):
            continue
        if key not in new:
            assert key in dropped or not value, key
        elif key not in dropped and not isinstance(value, dict) and value != "hard_sigmoid":
            assert plain(new[key]) in (plain(value), *ends(value)), key


def plain(value):
    return list(value) if isinstance(value, (list, tuple)) else value


def ends(value):
    """What Keras 3 makes of one number where a range is asked for."""
    return [[-value, value], [0, value]] if isinstance(value, float) else []


DROPPED = [
    (name, key, harmless)
    for mend in MENDS
    for name in mend.classes
    for key, harmless in mend.dropped.items()
    if harmless is not ANY and key not in inspect.signature(getattr(keras.layers, mend.name or name)).parameters
]


@pytest.mark.parametrize(("name", "key", "harmless"), DROPPED)
def test_a_setting_that_keras_3_lacks_is_refused_unless_it_asks_for_what_keras_3_does(name, key, harmless):
    layer = getattr(layers, name)(*ARGUMENTS.get(name, ()))
    config = layer.get_config()
    assert config.get(key, harmless[0]) in harmless
    layer.get_config = lambda: config | {key: "something else"}
    with pytest.raises(
        RefusedLayerError, match=f"has {key}='something else', and {name} of Keras 3 has no such argument"
    ):
        made_in_keras_3(layer, "made", lambda model: model)


def test_nothing_is_said_against_a_model_that_is_taken_over_and_nothing_is_left_out_of_one_that_is_not():
    assert list(reasons_against(MODELS["shared_and_nested"]())) == []
    x = tf_keras.Input((4,))
    bad = tf_keras.Sequential([layers.Lambda(abs, name="size")], name="inner")
    model = tf_keras.Model(x, layers.Dropout(0.5, name="drop")(bad(x) * 2.0, training=True))
    first, second, third = reasons_against(model)
    assert first.startswith("'inner/size' is a Lambda")
    assert re.match(r"'tf\.math\.multiply\w*' is a TensorFlow function", second)
    assert third.startswith("'drop' is called with training=True")


def test_random_inputs_are_of_the_shapes_and_kinds_that_a_model_takes():
    shapes = keras.tree.map_structure(lambda value: tuple(value.shape), made_up_inputs(MODELS["open_shapes"]()))
    assert shapes == [(2, 64, 64, 3), (2, 12, 4)]
    ids = made_up_inputs(MODELS["recurrent"]())
    assert ids.dtype == tf.int32
    assert ids.numpy().max() < 9
    words = made_up_inputs(MODELS["texts"]()).numpy()
    assert words.shape == (2, 1)
    assert {"cat", "dog", "the"} & {word for text in words.ravel() for word in text.decode().split()}
    given = made_up_inputs(MODELS["lookups"]())
    assert (given["a"].dtype, given["b"].dtype) == (tf.string, tf.int64)
    x = tf_keras.Input((3,), sparse=True)
    assert isinstance(made_up_inputs(tf_keras.Model(x, layers.Dense(2)(x))), tf.SparseTensor)


@pytest.mark.parametrize(
    ("expected", "found", "said"),
    [
        ([1.0, 2.0], [1.0, 2.0], ""),
        ([1.0, 2.0], [1.0, 2.00001], ""),
        ([1.0, 2.0], [1.0, 2.1], "values up to 0.1 apart, where the largest is 2, other"),
        ([1.0, np.nan], [1.0, np.nan], ""),
        ([1.0, np.nan], [1.0, 2.0], "other"),
        ([1.0, 2.0], [[1.0, 2.0]], "shape (1, 2) in place of (2,), another one"),
        (["a", "b"], ["a", "c"], "other values"),
        ([0.0, 0.0], [0.0, 1e-30], "values up to 1e-30 apart, where the largest is 0, other"),
    ],
)
def test_a_difference_is_told_in_words(expected, found, said):
    assert said in difference(tf.constant(expected), tf.constant(found), 1e-4)
    assert bool(said) == bool(difference(tf.constant(expected), tf.constant(found), 1e-4))


def test_another_number_of_values_is_a_difference():
    one = tf.constant(1.0)
    assert difference([one, one], one, 1e-4) == "1 values in place of 2, other"
