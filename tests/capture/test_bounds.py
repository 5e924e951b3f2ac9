"""Which values an activation function can't pass, held against what it gives for very large ones."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from actwidget.capture.bounds import activation_bounds

BOUNDED = {
    "sigmoid": layers.Dense(3, activation="sigmoid"),
    "hard sigmoid": layers.Activation("hard_sigmoid"),
    "tanh": layers.Dense(3, activation="tanh"),
    "hard tanh": layers.Activation("hard_tanh"),
    "relu6": layers.Activation("relu6"),
    "relu with a maximum": layers.ReLU(max_value=2.5),
    "softmax": layers.Dense(3, activation="softmax"),
    "a softmax layer": layers.Softmax(),
}
FREE = {
    "none": layers.Dense(3),
    "relu": layers.Dense(3, activation="relu"),
    "a relu layer": layers.ReLU(),
    "gelu": layers.Activation("gelu"),
    "a pooling": layers.GlobalMaxPooling1D(),
}


@pytest.mark.parametrize("name", BOUNDED)
def test_the_bounds_are_reached_and_not_passed(name):
    layer = BOUNDED[name]
    x = np.random.default_rng(0).normal(size=(200, 3)).astype("float32") * 1e4
    values = np.asarray(layer(x))
    low, high = activation_bounds(layer)
    assert values.max() == pytest.approx(high)
    assert low is None or values.min() == pytest.approx(low)


@pytest.mark.parametrize("name", FREE)
def test_where_there_is_no_bound_none_is_given(name):
    assert activation_bounds(FREE[name]) is None


def test_a_function_of_keras_is_bounded_as_a_layer_is():
    x = keras.Input((3,))
    for function, bounds in ((keras.ops.sigmoid, (0.0, 1.0)), (keras.ops.relu6, (0.0, 6.0)), (keras.ops.relu, None)):
        assert activation_bounds(function(x)._keras_history.operation) == bounds


def test_of_a_softmax_the_values_at_one_are_saturated_and_those_near_zero_are_not():
    model = keras.Sequential([keras.Input((4,)), layers.Softmax(name="kinds")])
    x = np.array([[50, 0, 0, 0], [0, 50, 0, 0], [1, 2, 3, 4], [0, 0, 0, 0]], "float32")
    explorer = aw.LayerExplorer(model, x, layer="kinds")
    assert explorer.statistics.saturated == 2 / 16
    assert explorer.statistics.per_channel.saturated.tolist() == [0.25, 0.25, 0, 0]
    assert "saturated at 1" in explorer._numbers.value
