"""What is told of values without looking at them, against the values."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from actwidget.capture.semantics.value_kind import flags_where, prepares_input, value_kind_of
from actwidget.capture.trace import trace
from tests.capture import zoo

FLAGS = {
    "cast": ((4,), lambda y: y),
    "flattened": ((2, 3), layers.Flatten()),
    "reshaped": ((6,), lambda y: ops.reshape(y, (-1, 2, 3))),
    "put beside": ((4,), lambda y: layers.Concatenate()([y, y])),
    "both": ((4,), lambda y: y * y),
    "padded": ((4, 2), layers.ZeroPadding1D()),
    "padded maps": ((4, 4, 2), layers.ZeroPadding2D()),
    "padded volume": ((4, 4, 4, 2), layers.ZeroPadding3D()),
    "cropped": ((4, 2), layers.Cropping1D(1)),
    "cropped maps": ((4, 4, 2), layers.Cropping2D(1)),
    "cropped volume": ((4, 4, 4, 2), layers.Cropping3D(1)),
}


@pytest.mark.parametrize("name", FLAGS)
def test_what_rearranges_flags_gives_flags(name):
    shape, rearranged = FLAGS[name]
    x = keras.Input(shape)
    flags = ops.cast(layers.Dense(shape[-1])(x) > 0, "float32")
    model = keras.Model(x, layers.Identity(name="end")(rearranged(flags)))
    assert value_kind_of(trace(model), "end") == "flags"
    assert set(np.unique(model(zoo.noise(3, *shape)))) == {0.0, 1.0}


def test_a_sum_of_flags_is_a_count_of_units_and_no_flag():
    x = keras.Input((4,))
    flags = ops.cast(layers.Dense(4)(x) > 0, "float32")
    model = keras.Model(x, layers.Identity(name="end")(flags + flags))
    assert value_kind_of(trace(model), "end") != "flags"
    assert 2.0 in np.unique(model(zoo.noise(3, 4)))


def test_what_no_layer_with_weights_had_a_part_in_is_data():
    x = keras.Input((4, 4, 2), name="picture")
    scaled = layers.Rescaling(1 / 255, name="scaled")(x)
    pooled = layers.MaxPooling2D(name="pooled")(scaled)
    seen = layers.Conv2D(3, 1, name="seen")(pooled)
    graph = trace(keras.Model(x, layers.Flatten(name="flat")(seen)))
    kinds = {path: value_kind_of(graph, path) for path in graph.nodes}
    data = {"picture": "data", "scaled": "data", "pooled": "data"}
    assert kinds == {**data, "seen": "activations", "flat": "activations"}


def test_a_classes_code_is_flags_and_a_layer_that_only_happens_to_give_ones_is_none():
    x = keras.Input((1,), dtype="int32")
    coded = layers.CategoryEncoding(5, "one_hot", name="coded")(x)
    graph = trace(keras.Model(x, layers.Dense(3, activation="sigmoid", name="dense")(coded)))
    assert value_kind_of(graph, "coded") == "flags"
    assert flags_where(graph, "coded") == "zeros and ones"
    assert flags_where(graph, "dense") == "never"


def test_a_layer_of_the_users_without_weights_may_give_a_mask_and_a_relu_does_not():
    class Mask(layers.Layer):
        def call(self, inputs):
            return ops.cast(inputs != 0, "float32")

    x = keras.Input((3,))
    mask = layers.Flatten(name="flat")(Mask(name="mask")(x))
    graph = trace(keras.Model(x, layers.ReLU(name="relu")(mask)))
    assert [flags_where(graph, path) for path in ("mask", "flat", "relu")] == [*["zeros and ones"] * 2, "one-hot"]


def test_inputs_and_what_scales_them_or_looks_words_up_stand_before_the_network():
    before = [layers.InputLayer((3,)), layers.Normalization(), layers.Rescaling(2.0), layers.StringLookup()]
    assert all(map(prepares_input, before))
    assert not any(map(prepares_input, [layers.Dense(3), layers.Embedding(3, 4), layers.BatchNormalization()]))
