"""Which values an activation function can't pass, held against what it gives for very large ones."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import actwidget as aw
from actwidget.capture.semantics.bounds import activation_bounds
from actwidget.capture.trace import trace

BOUNDED = {
    "sigmoid": layers.Dense(3, activation="sigmoid"),
    "hard sigmoid": layers.Activation("hard_sigmoid"),
    "tanh": layers.Dense(3, activation="tanh"),
    "hard tanh": layers.Activation("hard_tanh"),
    "relu6": layers.Activation("relu6"),
    "relu with a maximum": layers.ReLU(max_value=2.5),
    "softmax": layers.Dense(3, activation="softmax"),
    "a layer for an activation": layers.Dense(3, activation=layers.ReLU(6.0)),
    "a function of TensorFlow": layers.Dense(3, activation=tf.nn.relu6),
    "a relu that leaks below": layers.ReLU(max_value=2.5, negative_slope=0.5),
    "a softmax layer": layers.Softmax(),
}


class Own(layers.Layer):
    """Has an activation, and makes more of it."""

    def __init__(self):
        super().__init__()
        self.activation = keras.activations.tanh

    def call(self, inputs):
        return 10 * self.activation(inputs)


class OwnDense(layers.Dense):
    def call(self, inputs):
        return 10 * super().call(inputs)


def tanh(x):
    return 10 * x


FREE = {
    "a layer of someone's own": Own(),
    "a layer made from Keras's": OwnDense(3, activation="tanh"),
    "a function of someone's own": layers.Dense(3, activation=tanh),
    "an LSTM whose gates have no bound": layers.LSTM(3, recurrent_activation="relu"),
    "a GRU whose gates turn the sign": layers.GRU(3, recurrent_activation="tanh"),
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
    known = {"sigmoid": (0, 1), "hard_sigmoid": (0, 1), "tanh": (-1, 1), "hard_tanh": (-1, 1), "relu6": (0, 6)}
    for name, bounds in [*known.items(), ("relu", None)]:
        assert activation_bounds(getattr(keras.ops, name)(x)._keras_history.operation) == bounds


def bounds_of(model):
    graph = trace(model)
    return {path: activation_bounds(graph.operations[path], node) for path, node in graph.nodes.items()}


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (layers.LSTM(3, return_state=True, name="rnn"), [(-1, 1), (-1, 1), None]),
        (layers.LSTM(3, return_state=True, return_sequences=True, name="rnn"), [(-1, 1), (-1, 1), None]),
        (layers.GRU(3, return_state=True, name="rnn"), [(-1, 1), (-1, 1)]),
        (layers.SimpleRNN(3, return_state=True, name="rnn"), [(-1, 1), (-1, 1)]),
    ],
    ids=["lstm", "lstm, all steps", "gru", "simple"],
)
def test_of_several_outputs_those_are_bounded_that_are_the_activations(layer, expected):
    keras.utils.set_random_seed(0)
    x = keras.Input((5, 2))
    found = bounds_of(keras.Model(x, layer(x)))
    assert [found["rnn"], *(bounds for path, bounds in found.items() if path.startswith("rnn:"))] == expected
    x = np.random.default_rng(0).normal(size=(8, 5, 2)).astype("float32") * 100
    for values, bounds in zip(layer(x), expected, strict=True):
        assert (np.abs(np.asarray(values)).max() <= 1) == (bounds is not None)


def test_attention_scores_are_a_softmax():
    x = keras.Input((5, 8))
    model = keras.Model(x, layers.MultiHeadAttention(2, 4, name="attention")(x, x))
    found = bounds_of(model)
    assert found["attention/scores"] == activation_bounds(layers.Softmax())
    assert found["attention"] is None


def test_of_a_softmax_the_values_at_one_are_saturated_and_those_near_zero_are_not():
    model = keras.Sequential([keras.Input((4,)), layers.Softmax(name="kinds")])
    x = np.array([[50, 0, 0, 0], [0, 50, 0, 0], [1, 2, 3, 4], [0, 0, 0, 0]], "float32")
    explorer = aw.LayerExplorer(model, x, layer="kinds")
    assert explorer.statistics.saturated == 2 / 16
    assert explorer.statistics.per_channel.saturated.tolist() == [0.25, 0.25, 0, 0]
    assert "saturated at 1" in explorer._screen.numbers.value
